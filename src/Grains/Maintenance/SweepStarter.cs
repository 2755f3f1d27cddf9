using AgentPlatform.Billing;
using AgentPlatform.Crm;
using AgentPlatform.Jobs;
using AgentPlatform.Maintenance;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Maintenance;

/// <summary>
/// Wakes the sweep, the billing and the refresh of analytics when a silo has started, and keeps the sweep awake from then on, so that what a dead silo left is taken up at
/// once and not at the next reminder, also when the sweep lived there.
/// </summary>
internal sealed partial class SweepStarter(
    IGrainFactory grains, IHostApplicationLifetime lifetime, IOptions<EngineInstanceOptions> options, TimeProvider clock, ILogger<SweepStarter> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Hosted services start side by side; before the silo is up, no grain can be placed.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var atStart = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var isStarted = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!isStarted)
                {
                    await Start().ConfigureAwait(false);
                    isStarted = true;
                }
                await grains.GetGrain<ISweepGrain>(0).KeepAwake().ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (stoppingToken.IsCancellationRequested)
                {
                    // A host that stops refuses calls, and another silo's starter keeps the sweep awake.
                    return;
                }
                LogNotYet(logger, failure.GetType().Name, failure.Message);
            }
            await Task.Delay(isStarted ? options.Value.DeadAfter : Retry, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task Start()
    {
        await grains.GetGrain<ISweepGrain>(0).Start().ConfigureAwait(false);
        await grains.GetGrain<IBillingGrain>(0).Start().ConfigureAwait(false);
        await grains.GetGrain<IAnalyticsGrain>(0).Start().ConfigureAwait(false);
        await grains.GetGrain<IRetentionGrain>(0).Start().ConfigureAwait(false);
    }

    [LoggerMessage(EventId = 2121, Level = LogLevel.Information, Message = "The sweep can't be reached yet ({Exception}: {Reason})")]
    private static partial void LogNotYet(ILogger logger, string exception, string reason);
}
