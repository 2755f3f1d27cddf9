using System.Collections.Immutable;
using AgentPlatform.Billing;
using Orleans.Concurrency;

namespace AgentPlatform.Organizations;

/// <summary>
/// A tenant; its key is the organization's id. It is where live views of the organization meet: silos tell it which conversations changed,
/// it tells every process that has a live view open. What it passes on are hints; the rows in Postgres are what a view shows. It also watches what the organization uses
/// of its plan, and tells silos whether the AI may run.
/// </summary>
[Alias("organizations.IOrganizationGrain")]
public interface IOrganizationGrain : IGrainWithGuidKey
{
    /// <summary>Subscribes a process for <see cref="SubscriptionLifetime"/>; call again to stay subscribed.</summary>
    [Alias("Subscribe")]
    Task Subscribe(IOrganizationObserver observer);

    [Alias("Unsubscribe")]
    Task Unsubscribe(IOrganizationObserver observer);

    /// <summary>These conversations have news. Silos call it at most every few milliseconds.</summary>
    [Alias("Changed"), OneWay]
    Task Changed(ImmutableArray<Guid> conversationIds);

    /// <summary>What the subscription lets the AI do now, read again. Silos ask when they don't know or something changed, not for each message.</summary>
    [Alias("ReadAllowance")]
    Task<AiAllowance> ReadAllowance();

    /// <summary>What conversations of a silo used since it told last; committed already. Silos call it at most every few milliseconds.</summary>
    [Alias("Used"), OneWay]
    Task Used(long tokens, int conversations);

    /// <summary>Wakes conversations that wait for lack of quota, if the AI may go on; returns how many.</summary>
    [Alias("WakeWaiting")]
    Task<int> WakeWaiting();

    /// <summary>How long a subscription lasts without being renewed.</summary>
    static readonly TimeSpan SubscriptionLifetime = TimeSpan.FromMinutes(2);
}

/// <summary>A process with live views of an organization.</summary>
[Alias("organizations.IOrganizationObserver")]
public interface IOrganizationObserver : IGrainObserver
{
    [Alias("Changed"), OneWay]
    Task Changed(ImmutableArray<Guid> conversationIds);
}
