using System.Collections.Concurrent;
using System.Diagnostics;
using AgentPlatform.Channels;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Conversations;
using AgentPlatform.Grains.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Delivery;

/// <summary>Limits of deliveries.</summary>
public sealed record DeliveryOptions
{
    /// <summary>Tries of one message before it has failed.</summary>
    public int MaxAttempts { get; init; } = 12;

    /// <summary>Wait after the first failed try; doubles with each.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between two tries.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a doubtful send waits for a receipt that settles it, where the platform carries our id back.</summary>
    public TimeSpan DoubtTime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one request to a platform may take.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How often a broken channel is looked at again.</summary>
    public TimeSpan BrokenRecheck { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>Which message to send, and whose it is.</summary>
/// <param name="Pushed">Cancelled when a person pushes: the next try is worth it now.</param>
internal sealed record DeliveryJob(
    Guid ConversationId, Guid OrganizationId, Guid ChannelId, Guid ContactId, string Recipient, OutboxItem Item, PairBudget Pair, ActivityContext Trace, CancellationToken Pushed = default);

/// <summary>What the conversation does next.</summary>
/// <param name="RetryAfter">Null when the message is done with, for better or worse; else how long to wait before the next try.</param>
/// <param name="UnreachableReason">The platform says that the person can't be written to.</param>
/// <param name="EndsWaitWith">Cancelled when the next try may be worth it earlier: the channel was changed.</param>
/// <param name="IsPatient">Nobody can make the wait shorter: a receipt is waited for, and a try before it would be a second message.</param>
internal readonly record struct DeliveryEnd(TimeSpan? RetryAfter, string? UnreachableReason = null, CancellationToken EndsWaitWith = default, bool IsPatient = false)
{
    /// <summary>The platform says that the person, or the group, goes by this name now.</summary>
    public string? MovedTo { get; init; }
}

/// <summary>
/// Sends one message: asks the channel for a permit, writes that it is about to send, sends, writes what came of it. Runs outside the
/// grain's turn. The row decides: only who moves it from <c>pending</c> to <c>sending</c> sends, so a withdrawn message stays unsent, and two
/// activations can't both send.
/// </summary>
internal sealed partial class MessageDelivery(
    ConversationWriter writer, IChannelDirectory channels, ChannelChanges changes, ChannelConnectors connectors, Receipts receipts, IGrainFactory grains, IOptions<DeliveryOptions> options, TimeProvider clock,
    ILogger<MessageDelivery> logger)
{
    /// <summary>A wait that people notice: their push ends it. Shorter ones are the channel's ordinary rate.</summary>
    private static readonly TimeSpan NoticedWait = TimeSpan.FromSeconds(10);

    private readonly DeliveryOptions _options = options.Value;
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _underWay = new();

    public async Task<DeliveryEnd> Deliver(DeliveryJob job, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (!_underWay.TryAdd(job.Item.MessageId, done))
        {
            // An activation that has gone sends it still; its row will tell how that ended.
            if (_underWay.TryGetValue(job.Item.MessageId, out var other))
            {
                await other.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                job.Item.IsDoubtful = false;
            }
        }
        try
        {
            return await DeliverAlone(job, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _underWay.TryRemove(job.Item.MessageId, out _);
            done.SetResult();
        }
    }

    private async Task<DeliveryEnd> DeliverAlone(DeliveryJob job, CancellationToken cancellationToken)
    {
        using var activity = EngineTelemetry.Activities.StartActivity("message.send", ActivityKind.Client, job.Trace);
        activity?.SetTag("message.id", job.Item.MessageId);
        // Before the look at the channel: a change that comes while trying ends the wait after it.
        var changed = changes.Next(job.ChannelId);
        var channel = await channels.Find(job.ChannelId, cancellationToken).ConfigureAwait(false);
        if (channel is null)
        {
            await Record(job, "failed", null, "channel_gone", "The channel was deleted.", cancellationToken).ConfigureAwait(false);
            return default;
        }
        if (job.Recipient.Length == 0)
        {
            await Record(job, "failed", null, "no_recipient", "The platform gave the customer's name to somebody else, and no other is known.", cancellationToken).ConfigureAwait(false);
            return default;
        }
        var connector = connectors.For(channel.Platform);
        if (job.Item.IsDoubtful)
        {
            if (connector.ReportsCorrelation && job.Item.DoubtSince is null)
            {
                // Left by a silo that died in between: the platform's receipt tells, if it was accepted.
                job.Item.DoubtSince = clock.GetUtcNow();
                return new DeliveryEnd(_options.DoubtTime, IsPatient: true);
            }
            if (!await Record(job, "pending", null, null, null, cancellationToken).ConfigureAwait(false))
            {
                // A receipt settled it in the meantime.
                return default;
            }
            job.Item.IsDoubtful = false;
            job.Item.DoubtSince = null;
            job.Item.IsWithPlatform = false;
        }
        if (channel.BrokenReason is not null)
        {
            return new DeliveryEnd(_options.BrokenRecheck, EndsWaitWith: changed);
        }
        var own = grains.GetGrain<IChannelGrain>(job.ChannelId);
        var permit = await own.ReserveSend(1).ConfigureAwait(false);
        if (permit.Wait > NoticedWait && job.Item.IsPushed)
        {
            permit = await own.ReserveSendNow().ConfigureAwait(false);
        }
        if (permit.BrokenReason is not null)
        {
            return new DeliveryEnd(_options.BrokenRecheck, EndsWaitWith: changed);
        }
        if (!await Pause(permit.Wait, changed, job.Pushed, cancellationToken).ConfigureAwait(false)
            || !await Pause(job.Pair.Reserve(connector.PairLimit, clock), changed, job.Pushed, cancellationToken).ConfigureAwait(false))
        {
            // What was waited for may not hold any more: it is asked for again.
            return new DeliveryEnd(TimeSpan.Zero);
        }
        job.Item.IsPushed = false;
        if (!await MarkSending(job, cancellationToken).ConfigureAwait(false))
        {
            // Withdrawn by a takeover, or sent by another activation.
            return default;
        }
        job.Item.Attempts++;
        job.Item.IsWithPlatform = true;
        var result = Bounded(job, await Send(channel, connector, job, cancellationToken).ConfigureAwait(false));
        job.Item.IsWithPlatform = result.Outcome is SendOutcome.Sent or SendOutcome.Doubtful;
        EngineTelemetry.Sends.Add(1, new("platform", channel.Platform), new("outcome", result.Outcome.ToString()));
        activity?.SetTag("send.outcome", result.Outcome.ToString());
        LogSent(logger, job.Item.MessageId, job.ConversationId, channel.Platform, result.Outcome, result.ErrorCode, job.Trace.TraceId);
        return await Settle(channel, connector, job, result, changed, cancellationToken).ConfigureAwait(false) with { MovedTo = result.MovedTo };
    }

    /// <summary>Waits; false when the wait ended early, because the channel was changed or a person pushed.</summary>
    private async Task<bool> Pause(TimeSpan wait, CancellationToken changed, CancellationToken pushed, CancellationToken cancellationToken)
    {
        if (wait <= TimeSpan.Zero)
        {
            return true;
        }
        using var early = CancellationTokenSource.CreateLinkedTokenSource(changed, wait > NoticedWait ? pushed : default, cancellationToken);
        // In pieces: a slow channel's queue may be longer than a timer can hold.
        for (; wait > TimeSpan.Zero && !early.IsCancellationRequested; wait -= PlatformWait.Bound(wait))
        {
            await Task.Delay(PlatformWait.Bound(wait), clock, early.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        cancellationToken.ThrowIfCancellationRequested();
        return !early.IsCancellationRequested;
    }

    /// <summary>
    /// What the platform asks to wait, within bounds. A wish beyond them is nearly always a clock that is wrong somewhere in between: the first one is followed by a try after our own wait, which
    /// shows whether it was meant; then the longest wait holds. The log and the message say so.
    /// </summary>
    private SendResult Bounded(DeliveryJob job, SendResult result)
    {
        if (result.RetryAfter is not { } asked || asked <= PlatformWait.Longest)
        {
            return result;
        }
        LogWaitBounded(logger, job.ChannelId, job.Item.MessageId, asked, PlatformWait.Longest);
        return result with
        {
            RetryAfter = job.Item.LongWishes++ == 0 ? null : PlatformWait.Longest,
            Error = $"{result.Error} It asks to wait for {asked.TotalHours:0} hours, which is more than the longest wait ({PlatformWait.Longest.TotalHours:0} h): it is tried once more soon, then every hour, and as soon as the channel is changed or a member writes.".TrimStart(),
        };
    }

    private async Task<SendResult> Send(ChannelSettings channel, IChannelConnector connector, DeliveryJob job, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_options.SendTimeout, clock);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var message = new OutboundMessage
            {
                MessageId = job.Item.MessageId,
                Recipient = job.Recipient,
                Content = job.Item.Content,
                ReplyToPlatformId = job.Item.ReplyToPlatformId,
                Attempt = job.Item.Attempts,
            };
            return await connector.Send(channel, message, linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new SendResult(SendOutcome.Doubtful, Error: cancellationToken.IsCancellationRequested ? "The silo stopped while the request was under way." : $"No answer within SendTimeout ({_options.SendTimeout.TotalSeconds} s).");
        }
        catch (Exception failure)
        {
            LogConnectorFailed(logger, failure, channel.Platform, job.Item.MessageId);
            return new SendResult(SendOutcome.Permanent, ErrorCode: "connector_error", Error: failure.Message);
        }
    }

    private async Task<DeliveryEnd> Settle(ChannelSettings channel, IChannelConnector connector, DeliveryJob job, SendResult result, CancellationToken changed, CancellationToken cancellationToken)
    {
        var attempts = job.Item.Attempts;
        switch (result.Outcome)
        {
            case SendOutcome.Sent:
                await RecordSent(job, result.PlatformMessageId, cancellationToken).ConfigureAwait(false);
                return default;
            case SendOutcome.Throttled:
                var pause = result.RetryAfter ?? Backoff(attempts);
                await grains.GetGrain<IChannelGrain>(job.ChannelId).ReportThrottled(pause).ConfigureAwait(false);
                // Waiting for one's turn is not a failed try.
                job.Item.Attempts--;
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(pause, EndsWaitWith: changed);
            case SendOutcome.PairThrottled when attempts < _options.MaxAttempts:
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(result.RetryAfter ?? PairBackoff(attempts), EndsWaitWith: changed);
            case SendOutcome.Passing when attempts < _options.MaxAttempts:
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(result.RetryAfter is { } asked && asked > Backoff(attempts) ? asked : Backoff(attempts), EndsWaitWith: changed);
            case SendOutcome.Doubtful when attempts < _options.MaxAttempts:
                job.Item.IsDoubtful = true;
                job.Item.DoubtSince = clock.GetUtcNow();
                return new DeliveryEnd(connector.ReportsCorrelation ? _options.DoubtTime : Backoff(attempts), IsPatient: true);
            case SendOutcome.ChannelBroken:
                await grains.GetGrain<IChannelGrain>(channel.Id).ReportTrouble(result.ErrorCode ?? "broken", result.Error ?? "The platform refuses the channel.", result.Trouble.ToString()).ConfigureAwait(false);
                job.Item.Attempts--;
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(_options.BrokenRecheck, EndsWaitWith: changed);
            case SendOutcome.Unreachable:
                await Record(job, "failed", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(null, Receipts.ReasonOf(result.Reason, result.Error, result.ErrorCode));
            default:
                await Record(job, "failed", null, result.ErrorCode ?? "max_attempts", result.Error ?? $"Given up after MaxAttempts ({_options.MaxAttempts}) tries.", cancellationToken).ConfigureAwait(false);
                return default;
        }
    }

    /// <summary>How long a message waits of which the platform said later that it failed.</summary>
    public TimeSpan WaitAgain(int attempts, bool isTooFast) => isTooFast ? PairBackoff(attempts) : Backoff(attempts);

    /// <summary>1, 4, 16 … s, as the platform's rule for one person has it.</summary>
    private static TimeSpan PairBackoff(int attempts) => TimeSpan.FromSeconds(Math.Pow(4, Math.Clamp(attempts - 1, 0, 4)));

    /// <summary>Doubles with each try, with a fifth of chance so that conversations that failed together do not come back together.</summary>
    private TimeSpan Backoff(int attempts)
    {
        var wait = _options.FirstRetry * Math.Pow(2, Math.Min(attempts - 1, 20));
        return (wait < _options.LongestRetry ? wait : _options.LongestRetry) * (0.9 + 0.2 * Random.Shared.NextDouble());
    }

    /// <summary>
    /// Writes that the message is about to be sent; false when it is not ours to send. When the connection breaks meanwhile, nobody knows whether
    /// the row moved: it is put back before it is moved again, so that it can't stay behind as being sent.
    /// </summary>
    private async Task<bool> MarkSending(DeliveryJob job, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (attempt > 1)
                {
                    await Record(job, "pending", null, null, null, cancellationToken).ConfigureAwait(false);
                }
                return await Record(job, "sending", null, null, null, cancellationToken).ConfigureAwait(false);
            }
            catch (StorageAwayException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2000, 100 * attempt)), clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The platform has it. A receipt that overtook this is applied now.</summary>
    private async Task RecordSent(DeliveryJob job, string? platformMessageId, CancellationToken cancellationToken)
    {
        var outcome = await Move(job, "sent", platformMessageId, null, null, cancellationToken).ConfigureAwait(false);
        if (outcome.Early.Count > 0)
        {
            try
            {
                await receipts.Apply(outcome.Early).ConfigureAwait(false);
            }
            catch (StorageUnavailableException failure)
            {
                // They are still there: the sweep applies them.
                LogEarlyWait(logger, job.Item.MessageId, failure.Message);
            }
        }
    }

    private async Task<bool> Record(DeliveryJob job, string status, string? platformMessageId, string? errorCode, string? error, CancellationToken cancellationToken) =>
        (await Move(job, status, platformMessageId, errorCode, error, cancellationToken).ConfigureAwait(false)).AppliedDeliveries.Count > 0;

    /// <summary>
    /// Moves the row, if it does move. What a platform answered must not get lost with a broken connection, so it is tried until
    /// Postgres is back.
    /// </summary>
    private async Task<CommitOutcome> Move(DeliveryJob job, string status, string? platformMessageId, string? errorCode, string? error, CancellationToken cancellationToken)
    {
        var commit = new ConversationCommit
        {
            ConversationId = job.ConversationId,
            OrganizationId = job.OrganizationId,
            ChannelId = job.ChannelId,
            ContactId = job.ContactId,
            Deliveries = [new DeliveryChange { MessageId = job.Item.MessageId, PlatformMessageId = platformMessageId, Status = status, ErrorCode = errorCode, Error = error, At = clock.GetUtcNow() }],
        };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await writer.Commit(commit).ConfigureAwait(false);
            }
            catch (StorageAwayException) when (status is not "sending")
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2000, 100 * attempt)), clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    [LoggerMessage(EventId = 2201, Level = LogLevel.Debug, Message = "Message {MessageId} of conversation {ConversationId} to {Platform}: {Outcome} {ErrorCode}, trace {TraceId}")]
    private static partial void LogSent(ILogger logger, Guid messageId, Guid conversationId, string platform, SendOutcome outcome, string? errorCode, ActivityTraceId traceId);

    [LoggerMessage(EventId = 2202, Level = LogLevel.Error, Message = "The connector of {Platform} failed on message {MessageId}")]
    private static partial void LogConnectorFailed(ILogger logger, Exception failure, string platform, Guid messageId);

    [LoggerMessage(EventId = 2203, Level = LogLevel.Warning, Message = "On channel {ChannelId} the platform asks to wait {Asked} before message {MessageId}; it is tried once more soon, then after {Longest}, or when the channel is changed or a member writes")]
    private static partial void LogWaitBounded(ILogger logger, Guid channelId, Guid messageId, TimeSpan asked, TimeSpan longest);

    [LoggerMessage(EventId = 2204, Level = LogLevel.Warning, Message = "The receipts that came before message {MessageId} was recorded wait for the sweep: {Reason}")]
    private static partial void LogEarlyWait(ILogger logger, Guid messageId, string reason);
}
