using AgentPlatform.Billing;
using AgentPlatform.Crm;
using AgentPlatform.Jobs;
using AgentPlatform.Maintenance;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Maintenance;

/// <summary>Wakes the sweep, the billing and the refresh of analytics when a silo has started, so that what a dead one left is taken up at once and not at the next reminder.</summary>
internal sealed partial class SweepStarter(IGrainFactory grains, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<SweepStarter> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Hosted services start side by side; before the silo is up, no grain can be placed.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var atStart = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await grains.GetGrain<ISweepGrain>(0).Start().ConfigureAwait(false);
                await grains.GetGrain<IBillingGrain>(0).Start().ConfigureAwait(false);
                await grains.GetGrain<IAnalyticsGrain>(0).Start().ConfigureAwait(false);
                await grains.GetGrain<IRetentionGrain>(0).Start().ConfigureAwait(false);
                return;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                LogNotYet(logger, failure.GetType().Name, failure.Message);
                await Task.Delay(Retry, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(EventId = 2121, Level = LogLevel.Information, Message = "The sweep could not be started yet ({Exception}: {Reason})")]
    private static partial void LogNotYet(ILogger logger, string exception, string reason);
}
