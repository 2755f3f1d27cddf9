using System.Collections.Immutable;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;

namespace AgentPlatform.Grains.Channels;

/// <summary>
/// Speaks to one platform. Stateless: whatever must survive a crash is a row. Runs outside the grain's turn.
/// </summary>
public interface IChannelConnector
{
    /// <summary>The value of <c>channels.platform</c>.</summary>
    string Platform { get; }

    /// <summary>
    /// Cuts content into the messages that the platform accepts, in order: text at sentence ends within the length limit, choices as buttons or
    /// a list. Returns an error to show when it can't be sent at all.
    /// </summary>
    ContentParts Prepare(OutgoingContent content);

    /// <summary>
    /// Sends one message. Never throws for what the platform or the network answers: see <see cref="SendResult"/>.
    /// Throws <see cref="OperationCanceledException"/> only when <paramref name="cancellationToken"/> is cancelled.
    /// </summary>
    Task<SendResult> Send(ChannelSettings channel, OutboundMessage message, CancellationToken cancellationToken);

    /// <summary>Best effort: tells the platform that the last message was read, and that an answer is being written.</summary>
    Task MarkReadAndTyping(ChannelSettings channel, string recipient, string platformMessageId, bool typing, CancellationToken cancellationToken);

    /// <summary>What an error means that a receipt tells: the same as in an answer to <see cref="Send"/>.</summary>
    PlatformVerdict Judge(in PlatformError error) => new(SendOutcome.Permanent);

    /// <summary>
    /// Whether the platform takes the channel's credentials for those of the account that the channel names; null where it could not be asked, or where the channel speaks with
    /// something else than the platform itself.
    /// </summary>
    Task<bool?> ConfirmAccount(ChannelSettings channel, CancellationToken cancellationToken) => Task.FromResult<bool?>(null);

    /// <summary>Default sends a second for one channel.</summary>
    double SendRatePerSecond { get; }

    /// <summary>Rate to one person: sends in a burst, and seconds until one more is allowed.</summary>
    (int Burst, TimeSpan Refill) PairLimit { get; }

    /// <summary>True when the platform carries our message id back in its receipts, so that a doubtful send can be settled by waiting.</summary>
    bool ReportsCorrelation { get; }

    /// <summary>How long after the customer's last message free text may be sent; null for always (WhatsApp: 24 hours).</summary>
    TimeSpan? ServiceWindow { get; }
}

/// <summary>The messages that one content becomes, or why it can't be sent.</summary>
public sealed record ContentParts(ImmutableArray<PreparedContent> Parts, string? Error = null);

/// <summary>One message as it will be stored and sent.</summary>
/// <param name="ContentType">One of <see cref="ContentTypes"/>.</param>
/// <param name="Payload">JSON object for what text can't say: buttons, rows.</param>
public sealed record PreparedContent(string ContentType, string? Text, string? AttachmentUrl = null, string? AttachmentMetadata = null, string? Payload = null);

/// <summary>A stored message on its way out.</summary>
public sealed record OutboundMessage
{
    public required Guid MessageId { get; init; }

    /// <summary>The platform's name of the person: <c>wa_id</c> or business-scoped id, chat id, visitor id.</summary>
    public required string Recipient { get; init; }
    public required PreparedContent Content { get; init; }
    public string? ReplyToPlatformId { get; init; }
    public int Attempt { get; init; }
}

/// <summary>How a send ended.</summary>
/// <param name="PlatformMessageId">For <see cref="SendOutcome.Sent"/>.</param>
/// <param name="RetryAfter">For <see cref="SendOutcome.Throttled"/> and <see cref="SendOutcome.Passing"/>: how long the platform asks to wait.</param>
public readonly record struct SendResult(SendOutcome Outcome, string? PlatformMessageId = null, string? ErrorCode = null, string? Error = null, TimeSpan? RetryAfter = null)
{
    /// <summary>For <see cref="SendOutcome.ChannelBroken"/>: what people can do about it.</summary>
    public ChannelTrouble Trouble { get; init; }

    /// <summary>The platform says that the recipient goes by this name now: a group that became a supergroup.</summary>
    public string? MovedTo { get; init; }

    /// <summary>For <see cref="SendOutcome.Unreachable"/>: why the person can't be written to, in plain words.</summary>
    public string? Reason { get; init; }
}

/// <summary>What to do after a send.</summary>
public enum SendOutcome
{
    /// <summary>Accepted by the platform.</summary>
    Sent,

    /// <summary>The channel sends too fast: all of it waits.</summary>
    Throttled,

    /// <summary>Too fast to this person: only this conversation waits.</summary>
    PairThrottled,

    /// <summary>Will pass: try again. The platform has certainly not accepted it.</summary>
    Passing,

    /// <summary>Nobody knows whether it was accepted: a time-out, a broken connection after the request was written.</summary>
    Doubtful,

    /// <summary>This message will never be accepted.</summary>
    Permanent,

    /// <summary>This person can't be written to any more (blocked us, gone).</summary>
    Unreachable,

    /// <summary>The channel itself is refused: stop its queue and tell the tenant.</summary>
    ChannelBroken,
}
