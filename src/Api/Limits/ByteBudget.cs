using System.Runtime.InteropServices;

namespace AgentPlatform.Api.Limits;

/// <summary>Memory that is lent by the byte: so much to each key, and so much to all of them. Whoever has nothing yet is lent what it asks for, however much that is.</summary>
/// <param name="ofEach">Bytes that one key may hold at once.</param>
/// <param name="ofAll">Bytes that all may hold at once.</param>
internal sealed class ByteBudget<TKey>(long ofEach, long ofAll = long.MaxValue)
    where TKey : notnull
{
    private readonly Dictionary<TKey, long> _held = [];
    private readonly Lock _lock = new();
    private long _heldByAll;

    /// <summary>Keys that hold anything.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _held.Count;
            }
        }
    }

    /// <summary>Takes bytes, without waiting; false where the key or all together would hold too many. Dispose of what was taken once.</summary>
    public bool TryTake(TKey key, long bytes, out Loan loan)
    {
        loan = default;
        if (bytes == 0)
        {
            return true;
        }

        lock (_lock)
        {
            var held = _held.GetValueOrDefault(key);
            if ((held > 0 && held + bytes > ofEach) || (_heldByAll > 0 && _heldByAll + bytes > ofAll))
            {
                return false;
            }

            _held[key] = held + bytes;
            _heldByAll += bytes;
        }

        loan = new Loan(this, key, bytes);
        return true;
    }

    private void Return(TKey key, long bytes)
    {
        lock (_lock)
        {
            _heldByAll -= bytes;
            ref var held = ref CollectionsMarshal.GetValueRefOrNullRef(_held, key);
            if ((held -= bytes) == 0)
            {
                _held.Remove(key);
            }
        }
    }

    /// <summary>Bytes that are lent until it is disposed; the default one is none.</summary>
    public readonly struct Loan(ByteBudget<TKey> budget, TKey key, long bytes) : IDisposable
    {
        public void Dispose() => ((ByteBudget<TKey>?)budget)?.Return(key, bytes);
    }
}
