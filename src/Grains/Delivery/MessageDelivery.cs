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
internal sealed record DeliveryJob(Guid ConversationId, Guid OrganizationId, Guid ChannelId, Guid ContactId, string Recipient, OutboxItem Item, PairBudget Pair, ActivityContext Trace);

/// <summary>What the conversation does next.</summary>
/// <param name="RetryAfter">Null when the message is done with, for better or worse; else how long to wait before the next try.</param>
/// <param name="UnreachableReason">The platform says that the person can't be written to.</param>
/// <param name="EndsWaitWith">Cancelled when the next try may be worth it earlier: the channel was changed.</param>
internal readonly record struct DeliveryEnd(TimeSpan? RetryAfter, string? UnreachableReason = null, CancellationToken EndsWaitWith = default);

/// <summary>
/// Sends one message: asks the channel for a permit, writes that it is about to send, sends, writes what came of it. Runs outside the
/// grain's turn. The row decides: only who moves it from <c>pending</c> to <c>sending</c> sends, so a withdrawn message stays unsent, and two
/// activations can't both send.
/// </summary>
internal sealed partial class MessageDelivery(
    ConversationWriter writer, IChannelDirectory channels, ChannelChanges changes, ChannelConnectors connectors, IGrainFactory grains, IOptions<DeliveryOptions> options, TimeProvider clock, ILogger<MessageDelivery> logger)
{
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
                return new DeliveryEnd(_options.DoubtTime);
            }
            if (!await Record(job, "pending", null, null, null, cancellationToken).ConfigureAwait(false))
            {
                // A receipt settled it in the meantime.
                return default;
            }
            job.Item.IsDoubtful = false;
            job.Item.DoubtSince = null;
        }
        if (channel.BrokenReason is not null)
        {
            return new DeliveryEnd(_options.BrokenRecheck, EndsWaitWith: changed);
        }
        var permit = await grains.GetGrain<IChannelGrain>(job.ChannelId).ReserveSend(1).ConfigureAwait(false);
        if (permit.BrokenReason is not null)
        {
            return new DeliveryEnd(_options.BrokenRecheck, EndsWaitWith: changed);
        }
        if (permit.Wait > TimeSpan.Zero)
        {
            await Task.Delay(permit.Wait, clock, cancellationToken).ConfigureAwait(false);
        }
        if (job.Pair.Reserve(connector.PairLimit, clock) is var pairWait && pairWait > TimeSpan.Zero)
        {
            await Task.Delay(pairWait, clock, cancellationToken).ConfigureAwait(false);
        }
        if (!await MarkSending(job, cancellationToken).ConfigureAwait(false))
        {
            // Withdrawn by a takeover, or sent by another activation.
            return default;
        }
        job.Item.Attempts++;
        var result = await Send(channel, connector, job, cancellationToken).ConfigureAwait(false);
        EngineTelemetry.Sends.Add(1, new("platform", channel.Platform), new("outcome", result.Outcome.ToString()));
        activity?.SetTag("send.outcome", result.Outcome.ToString());
        LogSent(logger, job.Item.MessageId, job.ConversationId, channel.Platform, result.Outcome, result.ErrorCode, job.Trace.TraceId);
        return await Settle(channel, connector, job, result, changed, cancellationToken).ConfigureAwait(false);
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
                await Record(job, "sent", result.PlatformMessageId, null, null, cancellationToken).ConfigureAwait(false);
                return default;
            case SendOutcome.Throttled:
                var pause = result.RetryAfter ?? Backoff(attempts);
                await grains.GetGrain<IChannelGrain>(job.ChannelId).ReportThrottled(pause).ConfigureAwait(false);
                // Waiting for one's turn is not a failed try.
                job.Item.Attempts--;
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(pause);
            case SendOutcome.PairThrottled when attempts < _options.MaxAttempts:
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(result.RetryAfter ?? TimeSpan.FromSeconds(Math.Pow(4, Math.Min(attempts - 1, 4))));
            case SendOutcome.Passing when attempts < _options.MaxAttempts:
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(result.RetryAfter is { } asked && asked > Backoff(attempts) ? asked : Backoff(attempts), EndsWaitWith: result.RetryAfter is null ? changed : default);
            case SendOutcome.Doubtful when attempts < _options.MaxAttempts:
                job.Item.IsDoubtful = true;
                job.Item.DoubtSince = clock.GetUtcNow();
                return new DeliveryEnd(connector.ReportsCorrelation ? _options.DoubtTime : Backoff(attempts));
            case SendOutcome.ChannelBroken:
                await grains.GetGrain<IChannelGrain>(channel.Id).ReportBroken(result.ErrorCode ?? "broken", result.Error ?? "The platform refuses the channel.").ConfigureAwait(false);
                job.Item.Attempts--;
                await Record(job, "pending", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(_options.BrokenRecheck, EndsWaitWith: changed);
            case SendOutcome.Unreachable:
                await Record(job, "failed", null, result.ErrorCode, result.Error, cancellationToken).ConfigureAwait(false);
                return new DeliveryEnd(null, result.Error ?? result.ErrorCode ?? "unreachable");
            default:
                await Record(job, "failed", null, result.ErrorCode ?? "max_attempts", result.Error ?? $"Given up after MaxAttempts ({_options.MaxAttempts}) tries.", cancellationToken).ConfigureAwait(false);
                return default;
        }
    }

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

    /// <summary>
    /// Moves the row; false when it did not move. What a platform answered must not get lost with a broken connection, so it is tried until
    /// Postgres is back.
    /// </summary>
    private async Task<bool> Record(DeliveryJob job, string status, string? platformMessageId, string? errorCode, string? error, CancellationToken cancellationToken)
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
                return (await writer.Commit(commit).ConfigureAwait(false)).AppliedDeliveries.Count > 0;
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
}
