using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Api.Live;

namespace AgentPlatform.Api.WebChat;

/// <summary>
/// Tells watchers that one conversation has news, so that thousands of visitors of one organization don't all look at every hint. Hints may get lost: a
/// watcher also looks by itself from time to time.
/// </summary>
internal sealed class ConversationHints(LiveHints hints)
{
    private readonly Dictionary<Guid, Organization> _organizations = [];
    private readonly Lock _gate = new();

    /// <summary>Calls the handler, which must be short, whenever the conversation has news, until the result is disposed.</summary>
    public IDisposable Watch(Guid organizationId, Guid conversationId, Action onNews)
    {
        lock (_gate)
        {
            if (!_organizations.TryGetValue(organizationId, out var organization))
            {
                _organizations.Add(organizationId, organization = new Organization(hints, organizationId));
            }
            organization.Count++;
            var watcher = new Watcher(this, organization, conversationId, onNews);
            organization.Watchers.AddOrUpdate(conversationId, static (_, added) => [added], static (_, all, added) => all.Add(added), watcher);
            return watcher;
        }
    }

    private void Leave(Watcher watcher)
    {
        lock (_gate)
        {
            var organization = watcher.Organization;
            organization.Watchers.AddOrUpdate(watcher.ConversationId, static (_, _) => [], static (_, all, removed) => all.Remove(removed), watcher);
            organization.Watchers.TryRemove(new KeyValuePair<Guid, ImmutableArray<Watcher>>(watcher.ConversationId, []));
            if (--organization.Count == 0)
            {
                _organizations.Remove(organization.Id);
                organization.Dispose();
            }
        }
    }

    private sealed class Watcher(ConversationHints hints, Organization organization, Guid conversationId, Action onNews) : IDisposable
    {
        private int _left;

        public Organization Organization => organization;

        public Guid ConversationId => conversationId;

        public void Tell() => onNews();

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                hints.Leave(this);
            }
        }
    }

    private sealed class Organization : IDisposable
    {
        private readonly IDisposable _watch;

        public Organization(LiveHints hints, Guid id)
        {
            Id = id;
            _watch = hints.Watch(id, Tell);
        }

        public Guid Id { get; }

        public ConcurrentDictionary<Guid, ImmutableArray<Watcher>> Watchers { get; } = new();

        public int Count { get; set; }

        public void Dispose() => _watch.Dispose();

        private void Tell(ImmutableArray<Guid> conversationIds)
        {
            foreach (var conversationId in conversationIds)
            {
                foreach (var watcher in Watchers.GetValueOrDefault(conversationId, []))
                {
                    watcher.Tell();
                }
            }
        }
    }
}
