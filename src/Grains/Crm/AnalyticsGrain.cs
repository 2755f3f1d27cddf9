using AgentPlatform.Crm;
using AgentPlatform.Data.Crm;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Crm;

/// <inheritdoc cref="IAnalyticsGrain"/>
internal sealed partial class AnalyticsGrain(AnalyticsStore store, IOptions<AnalyticsOptions> options, ILogger<AnalyticsGrain> logger) : Grain, IAnalyticsGrain, IRemindable
{
    private const string ReminderName = "refresh";

    /// <summary>A refresh of much data takes longer than a call may: the reminder starts it and doesn't wait.</summary>
    private Task _running = Task.CompletedTask;

    public async Task Start() => await this.RegisterOrUpdateReminder(ReminderName, AnalyticsOptions.ShortestInterval, options.Value.RefreshInterval);

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (_running.IsCompleted)
        {
            DelayDeactivation(options.Value.RefreshTimeout);
            _running = RefreshQuietly();
        }
        return Task.CompletedTask;
    }

    public async Task Refresh()
    {
        foreach (var failure in await store.Refresh(options.Value.RefreshTimeout, CancellationToken.None))
        {
            LogReportFailed(logger, failure.Report, failure.OrganizationId, failure.Reason);
        }
    }

    private async Task RefreshQuietly()
    {
        try
        {
            await Refresh();
        }
        catch (Exception failure)
        {
            LogRefreshFailed(logger, failure.GetType().Name, failure.Message);
        }
    }

    [LoggerMessage(EventId = 2131, Level = LogLevel.Warning, Message = "Analytics could not be refreshed ({Exception}: {Reason}); the next reminder tries again")]
    private static partial void LogRefreshFailed(ILogger logger, string exception, string reason);

    [LoggerMessage(EventId = 2132, Level = LogLevel.Warning, Message = "The report {Report} of organization {OrganizationId} stays as it was: {Reason}")]
    private static partial void LogReportFailed(ILogger logger, string report, Guid organizationId, string reason);
}
