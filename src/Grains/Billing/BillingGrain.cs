using AgentPlatform.Billing;
using AgentPlatform.Data.Billing;
using AgentPlatform.Organizations;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Billing;

/// <inheritdoc cref="IBillingGrain"/>
internal sealed partial class BillingGrain(UsageStore store, IOptions<UsageOptions> options, TimeProvider clock, ILogger<BillingGrain> logger) : Grain, IBillingGrain, IRemindable
{
    private const string ReminderName = "billing";
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(10);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // The reminder wakes this grain wherever a silo lives; the timer keeps it quick while it is awake.
        this.RegisterGrainTimer(static (grain, _) => grain.AdvanceQuietly(), this, new GrainTimerCreationOptions(TimeSpan.Zero, options.Value.RenewalInterval) { KeepAlive = true });
        return Task.CompletedTask;
    }

    public async Task Start() => await this.RegisterOrUpdateReminder(ReminderName, ReminderPeriod, ReminderPeriod);

    public Task ReceiveReminder(string reminderName, TickStatus status) => AdvanceQuietly();

    public async Task<int> Advance()
    {
        var total = 0;
        while (true)
        {
            var happened = await store.Advance(clock.GetUtcNow(), options.Value.RenewalBatch, CancellationToken.None);
            foreach (var (organization, what) in happened)
            {
                LogAdvanced(organization, what);
            }
            total += happened.Count;
            if (happened.Count < options.Value.RenewalBatch)
            {
                break;
            }
        }
        // After the periods, which may be what lets the AI go on.
        foreach (var organization in await store.FindWaitingInVain(clock.GetUtcNow(), CancellationToken.None))
        {
            LogWoken(organization, await GrainFactory.GetGrain<IOrganizationGrain>(organization).WakeWaiting());
        }
        return total;
    }

    private async Task AdvanceQuietly()
    {
        try
        {
            await Advance();
        }
        catch (Exception failure)
        {
            LogFailed(failure.GetType().Name, failure.Message);
        }
    }

    [LoggerMessage(EventId = 2611, Level = LogLevel.Information, Message = "The subscription of organization {OrganizationId}: {Happened}")]
    private partial void LogAdvanced(Guid organizationId, string happened);

    [LoggerMessage(EventId = 2613, Level = LogLevel.Information, Message = "The AI of organization {OrganizationId} may go on: {Count} conversations that waited are woken")]
    private partial void LogWoken(Guid organizationId, int count);

    [LoggerMessage(EventId = 2612, Level = LogLevel.Warning, Message = "Subscriptions could not be moved on ({Exception}: {Reason}); the next round tries again")]
    private partial void LogFailed(string exception, string reason);
}
