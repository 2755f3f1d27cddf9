using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Organizations;

namespace AgentPlatform.Api.WebChat;

/// <summary>
/// Tells watchers in this process that a conversation has news. One subscription for each organization that has watchers, however many. Hints may get
/// lost: a watcher also looks by itself from time to time.
/// </summary>
internal sealed partial class ConversationHints(IGrainFactory grains, TimeProvider clock, ILogger<ConversationHints> logger) : IDisposable
{
    private readonly Dictionary<Guid, Organization> _organizations = [];
    private readonly Lock _gate = new();

    /// <summary>Calls the handler, which must be short, whenever the conversation has news, until the result is disposed.</summary>
    public IDisposable Watch(Guid organizationId, Guid conversationId, Action onNews)
    {
        var watcher = new Watcher(this, organizationId, conversationId, onNews);
        lock (_gate)
        {
            if (!_organizations.TryGetValue(organizationId, out var organization))
            {
                organization = new Organization(this, organizationId);
                _organizations.Add(organizationId, organization);
            }
            organization.Watchers.GetOrAdd(conversationId, _ => new())[watcher] = 0;
            organization.Count++;
        }
        return watcher;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var organization in _organizations.Values)
            {
                organization.Stop();
            }
            _organizations.Clear();
        }
    }

    private void Leave(Watcher watcher)
    {
        lock (_gate)
        {
            if (!_organizations.TryGetValue(watcher.OrganizationId, out var organization)
                || !organization.Watchers.TryGetValue(watcher.ConversationId, out var watchers) || !watchers.TryRemove(watcher, out _))
            {
                return;
            }
            if (watchers.IsEmpty)
            {
                organization.Watchers.TryRemove(watcher.ConversationId, out _);
            }
            if (--organization.Count == 0)
            {
                _organizations.Remove(watcher.OrganizationId);
                organization.Stop();
            }
        }
    }

    [LoggerMessage(4301, LogLevel.Warning, "Live hints of organization {OrganizationId} can't be subscribed to ({Failure}); its visitors see news at the next heartbeat")]
    private static partial void LogNotSubscribed(ILogger logger, Guid organizationId, string failure);

    private sealed class Watcher(ConversationHints hints, Guid organizationId, Guid conversationId, Action onNews) : IDisposable
    {
        public Guid OrganizationId => organizationId;

        public Guid ConversationId => conversationId;

        public void Tell() => onNews();

        public void Dispose() => hints.Leave(this);
    }

    /// <summary>The subscription of one organization, renewed while it has watchers. Orleans holds observers weakly: this one holds it.</summary>
    private sealed class Organization : IOrganizationObserver
    {
        private readonly ConversationHints _hints;
        private readonly Guid _id;
        private readonly IOrganizationObserver _reference;
        private readonly ITimer _renewal;

        public Organization(ConversationHints hints, Guid id)
        {
            _hints = hints;
            _id = id;
            _reference = hints._grains.CreateObjectReference<IOrganizationObserver>(this);
            _renewal = hints._clock.CreateTimer(static state => _ = ((Organization)state!).Subscribe(), this, TimeSpan.Zero, IOrganizationGrain.SubscriptionLifetime / 3);
        }

        public ConcurrentDictionary<Guid, ConcurrentDictionary<Watcher, byte>> Watchers { get; } = new();

        public int Count { get; set; }

        public Task Changed(ImmutableArray<Guid> conversationIds)
        {
            foreach (var conversationId in conversationIds)
            {
                if (Watchers.TryGetValue(conversationId, out var watchers))
                {
                    foreach (var (watcher, _) in watchers)
                    {
                        watcher.Tell();
                    }
                }
            }
            return Task.CompletedTask;
        }

        public void Stop()
        {
            _renewal.Dispose();
            _ = Unsubscribe();
        }

        private async Task Subscribe()
        {
            try
            {
                await _hints._grains.GetGrain<IOrganizationGrain>(_id).Subscribe(_reference);
            }
            catch (Exception failure)
            {
                LogNotSubscribed(_hints._logger, _id, failure.GetType().Name);
            }
        }

        private async Task Unsubscribe()
        {
            try
            {
                await _hints._grains.GetGrain<IOrganizationGrain>(_id).Unsubscribe(_reference);
                _hints._grains.DeleteObjectReference<IOrganizationObserver>(_reference);
            }
            catch (Exception failure)
            {
                // The subscription ends by itself when it isn't renewed.
                LogNotSubscribed(_hints._logger, _id, failure.GetType().Name);
            }
        }
    }

    private readonly IGrainFactory _grains = grains;
    private readonly TimeProvider _clock = clock;
    private readonly ILogger _logger = logger;
}
