using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Jobs;
using AgentPlatform.Maintenance;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Maintenance;

/// <inheritdoc cref="ISweepGrain"/>
internal sealed partial class SweepGrain(
    ConversationStore store, Receipts receipts, JobStore jobs, AccountConfirmation accounts, JobOptions jobOptions, IOptions<EngineInstanceOptions> options, ILogger<SweepGrain> logger) : Grain, ISweepGrain, IRemindable
{
    private const string ReminderName = "sweep";
    private static readonly TimeSpan ReminderPeriod = TimeSpan.FromMinutes(1);
    private IGrainTimer? _timer;
    private Task _confirming = Task.CompletedTask;

    /// <summary>Up to here the messages that wait to be sent have been looked at.</summary>
    private UnsentMessage? _lookedAt;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        // Silos and the reminder wake this grain wherever a silo lives; the timer keeps it quick while it is awake.
        _timer = this.RegisterGrainTimer(static (grain, _) => grain.SweepQuietly(), this, new GrainTimerCreationOptions(TimeSpan.Zero, options.Value.SweepInterval) { KeepAlive = true });
        return Task.CompletedTask;
    }

    public async Task Start() => await this.RegisterOrUpdateReminder(ReminderName, ReminderPeriod, ReminderPeriod);

    public Task KeepAwake() => Task.CompletedTask;

    public Task ReceiveReminder(string reminderName, TickStatus status) => SweepQuietly();

    public async Task<int> Sweep()
    {
        var (turns, messages, idle) = await WakeAll();
        return turns + messages + idle;
    }

    private async Task<(int Turns, int Messages, int Jobs)> WakeAll()
    {
        var settings = options.Value;
        var abandoned = await store.FindAbandonedTurns(settings.DeadAfter, settings.SweepLimit, CancellationToken.None);
        var unsent = await store.FindUnsentMessages(settings.UnsentAfter, _lookedAt, settings.SweepLimit, CancellationToken.None);
        _lookedAt = unsent.Count < settings.SweepLimit ? null : unsent[^1];
        await receipts.ApplyMissed(settings.SweepLimit);
        var idle = await jobs.Idle(settings.DeadAfter, jobOptions, settings.SweepLimit, CancellationToken.None);
        // All at once: one that a silo about to be given up for dead keeps waiting doesn't hold up the others.
        var conversations = abandoned.Concat(unsent.Select(static found => (found.ChannelId, found.Identity))).Select(static found => new ConversationKey(found.ChannelId, found.Identity)).Distinct();
        await Task.WhenAll(conversations.Select(Wake).Concat(idle.Select(Wake)));
        return (abandoned.Count, unsent.Count, idle.Count);
    }

    private async Task Wake(Guid job)
    {
        try
        {
            await GrainFactory.GetGrain<IJobGrain>(job).Run();
        }
        catch (Exception failure)
        {
            LogJobWakeFailed(logger, job, failure.GetType().Name, failure.Message);
        }
    }

    private async Task Wake(ConversationKey key)
    {
        try
        {
            await GrainFactory.GetGrain<IConversationGrain>(key.ToString()).Wake();
        }
        catch (Exception failure)
        {
            LogWakeFailed(logger, key.ChannelId, failure.GetType().Name, failure.Message);
        }
    }

    /// <summary>Platforms may take their time, which the sweep has not.</summary>
    private async Task ConfirmQuietly()
    {
        try
        {
            await accounts.ConfirmSome(CancellationToken.None);
        }
        catch (Exception failure)
        {
            LogSweepFailed(logger, failure.GetType().Name, failure.Message);
        }
    }

    private async Task SweepQuietly()
    {
        if (_confirming.IsCompleted)
        {
            _confirming = ConfirmQuietly();
        }
        try
        {
            var (turns, messages, idle) = await WakeAll();
            // Messages may wait for a channel to be mended, for days: no news each time.
            if (turns + idle > 0)
            {
                LogSwept(logger, turns, messages, idle);
            }
        }
        catch (Exception failure)
        {
            LogSweepFailed(logger, failure.GetType().Name, failure.Message);
        }
    }

    [LoggerMessage(EventId = 2111, Level = LogLevel.Information, Message = "Woke {Turns} conversations with abandoned turns, {Messages} with messages that wait to be sent, and {Jobs} jobs")]
    private static partial void LogSwept(ILogger logger, int turns, int messages, int jobs);

    [LoggerMessage(EventId = 2112, Level = LogLevel.Warning, Message = "The sweep failed ({Exception}: {Reason}); the next one tries again")]
    private static partial void LogSweepFailed(ILogger logger, string exception, string reason);

    [LoggerMessage(EventId = 2113, Level = LogLevel.Warning, Message = "A conversation of channel {ChannelId} could not be woken ({Exception}: {Reason}); the next sweep tries again")]
    private static partial void LogWakeFailed(ILogger logger, Guid channelId, string exception, string reason);

    [LoggerMessage(EventId = 2114, Level = LogLevel.Warning, Message = "Job {JobId} could not be woken ({Exception}: {Reason}); the next sweep tries again")]
    private static partial void LogJobWakeFailed(ILogger logger, Guid jobId, string exception, string reason);
}
