using System.Collections.Immutable;

namespace AgentPlatform.Conversations;

/// <summary>
/// What one webhook body says about one conversation: everything in it is committed together, before the platform gets its 200.
/// </summary>
[GenerateSerializer, Immutable, Alias("conversations.inbound-batch.v1")]
public sealed record InboundBatch
{
    /// <summary>The tenant and channel that the webhook was authenticated for.</summary>
    [Id(0)] public required Guid OrganizationId { get; init; }
    [Id(1)] public required Guid ChannelId { get; init; }

    /// <summary>Who writes, as far as this body tells.</summary>
    [Id(2)] public required InboundContact Contact { get; init; }
    [Id(3)] public ImmutableArray<InboundMessage> Messages { get; init; } = [];

    /// <summary>W3C trace parent of the webhook request, so that the reply can be followed by the same id.</summary>
    [Id(4)] public string? TraceParent { get; init; }
}

/// <summary>A person as the platform names them. At least one of the identities is the key of the grain that receives the batch.</summary>
[GenerateSerializer, Immutable, Alias("conversations.inbound-contact.v1")]
public sealed record InboundContact
{
    /// <summary>Every name in the body, best first: WhatsApp's business-scoped user id, then <c>wa_id</c>; Telegram's chat id; a visitor's id.</summary>
    [Id(0)] public required ImmutableArray<string> Identities { get; init; }
    [Id(1)] public string? Name { get; init; }
    [Id(2)] public string? Username { get; init; }

    /// <summary>E.164 with a plus sign, when the platform tells it.</summary>
    [Id(3)] public string? Phone { get; init; }

    /// <summary>BCP 47, when the platform tells it.</summary>
    [Id(4)] public string? Language { get; init; }
    [Id(5)] public string? Email { get; init; }

    /// <summary>False when the platform says that the person can't be written to any more (blocked us); true when they can again; null when it says nothing.</summary>
    [Id(6)] public bool? IsReachable { get; init; }

    /// <summary>
    /// Names that are not this person's any more: another number, another business-scoped id, a group that became a supergroup. They may be somebody else's next. Those of
    /// <see cref="Identities"/> that are not among them are the person's.
    /// </summary>
    [Id(7)] public ImmutableArray<string> GivenUp { get; init; } = [];

    /// <summary>True for a group of people: nobody in it is answered in private.</summary>
    [Id(8)] public bool IsGroup { get; init; }
}

/// <summary>One message as it came in, in the platform's words turned into ours.</summary>
[GenerateSerializer, Immutable, Alias("conversations.inbound-message.v1")]
public sealed record InboundMessage
{
    /// <summary>The platform's id, by which a second delivery of the same message is known. Unique in the channel.</summary>
    [Id(0)] public required string PlatformMessageId { get; init; }

    /// <summary>One of <see cref="ContentTypes"/>.</summary>
    [Id(1)] public required string ContentType { get; init; }

    /// <summary>What a person reads: the text, a caption, a button's title, a reaction's emoji.</summary>
    [Id(2)] public string? Text { get; init; }

    /// <summary>A link, or the platform's media id as <c>media:{id}</c>.</summary>
    [Id(3)] public string? AttachmentUrl { get; init; }

    /// <summary>JSON object: <c>mediaId</c>, <c>mimeType</c>, <c>sha256</c>, <c>filename</c>, <c>size</c>, <c>duration</c> … as known.</summary>
    [Id(4)] public string? AttachmentMetadata { get; init; }

    /// <summary>JSON object: what text can't say (coordinates, button id, the raw message of an unknown type).</summary>
    [Id(5)] public string? Payload { get; init; }
    [Id(6)] public string? ReplyToPlatformId { get; init; }
    [Id(7)] public DateTimeOffset? PlatformTimestamp { get; init; }

    /// <summary>
    /// True for what the business itself wrote elsewhere (the phone app, another tool). Where a person says something with it (<see cref="ContentTypes.IsSaid"/>), it takes the
    /// conversation over, as a member's own message does.
    /// </summary>
    [Id(8)] public bool IsEcho { get; init; }

    // Id 9 told whether an answer is expected; the kind of content says so now.

    /// <summary>True for an echo that no person wrote at that moment: an away message, a greeting, another bot's.</summary>
    [Id(10)] public bool IsAutomatic { get; init; }

    /// <summary>True for what no customer of ours says, though it stands in the conversation: a channel's post in its discussion group. Stored, and nothing else.</summary>
    [Id(11)] public bool IsSilent { get; init; }

    /// <summary>The platform's name of the album that this is a part of: all parts are one message.</summary>
    [Id(12)] public string? AlbumId { get; init; }

    /// <summary>True when this is no message but the present content of the one that <see cref="PlatformMessageId"/> names: a location that moves.</summary>
    [Id(13)] public bool IsUpdate { get; init; }
}

/// <summary>A delivery receipt of one of our messages.</summary>
[GenerateSerializer, Immutable, Alias("conversations.delivery-receipt.v1")]
public sealed record DeliveryReceipt
{
    [Id(0)] public required string PlatformMessageId { get; init; }

    /// <summary><c>Sent</c>, <c>Delivered</c>, <c>Read</c> or <c>Failed</c>.</summary>
    [Id(1)] public required MessageStatus Status { get; init; }

    /// <summary>Our message id, where the platform carries it back (WhatsApp's <c>biz_opaque_callback_data</c>).</summary>
    [Id(2)] public Guid? MessageId { get; init; }
    [Id(3)] public DateTimeOffset? At { get; init; }

    /// <summary>The platform's error code and text, for <c>Failed</c>.</summary>
    [Id(4)] public string? ErrorCode { get; init; }
    [Id(5)] public string? Error { get; init; }

    /// <summary>What narrows the platform's code down, where it tells it.</summary>
    [Id(6)] public string? ErrorSubcode { get; init; }
}

/// <summary>What became of a batch.</summary>
/// <param name="Stored">Messages stored by this call.</param>
/// <param name="Duplicates">Messages that were stored before.</param>
[GenerateSerializer, Immutable, Alias("conversations.receive-result.v1")]
public readonly record struct ReceiveResult([property: Id(0)] int Stored, [property: Id(1)] int Duplicates);
