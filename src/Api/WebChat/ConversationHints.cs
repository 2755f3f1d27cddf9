using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Api.Live;

namespace AgentPlatform.Api.WebChat;

/// <summary>
/// Tells watchers in this process that a conversation has news, from the organization's <see cref="LiveHints"/>. Hints may get lost: a watcher also looks by
/// itself from time to time.
/// </summary>
internal sealed class ConversationHints(LiveHints live) : IDisposable
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
                organization = new Organization(live, organizationId);
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

    private sealed class Watcher(ConversationHints hints, Guid organizationId, Guid conversationId, Action onNews) : IDisposable
    {
        public Guid OrganizationId => organizationId;

        public Guid ConversationId => conversationId;

        public void Tell() => onNews();

        public void Dispose() => hints.Leave(this);
    }

    /// <summary>The watchers of one organization.</summary>
    private sealed class Organization
    {
        private readonly IDisposable _news;

        public Organization(LiveHints live, Guid id)
        {
            _news = live.Watch(id, Tell);
        }

        public ConcurrentDictionary<Guid, ConcurrentDictionary<Watcher, byte>> Watchers { get; } = new();

        public int Count { get; set; }

        public void Stop() => _news.Dispose();

        private void Tell(ImmutableArray<Guid> conversationIds)
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
        }
    }
}
