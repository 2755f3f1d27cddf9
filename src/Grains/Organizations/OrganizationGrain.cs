using System.Collections.Immutable;
using AgentPlatform.Data.Billing;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Billing;
using AgentPlatform.Organizations;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Organizations;

/// <inheritdoc cref="IOrganizationGrain"/>
/// <remarks>Subscriptions live in memory only: a new activation has none until the processes renew theirs, and their periodic look covers the time between.</remarks>
internal sealed partial class OrganizationGrain(
    UsageStore store, ConversationStore conversations, IOptions<UsageOptions> usage, TimeProvider clock, ILogger<OrganizationGrain> logger) : Grain, IOrganizationGrain
{
    private readonly Dictionary<IOrganizationObserver, DateTimeOffset> _observers = [];

    /// <summary>How many subscriptions are held, those included that have ended and weren't told of a change since.</summary>
    internal int Subscriptions => _observers.Count;

    public Task Subscribe(IOrganizationObserver observer)
    {
        _observers[observer] = clock.GetUtcNow() + IOrganizationGrain.SubscriptionLifetime;
        DropEnded();
        return Task.CompletedTask;
    }

    public Task Unsubscribe(IOrganizationObserver observer)
    {
        _observers.Remove(observer);
        return Task.CompletedTask;
    }

    public async Task Changed(ImmutableArray<Guid> conversationIds)
    {
        if (_observers.Count == 0 || conversationIds.IsDefaultOrEmpty)
        {
            return;
        }
        DropEnded();
        foreach (var observer in _observers.Keys.ToArray())
        {
            try
            {
                await observer.Changed(conversationIds);
            }
            catch (Exception failure)
            {
                // A process that is gone: it subscribes again if it comes back.
                _observers.Remove(observer);
                LogObserverLost(failure.GetType().Name);
            }
        }
    }

    private void DropEnded()
    {
        var now = clock.GetUtcNow();
        foreach (var (observer, until) in _observers)
        {
            if (until <= now)
            {
                _observers.Remove(observer);
            }
        }
    }

    [LoggerMessage(2501, LogLevel.Information, "A process with live views can't be reached ({Failure}); it is no longer told")]
    private partial void LogObserverLost(string failure);
}
