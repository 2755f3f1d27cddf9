using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Limits;
using AgentPlatform.Data.Changes;

namespace AgentPlatform.Api.Live;

/// <summary>The hubs of this process: one for each organization that has a view open here.</summary>
internal sealed class LiveHubs(LiveFeed feed, LiveHints hints, ConfigurationChanges changes, ApiOptions options, TimeProvider clock, ILogger<LiveHub> logger) : IDisposable
{
    private readonly Dictionary<Guid, LiveHub> _hubs = [];
    private readonly Dictionary<Guid, List<LiveEntry>> _sessions = [];
    private readonly Dictionary<(Guid Organization, Guid User), List<LiveEntry>> _people = [];
    private readonly Lock _gate = new();

    /// <summary>A stream of the organization's news from now on.</summary>
    /// <exception cref="LimitReachedException">The organization has <c>API_STREAMS_PER_ORGANIZATION</c> of them here.</exception>
    public Task<LiveStream> Join(Guid organizationId, CancellationToken cancellationToken)
    {
        LiveHub? hub;
        lock (_gate)
        {
            if (_hubs.TryGetValue(organizationId, out hub) && hub.Members >= options.StreamsPerOrganization)
            {
                throw new LimitReachedException($"API_STREAMS_PER_ORGANIZATION is {options.StreamsPerOrganization}.");
            }
            if (!_hubs.TryGetValue(organizationId, out hub))
            {
                _hubs.Add(organizationId, hub = new LiveHub(this, organizationId, feed, hints, changes, options.Heartbeat, clock, logger));
            }
            hub.Members++;
        }
        return hub.Join(cancellationToken);
    }

    /// <summary>
    /// Takes in a stream of a session. A tab that was closed or lost its network is often not known to be gone: of too many streams of a session, or of a person in the organization, the
    /// newest stay, the oldest end. Nobody has more than half of what the organization may have.
    /// </summary>
    public LiveEntry Enter(Caller caller)
    {
        var entry = new LiveEntry(this, caller);
        lock (_gate)
        {
            Add(_sessions, caller.SessionId, entry, options.StreamsPerSession);
            Add(_people, (caller.OrganizationId, caller.UserId), entry, Math.Max(1, Math.Min(options.StreamsPerPerson, options.StreamsPerOrganization / 2)));
        }
        return entry;
    }

    public void Exit(LiveEntry entry)
    {
        lock (_gate)
        {
            Remove(_sessions, entry.Caller.SessionId, entry);
            Remove(_people, (entry.Caller.OrganizationId, entry.Caller.UserId), entry);
        }
    }

    private static void Add<TKey>(Dictionary<TKey, List<LiveEntry>> entries, TKey key, LiveEntry entry, int most)
        where TKey : notnull
    {
        if (!entries.TryGetValue(key, out var open))
        {
            entries.Add(key, open = []);
        }
        open.Add(entry);
        foreach (var old in open.Take(open.Count - most))
        {
            old.Replace();
        }
    }

    private static void Remove<TKey>(Dictionary<TKey, List<LiveEntry>> entries, TKey key, LiveEntry entry)
        where TKey : notnull
    {
        var open = entries[key];
        open.Remove(entry);
        if (open.Count == 0)
        {
            entries.Remove(key);
        }
    }

    public void Release(LiveHub hub)
    {
        lock (_gate)
        {
            if (--hub.Members > 0)
            {
                return;
            }
            _hubs.Remove(hub.OrganizationId);
        }
        hub.Dispose();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var hub in _hubs.Values)
            {
                hub.Dispose();
            }
            _hubs.Clear();
        }
    }
}

/// <summary>A stream's place among those of its session, until it is disposed.</summary>
internal sealed class LiveEntry(LiveHubs hubs, Caller caller) : IDisposable
{
    private readonly CancellationTokenSource _replaced = new();
    private bool _isOver;

    public Caller Caller => caller;

    /// <summary>Cancelled when the session or the person has opened too many others since.</summary>
    public CancellationToken Replaced => _replaced.Token;

    /// <summary>Called by <see cref="LiveHubs"/>, never after <see cref="LiveHubs.Exit"/>.</summary>
    public void Replace() => _replaced.CancelAsync().Ignore();

    public void Dispose()
    {
        if (!Interlocked.Exchange(ref _isOver, true))
        {
            hubs.Exit(this);
            _replaced.Dispose();
        }
    }
}
