using System.Collections.Concurrent;
using AgentPlatform.Data.Changes;

namespace AgentPlatform.Grains.Agents;

/// <summary>
/// What is remembered for each organization until one of the tables it was read from changes. Readers who come together share one load;
/// a load that was under way when the change came is not remembered.
/// </summary>
internal sealed class OrganizationCache<T> : IDisposable
    where T : class
{
    private readonly ConcurrentDictionary<Guid, Entry> _entries = new();
    private readonly Func<Guid, Task<T>> _load;
    private readonly HashSet<string> _tables;
    private readonly int _capacity;
    private readonly Func<T, long>? _weigh;
    private readonly long _mostBytes;
    private readonly IDisposable _subscription;
    private long _clock;

    /// <param name="changes">Where changes are heard of.</param>
    /// <param name="tables">The tables that a value is made of.</param>
    /// <param name="capacity">Organizations remembered; beyond, those that were not asked for longest are forgotten.</param>
    /// <param name="load">Reads a value.</param>
    /// <param name="weigh">How many bytes a value has, roughly; null where none has many.</param>
    /// <param name="mostBytes">Bytes of all values together; beyond, those that were not asked for longest are forgotten.</param>
    public OrganizationCache(ConfigurationChanges changes, IEnumerable<string> tables, int capacity, Func<Guid, Task<T>> load, Func<T, long>? weigh = null, long mostBytes = long.MaxValue)
    {
        _tables = tables.ToHashSet(StringComparer.Ordinal);
        _capacity = capacity;
        _weigh = weigh;
        _mostBytes = mostBytes;
        _load = load;
        _subscription = changes.Subscribe(Forget);
    }

    /// <summary>The organization's value.</summary>
    public ValueTask<T> Get(Guid organizationId, CancellationToken cancellationToken)
    {
        if (_entries.TryGetValue(organizationId, out var entry) && entry.Value.IsCompletedSuccessfully)
        {
            entry.UsedAt = Interlocked.Increment(ref _clock);
            return new ValueTask<T>(entry.Value.Result);
        }

        return new ValueTask<T>(Load(organizationId, cancellationToken));
    }

    /// <inheritdoc />
    public void Dispose() => _subscription.Dispose();

    private async Task<T> Load(Guid organizationId, CancellationToken cancellationToken)
    {
        var entry = _entries.GetOrAdd(organizationId, static (id, cache) => new Entry(cache._load, id), this);
        entry.UsedAt = Interlocked.Increment(ref _clock);
        try
        {
            // One caller who gives up must not take the load away from the others.
            var value = await entry.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
            entry.Bytes = _weigh?.Invoke(value) ?? 0;
            MakeRoom();
            return value;
        }
        catch when (entry.Value.IsFaulted || entry.Value.IsCanceled)
        {
            _entries.TryRemove(new KeyValuePair<Guid, Entry>(organizationId, entry));
            throw;
        }
    }

    private void Forget(ConfigurationChange change)
    {
        if (change.IsEverything || (_tables.Contains(change.Table!) && change.OrganizationId is null))
        {
            _entries.Clear();
        }
        else if (_tables.Contains(change.Table!))
        {
            _entries.TryRemove(change.OrganizationId!.Value, out _);
        }
    }

    private void MakeRoom()
    {
        var tooMany = _entries.Count > _capacity ? Math.Max(1, _capacity / 10) : 0;
        var bytes = _weigh is null ? 0 : _entries.Sum(static pair => pair.Value.Bytes);
        if (tooMany == 0 && bytes <= _mostBytes)
        {
            return;
        }

        foreach (var (id, oldest) in _entries.OrderBy(static pair => pair.Value.UsedAt).ToArray())
        {
            if (tooMany-- <= 0 && bytes <= _mostBytes)
            {
                return;
            }
            _entries.TryRemove(id, out _);
            bytes -= oldest.Bytes;
        }
    }

    private sealed class Entry(Func<Guid, Task<T>> load, Guid organizationId)
    {
        private readonly Lazy<Task<T>> _value = new(() => load(organizationId));
        private long _usedAt;
        private long _bytes;

        public Task<T> Value => _value.Value;

        public long Bytes
        {
            get => Volatile.Read(ref _bytes);
            set => Volatile.Write(ref _bytes, value);
        }

        public long UsedAt
        {
            get => Volatile.Read(ref _usedAt);
            set => Volatile.Write(ref _usedAt, value);
        }
    }
}
