using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Billing;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Grains.Live;
using AgentPlatform.Grains.Maintenance;
using AgentPlatform.Grains.Turns;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Conversations;

/// <summary>What every conversation's grain shares, in one place, so that a grain holds one reference instead of ten.</summary>
internal sealed class ConversationServices(
    ConversationWriter writer,
    ConversationStore store,
    IChannelDirectory channels,
    ChannelConnectors connectors,
    ITurnRunner runner,
    TurnScheduler scheduler,
    MessageDelivery delivery,
    ChannelChanges changes,
    EngineInstance instance,
    LiveSignals live,
    UsageGate usage,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    ILogger<ConversationGrain> logger)
{
    public ConversationWriter Writer => writer;
    public ConversationStore Store => store;
    public IChannelDirectory Channels => channels;
    public ChannelConnectors Connectors => connectors;
    public ITurnRunner Runner => runner;
    public TurnScheduler Scheduler => scheduler;
    public MessageDelivery Delivery => delivery;
    public ChannelChanges Changes => changes;
    public EngineInstance Instance => instance;
    public LiveSignals Live => live;
    public UsageGate Usage => usage;
    public TimeProvider Clock => clock;
    public ILogger<ConversationGrain> Logger => logger;

    /// <summary>Cancelled when the process stops.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    /// <summary>Version 7: in the order of time, by the application's clock.</summary>
    public Guid NewId() => Guid.CreateVersion7(clock.GetUtcNow());
}
