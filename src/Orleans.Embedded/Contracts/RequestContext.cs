namespace Orleans.Runtime;

/// <summary>Values that travel with a call and all calls made on its behalf. Changes never travel back.</summary>
public static class RequestContext
{
    private const string ReentrancyKey = "#CCR";

    private static readonly AsyncLocal<Dictionary<string, object>?> Current = new();

    /// <summary>Names the call chain that grains in a reentrant section let back in.</summary>
    public static Guid ReentrancyId
    {
        get => Get(ReentrancyKey) is Guid id ? id : Guid.Empty;
        set
        {
            if (value == Guid.Empty)
            {
                Remove(ReentrancyKey);
            }
            else
            {
                Set(ReentrancyKey, value);
            }
        }
    }

    /// <summary>The names of the values.</summary>
    public static IEnumerable<string> Keys => Current.Value?.Keys ?? Enumerable.Empty<string>();

    /// <summary>The values and their names.</summary>
    public static IEnumerable<KeyValuePair<string, object>> Entries => Current.Value ?? Enumerable.Empty<KeyValuePair<string, object>>();

    internal static Dictionary<string, object>? Values
    {
        get => Current.Value;
        set => Current.Value = value;
    }

    /// <summary>A value, or null.</summary>
    public static object? Get(string key) => Current.Value is { } values && values.TryGetValue(key, out var value) ? value : null;

    /// <summary>Sets a value for all that is called from here on.</summary>
    public static void Set(string key, object value)
    {
        // Others may hold the dictionary: it is never changed, only replaced.
        var copy = Current.Value is { } values ? new Dictionary<string, object>(values) : [];
        copy[key] = value;
        Current.Value = copy;
    }

    /// <summary>Removes a value; false where there was none.</summary>
    public static bool Remove(string key)
    {
        if (Current.Value is not { } values || !values.ContainsKey(key))
        {
            return false;
        }

        var copy = new Dictionary<string, object>(values);
        copy.Remove(key);
        Current.Value = copy.Count == 0 ? null : copy;
        return true;
    }

    /// <summary>Removes all values.</summary>
    public static void Clear()
    {
        if (Current.Value is not null)
        {
            Current.Value = null;
        }
    }

    /// <summary>Until it is disposed, calls made on behalf of this one may come back into this grain.</summary>
    public static ReentrancySection AllowCallChainReentrancy()
    {
        var before = ReentrancyId;
        return new ReentrancySection(before, before == Guid.Empty ? Guid.NewGuid() : before);
    }

    /// <summary>Until it is disposed, calls made from here are no part of the call chain.</summary>
    public static ReentrancySection SuppressCallChainReentrancy() => new(ReentrancyId, Guid.Empty);

    internal static object? BoxedReentrancyId() => Get(ReentrancyKey);

    /// <summary>A part of a grain method during which its own call chain may come back.</summary>
    public readonly struct ReentrancySection : IDisposable
    {
        private readonly Guid _before;
        private readonly Guid _within;

        /// <summary>Enters the section.</summary>
        public ReentrancySection(Guid originalReentrancyId, Guid newReentrancyId)
        {
            _before = originalReentrancyId;
            _within = newReentrancyId;
            if (_within != _before)
            {
                ReentrancyId = _within;
            }

            if (_within != Guid.Empty)
            {
                RuntimeContext.Current?.EnterReentrantSection(_within);
            }
        }

        /// <summary>Leaves the section.</summary>
        public void Dispose()
        {
            if (_within != Guid.Empty)
            {
                RuntimeContext.Current?.LeaveReentrantSection(_within);
            }

            if (_within != _before)
            {
                ReentrancyId = _before;
            }
        }
    }
}
