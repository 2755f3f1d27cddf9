using System.Collections.Immutable;
using AgentPlatform.Organizations;

namespace AgentPlatform.Api.Live;

/// <summary>
/// Tells this process that conversations of an organization have news: one subscription at the organization's grain for each organization that
/// somebody here watches. A hint may get lost: whoever watches also looks by itself from time to time.
/// </summary>
internal sealed partial class LiveHints(IServiceProvider services, TimeProvider clock, ILogger<LiveHints> logger) : IDisposable
{
    /// <summary>How long an observer stays known to Orleans after its subscription has ended.</summary>
    private static readonly TimeSpan DeletionDelay = TimeSpan.FromSeconds(10);

    private readonly Dictionary<Guid, Subscription> _subscriptions = [];
    private readonly Lock _gate = new();

    /// <summary>Calls the handler, which must be short, with the conversations that have news, until the result is disposed.</summary>
    public IDisposable Watch(Guid organizationId, Action<ImmutableArray<Guid>> onNews)
    {
        lock (_gate)
        {
            if (!_subscriptions.TryGetValue(organizationId, out var subscription))
            {
                _subscriptions.Add(organizationId, subscription = new Subscription(this, organizationId));
            }
            subscription.Handlers = subscription.Handlers.Add(onNews);
            return new Watcher(this, subscription, onNews);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var subscription in _subscriptions.Values)
            {
                subscription.Stop();
            }
            _subscriptions.Clear();
        }
    }

    private void Leave(Subscription subscription, Action<ImmutableArray<Guid>> handler)
    {
        lock (_gate)
        {
            subscription.Handlers = subscription.Handlers.Remove(handler);
            if (subscription.Handlers.IsEmpty && _subscriptions.Remove(subscription.OrganizationId))
            {
                subscription.Stop();
            }
        }
    }

    private sealed class Watcher(LiveHints hints, Subscription subscription, Action<ImmutableArray<Guid>> handler) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                hints.Leave(subscription, handler);
            }
        }
    }

    /// <summary>The observer of one organization. Orleans holds observers weakly: the dictionary holds this one.</summary>
    private sealed class Subscription : IOrganizationObserver
    {
        private readonly LiveHints _hints;
        private readonly IGrainFactory? _grains;
        private readonly IOrganizationObserver? _reference;
        private readonly ITimer? _renewal;

        public Subscription(LiveHints hints, Guid organizationId)
        {
            _hints = hints;
            OrganizationId = organizationId;
            _grains = hints._services.GetService<IGrainFactory>();
            _reference = _grains?.CreateObjectReference<IOrganizationObserver>(this);
            _renewal = hints._clock.CreateTimer(static state => _ = ((Subscription)state!).Renew(), this, TimeSpan.Zero, IOrganizationGrain.SubscriptionLifetime / 3);
        }

        public Guid OrganizationId { get; }

        public ImmutableList<Action<ImmutableArray<Guid>>> Handlers { get; set; } = [];

        public Task Changed(ImmutableArray<Guid> conversationIds)
        {
            foreach (var handler in Handlers)
            {
                handler(conversationIds);
            }
            return Task.CompletedTask;
        }

        public void Stop()
        {
            _renewal?.Dispose();
            _ = End();
        }

        private Task Renew() => Try(grain => grain.Subscribe(_reference!));

        private Task End() => Try(async grain =>
        {
            try
            {
                await grain.Unsubscribe(_reference!);
            }
            finally
            {
                // A hint can be on its way while the grain answers, and Orleans logs an error for a call to an observer that was deleted.
                await Task.Delay(DeletionDelay, _hints._clock);
                _grains!.DeleteObjectReference<IOrganizationObserver>(_reference!);
            }
        });

        private async Task Try(Func<IOrganizationGrain, Task> call)
        {
            if (_grains is null)
            {
                return;
            }
            try
            {
                await call(_grains.GetGrain<IOrganizationGrain>(OrganizationId));
            }
            catch (Exception failure)
            {
                _hints.LogUnreachable(OrganizationId, failure.GetType().Name);
            }
        }
    }

    [LoggerMessage(4301, LogLevel.Information, "Live hints of organization {OrganizationId} can't be reached ({Failure}); views look by themselves until they can")]
    private partial void LogUnreachable(Guid organizationId, string failure);

    private readonly IServiceProvider _services = services;
    private readonly TimeProvider _clock = clock;
}
