namespace AgentPlatform.Data.Changes;

/// <summary>A committed change of configuration, by whichever process.</summary>
/// <param name="Table">The table, or null when anything may have changed (after the listener had lost its connection).</param>
/// <param name="OrganizationId">The row's organization, or null where it has none.</param>
/// <param name="Id">The row, or null where it has no id.</param>
public sealed record ConfigurationChange(string? Table, Guid? OrganizationId, Guid? Id)
{
    /// <summary>Anything may have changed: forget everything that was remembered.</summary>
    public static ConfigurationChange Everything { get; } = new(null, null, null);

    /// <summary>Whether this stands for any change at all.</summary>
    public bool IsEverything => Table is null;
}

/// <summary>
/// Tells caches in this process about committed changes in Postgres (channel <c>configuration_changed</c>, sent by the trigger function
/// <c>notify_configuration_changed</c>). A subscriber's work must be short: it runs on the listener.
/// </summary>
public sealed class ConfigurationChanges
{
    private Action<ConfigurationChange>[] _subscribers = [];
    private readonly Lock _gate = new();

    /// <summary>Calls the handler for every change until the result is disposed.</summary>
    public IDisposable Subscribe(Action<ConfigurationChange> handler)
    {
        lock (_gate)
        {
            _subscribers = [.. _subscribers, handler];
        }

        return new Subscription(this, handler);
    }

    /// <summary>Calls every subscriber. Also for a process that wants its own caches to hear of a change before Postgres tells.</summary>
    /// <exception cref="AggregateException">What subscribers threw, once all of them have been called.</exception>
    public void Publish(ConfigurationChange change)
    {
        List<Exception>? failures = null;
        foreach (var subscriber in Volatile.Read(ref _subscribers))
        {
            try
            {
                subscriber(change);
            }
            catch (Exception failure)
            {
                (failures ??= []).Add(failure);
            }
        }

        if (failures is not null)
        {
            throw new AggregateException("Subscribers to configuration changes failed.", failures);
        }
    }

    private void Unsubscribe(Action<ConfigurationChange> handler)
    {
        lock (_gate)
        {
            var index = Array.IndexOf(_subscribers, handler);
            if (index >= 0)
            {
                _subscribers = [.. _subscribers[..index], .. _subscribers[(index + 1)..]];
            }
        }
    }

    private sealed class Subscription(ConfigurationChanges changes, Action<ConfigurationChange> handler) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                changes.Unsubscribe(handler);
            }
        }
    }
}
