using System.Collections.Immutable;
using AgentPlatform.Channels;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Conversations;
using AgentPlatform.Grains.Live;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Delivery;

/// <summary>
/// Writes what a platform says about messages of ours, and does what a failure asks for, the same as if it had been the answer to the send. The conversation is told
/// only where it has the message in hand still; all else needs no grain.
/// </summary>
internal sealed partial class Receipts(
    ConversationWriter writer, EarlyReceipts early, IChannelDirectory channels, ChannelConnectors connectors, IGrainFactory grains, LiveSignals live, IOptions<DeliveryOptions> options, TimeProvider clock,
    ILogger<Receipts> logger)
{
    /// <summary>Longest part of a platform's words in a contact's reason, in characters.</summary>
    private const int MaxSaidLength = 500;

    private readonly LogBudget _unfound = new(clock);

    /// <summary>Why a person can't be written to, for people: in plain words, then in the platform's own.</summary>
    public static string ReasonOf(string? plain, string? said, string? code)
    {
        var own = JoinSaid(said is { Length: > MaxSaidLength } ? said[..(char.IsHighSurrogate(said[MaxSaidLength - 1]) ? MaxSaidLength - 1 : MaxSaidLength)] : said, code);
        return plain is null ? own ?? "The platform says that this person can't be reached." : own is null ? plain : $"{plain} ({own})";
    }

    /// <summary>Records what a webhook said about messages of a channel.</summary>
    /// <exception cref="StorageUnavailableException">Postgres is away. What is recorded already is not recorded twice.</exception>
    public async Task Record(ChannelSettings channel, ImmutableArray<DeliveryReceipt> receipts)
    {
        try
        {
            await RecordAll(channel, receipts).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is StorageAwayException || PostgresFailures.IsUnavailable(failure))
        {
            throw new StorageUnavailableException("Postgres can't be reached, or ended the connection.", failure);
        }
    }

    /// <summary>Records receipts that had come too early, and forgets them.</summary>
    /// <exception cref="StorageUnavailableException">Postgres is away. They are still there.</exception>
    public async Task Apply(IReadOnlyList<EarlyReceipt> receipts)
    {
        foreach (var group in receipts.GroupBy(static receipt => receipt.ChannelId))
        {
            if (await channels.Find(group.Key, CancellationToken.None).ConfigureAwait(false) is { } channel)
            {
                await Record(channel, [.. group.Select(static receipt => new DeliveryReceipt
                {
                    PlatformMessageId = receipt.PlatformMessageId,
                    Status = EnumText<MessageStatus>.Parse(receipt.Status),
                    MessageId = receipt.MessageId,
                    At = receipt.At,
                    ErrorCode = receipt.ErrorCode,
                    ErrorSubcode = receipt.ErrorSubcode,
                    Error = receipt.Error,
                })]).ConfigureAwait(false);
            }
            await early.Forget(group.Key, [.. group.Select(static receipt => receipt.PlatformMessageId)], CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Records receipts that missed their send by a moment; returns how many there were.</summary>
    public async Task<int> ApplyMissed(int limit)
    {
        var missed = await early.FindMissed(limit, CancellationToken.None).ConfigureAwait(false);
        await Apply(missed).ConfigureAwait(false);
        return missed.Count;
    }

    private async Task RecordAll(ChannelSettings channel, ImmutableArray<DeliveryReceipt> receipts)
    {
        var now = clock.GetUtcNow();
        var connector = connectors.For(channel.Platform);
        var verdicts = receipts.Select(receipt => receipt.Status == MessageStatus.Failed ? connector.Judge(new PlatformError(receipt.ErrorCode, receipt.ErrorSubcode, receipt.Error)) : default).ToArray();
        var outcome = await writer.Commit(new ConversationCommit
        {
            ConversationId = Guid.Empty,
            OrganizationId = channel.OrganizationId,
            ChannelId = channel.Id,
            ContactId = Guid.Empty,
            Deliveries = [.. receipts.Select((receipt, index) => new DeliveryChange
            {
                MessageId = receipt.MessageId,
                PlatformMessageId = receipt.PlatformMessageId,
                Status = EnumText<MessageStatus>.Of(receipt.Status),
                ErrorCode = receipt.ErrorCode,
                Error = receipt.Error,
                // A platform's clock that is ahead of ours must not date what happened into the future.
                At = receipt.At is { } at && at < now ? at : now,
                IsReceipt = true,
                AgainBelowAttempts = receipt.Status == MessageStatus.Failed && GoesBack(verdicts[index].Outcome) ? options.Value.MaxAttempts : null,
            })],
        }).ConfigureAwait(false);

        foreach (var moved in outcome.Moved)
        {
            live.Changed(channel.OrganizationId, moved.ConversationId);
            if (receipts[moved.Index].Status == MessageStatus.Failed)
            {
                await Fail(channel, receipts[moved.Index], verdicts[moved.Index], moved).ConfigureAwait(false);
            }
        }
        await KeepEarly(channel, [.. outcome.Unfound.Select(index => receipts[index])]).ConfigureAwait(false);
        foreach (var conversation in outcome.Moved.Where(static moved => moved.Identity is not null).GroupBy(static moved => moved.Identity!))
        {
            // One way: nobody waits for a conversation, which may itself wait for receipts to be taken.
            await grains.GetGrain<IConversationWork>(new ConversationKey(channel.Id, conversation.Key).ToString()).Moved([.. conversation.Select(moved => new MovedMessage
            {
                MessageId = moved.MessageId,
                Status = EnumText<MessageStatus>.Parse(moved.Status),
                IsTooFast = receipts[moved.Index].Status == MessageStatus.Failed && verdicts[moved.Index].Outcome == SendOutcome.PairThrottled,
                UnreachableReason = Unreachable(receipts[moved.Index], verdicts[moved.Index], moved),
            })]).ConfigureAwait(false);
        }
    }

    /// <summary>What a failure asks for beyond its message.</summary>
    private async Task Fail(ChannelSettings channel, DeliveryReceipt receipt, PlatformVerdict verdict, MovedDelivery moved)
    {
        LogFailedLater(logger, moved.MessageId, channel.Id, receipt.ErrorCode, moved.Status);
        var own = grains.GetGrain<IChannelGrain>(channel.Id);
        if (verdict.Outcome == SendOutcome.ChannelBroken && !moved.IsChannelChanged)
        {
            await own.ReportTrouble(receipt.ErrorCode ?? "broken", receipt.Error ?? "The platform refuses the channel.", verdict.Trouble.ToString()).ConfigureAwait(false);
        }
        else if (verdict.Outcome == SendOutcome.Throttled)
        {
            await own.ReportThrottled(options.Value.FirstRetry).ConfigureAwait(false);
        }
        else if (Unreachable(receipt, verdict, moved) is { } reason)
        {
            await writer.Commit(new ConversationCommit
            {
                ConversationId = moved.ConversationId,
                OrganizationId = channel.OrganizationId,
                ChannelId = channel.Id,
                ContactId = moved.ContactId,
                ContactNews = new ContactNews { UnreachableReason = reason },
            }).ConfigureAwait(false);
        }
    }

    private async Task KeepEarly(ChannelSettings channel, IReadOnlyList<DeliveryReceipt> unfound)
    {
        if (unfound.Count == 0)
        {
            return;
        }
        foreach (var receipt in unfound)
        {
            if (_unfound.Permits(channel.Id, out var silenced))
            {
                LogUnfound(logger, channel.Id, receipt.PlatformMessageId, receipt.Status, silenced);
            }
        }
        // That it was sent is what a send says itself.
        EarlyReceipt[] kept = [.. unfound.Where(static receipt => receipt.Status != MessageStatus.Sent).Select(receipt => new EarlyReceipt
        {
            OrganizationId = channel.OrganizationId,
            ChannelId = channel.Id,
            PlatformMessageId = receipt.PlatformMessageId,
            MessageId = receipt.MessageId,
            Status = EnumText<MessageStatus>.Of(receipt.Status),
            ErrorCode = receipt.ErrorCode,
            ErrorSubcode = receipt.ErrorSubcode,
            Error = receipt.Error,
            At = receipt.At,
        })];
        if (kept.Length > 0)
        {
            await early.Keep(kept, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static bool GoesBack(SendOutcome outcome) => outcome is SendOutcome.ChannelBroken or SendOutcome.Throttled or SendOutcome.PairThrottled or SendOutcome.Passing;

    private static string? Unreachable(DeliveryReceipt receipt, PlatformVerdict verdict, MovedDelivery moved) =>
        receipt.Status == MessageStatus.Failed && moved.Status == "failed" && verdict.Outcome == SendOutcome.Unreachable ? ReasonOf(verdict.Reason, receipt.Error, receipt.ErrorCode) : null;

    private static string? JoinSaid(string? said, string? code) => (said, code) switch
    {
        (null, null) => null,
        (null, _) => code,
        (_, null) => said,
        _ => said.Contains(code, StringComparison.Ordinal) ? said : $"{code}: {said}",
    };

    [LoggerMessage(EventId = 2211, Level = LogLevel.Warning,
        Message = "Channel {ChannelId} got a receipt ({Status}) for message {PlatformMessageId}, which nobody here sent, or has sent to its end yet; it is kept for some minutes ({Silenced} like it were not told of)")]
    private static partial void LogUnfound(ILogger logger, Guid channelId, string platformMessageId, MessageStatus status, int silenced);

    [LoggerMessage(EventId = 2212, Level = LogLevel.Debug, Message = "The platform says of message {MessageId} of channel {ChannelId} that it failed after all: {ErrorCode}; it is {Status} now")]
    private static partial void LogFailedLater(ILogger logger, Guid messageId, Guid channelId, string? errorCode, string status);
}
