using AgentPlatform.Data.Conversations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Maintenance;

/// <summary>How dead silos are found.</summary>
public sealed record EngineInstanceOptions
{
    /// <summary>How often an instance shows that it is alive.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// An instance that has shown no heartbeat for so long has lost its turns. Taking over too early does no harm: the sweep wakes the
    /// conversation where it lives, and a second activation can't commit.
    /// </summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>How often a silo looks for what dead ones left.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>A message that has waited so long to be sent has its conversation woken.</summary>
    public TimeSpan UnsentAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Most conversations woken by one sweep.</summary>
    public int SweepLimit { get; init; } = 500;
}

/// <summary>This silo process: the id under which it leases turns, and the heartbeat that keeps the leases.</summary>
public sealed partial class EngineInstance(ConversationStore store, IOptions<EngineInstanceOptions> options, TimeProvider clock, ILogger<EngineInstance> logger) : BackgroundService
{
    /// <summary>Owner of the turns that this process runs (<c>turns.instance_id</c>).</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await store.Heartbeat(Id, Environment.MachineName, TimeSpan.FromDays(1), cancellationToken).ConfigureAwait(false);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.HeartbeatInterval, clock);
        await using var stopping = stoppingToken.Register(timer.Dispose);
        while (await timer.WaitForNextTickAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                await store.Heartbeat(Id, Environment.MachineName, TimeSpan.FromDays(1), stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                LogHeartbeatFailed(logger, failure.GetType().Name, failure.Message);
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await store.Leave(Id, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogHeartbeatFailed(logger, failure.GetType().Name, failure.Message);
        }
    }

    [LoggerMessage(EventId = 2101, Level = LogLevel.Warning, Message = "The heartbeat could not be written ({Exception}: {Reason}); other silos take this one's turns over if it lasts")]
    private static partial void LogHeartbeatFailed(ILogger logger, string exception, string reason);
}
