using AgentPlatform.Data.Changes;

namespace AgentPlatform.Api.Live;

/// <summary>The hubs of this process: one for each organization that has a view open here.</summary>
internal sealed class LiveHubs(LiveFeed feed, LiveHints hints, ConfigurationChanges changes, ApiOptions options, TimeProvider clock, ILogger<LiveHub> logger) : IDisposable
{
    private readonly Dictionary<Guid, LiveHub> _hubs = [];
    private readonly Dictionary<Guid, int> _sessions = [];
    private readonly Lock _gate = new();

    /// <summary>A stream of the organization's news from now on.</summary>
    public Task<LiveStream> Join(Guid organizationId, CancellationToken cancellationToken)
    {
        LiveHub? hub;
        lock (_gate)
        {
            if (!_hubs.TryGetValue(organizationId, out hub))
            {
                _hubs.Add(organizationId, hub = new LiveHub(this, organizationId, feed, hints, changes, options.Heartbeat, clock, logger));
            }
            hub.Members++;
        }
        return hub.Join(cancellationToken);
    }

    /// <summary>Counts a stream of a session; false when it has too many.</summary>
    public bool TryEnter(Guid sessionId)
    {
        lock (_gate)
        {
            var open = _sessions.GetValueOrDefault(sessionId);
            if (open >= options.StreamsPerSession)
            {
                return false;
            }
            _sessions[sessionId] = open + 1;
            return true;
        }
    }

    public void Exit(Guid sessionId)
    {
        lock (_gate)
        {
            if (--_sessions[sessionId] == 0)
            {
                _sessions.Remove(sessionId);
            }
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
