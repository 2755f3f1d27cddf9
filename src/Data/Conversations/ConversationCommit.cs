namespace AgentPlatform.Data.Conversations;

/// <summary>
/// Everything that one step of a conversation changes. It is written whole or not at all; many conversations' commits share a transaction.
/// </summary>
public sealed record ConversationCommit
{
    public required Guid ConversationId { get; init; }
    public required Guid OrganizationId { get; init; }
    public required Guid ChannelId { get; init; }
    public required Guid ContactId { get; init; }

    /// <summary>The conversation's state after this commit; null when only deliveries move (they need no version, they only go forward).</summary>
    public ConversationAdvance? Advance { get; init; }

    /// <summary>Set on the first message of a contact: contact, client and conversation are made in the same commit.</summary>
    public NewContact? NewContact { get; init; }

    /// <summary>What the platform newly told about a known contact.</summary>
    public ContactNews? ContactNews { get; init; }

    /// <summary>Messages to insert, in order of their sequence. Needs <see cref="Advance"/>.</summary>
    public IReadOnlyList<NewMessage> Messages { get; init; } = [];

    /// <summary>The turn that this commit starts, changes or ends. Needs <see cref="Advance"/>.</summary>
    public TurnRow? Turn { get; init; }

    /// <summary>Deliveries that move forward.</summary>
    public IReadOnlyList<DeliveryChange> Deliveries { get; init; } = [];

    /// <summary>Stored messages whose content changed at the platform. Needs <see cref="Advance"/>.</summary>
    public IReadOnlyList<MessageAmendment> Amendments { get; init; } = [];

    /// <summary>A row for <c>activity_logs</c>. Needs <see cref="Advance"/>.</summary>
    public AuditEntry? Audit { get; init; }

    /// <summary>True when this commit ends the conversation's first completed turn of a month: it counts as one of the month's conversations.</summary>
    public bool CountsConversation { get; init; }
}

/// <summary>The hot columns of <c>conversations</c> and <c>contacts</c> after a commit.</summary>
public sealed record ConversationAdvance
{
    /// <summary>The version that was read; the commit makes it one more. 0 for a conversation that <see cref="NewContact"/> makes.</summary>
    public required long ExpectedVersion { get; init; }
    public required string Status { get; init; }
    public required string ManagedBy { get; init; }
    public Guid? AssignedTo { get; init; }
    public required int Epoch { get; init; }
    public required long LastSequence { get; init; }
    public DateTimeOffset? LastMessageAt { get; init; }
    public DateTimeOffset? LastInboundAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public required bool AiEnabled { get; init; }

    /// <summary>The contact's summary, as the seeds' <c>update_contact_summary_on_message</c> keeps it.</summary>
    public DateTimeOffset? LastInteractionAt { get; init; }
    public string? LastMessagePreview { get; init; }
    public required int UnreadCount { get; init; }

    /// <summary>The month (its first day, UTC) in which the conversation was last counted.</summary>
    public DateOnly? CountedMonth { get; init; }

    /// <summary>True when a person has read all messages: marks them read.</summary>
    public bool MarksRead { get; init; }
}

/// <summary>A contact met for the first time.</summary>
public sealed record NewContact
{
    public required string Platform { get; init; }

    /// <summary>With the channel the key of the conversation's grain; never changes.</summary>
    public required string FirstIdentity { get; init; }

    /// <summary>All names known, and by which of them the person is written to.</summary>
    public required IReadOnlyList<string> Identities { get; init; }
    public required string PlatformUserId { get; init; }
    public bool IsGroup { get; init; }
    public string? Name { get; init; }
    public string? Username { get; init; }
    public string? Phone { get; init; }
    public string? Language { get; init; }
}

/// <summary>What changed about a known contact; null members stay as they are.</summary>
public sealed record ContactNews
{
    public IReadOnlyList<string> NewIdentities { get; init; } = [];

    /// <summary>Names that are not the person's any more, and since when.</summary>
    public IReadOnlyList<(string Identity, DateTimeOffset At)> GivenUp { get; init; } = [];

    /// <summary>The name that answers go to from now on.</summary>
    public string? PlatformUserId { get; init; }

    /// <summary>What the platform calls the person; a name that people gave stays.</summary>
    public string? Name { get; init; }
    public string? Username { get; init; }
    public string? Phone { get; init; }

    /// <summary>Set when the platform says that the person can't be written to; the empty string clears it.</summary>
    public string? UnreachableReason { get; init; }
    public bool? IsMuted { get; init; }
    public bool? IsBlocked { get; init; }
}

/// <summary>What a stored message of the same conversation holds now.</summary>
public sealed record MessageAmendment
{
    /// <summary>The message, by the platform's id.</summary>
    public required string PlatformMessageId { get; init; }
    public required AmendmentKind Kind { get; init; }

    /// <summary>For all but <see cref="AmendmentKind.Delete"/>.</summary>
    public string? Text { get; init; }
    public string? AttachmentUrl { get; init; }
    public string? AttachmentMetadata { get; init; }
    public string? Payload { get; init; }

    /// <summary>For <see cref="AmendmentKind.Attach"/>: JSON object of the part, with its <c>platformMessageId</c>, by which it is attached once.</summary>
    public string? Attachment { get; init; }

    /// <summary>An older edit changes nothing after a newer one.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>How a stored message changes.</summary>
public enum AmendmentKind
{
    /// <summary>Somebody corrected it; it is marked.</summary>
    Edit,

    /// <summary>Somebody took it back: its content goes, and it is marked.</summary>
    Delete,

    /// <summary>The same thing, further on: a location that moves.</summary>
    Update,

    /// <summary>Another part of its album; its text, if the message has none.</summary>
    Attach,
}

/// <summary>A row for <c>messages</c>.</summary>
public sealed record NewMessage
{
    public required Guid Id { get; init; }
    public required long Sequence { get; init; }
    public required string Direction { get; init; }
    public required string SenderType { get; init; }
    public Guid? SenderId { get; init; }
    public Guid? TurnId { get; init; }
    public required string ContentType { get; init; }
    public required string Status { get; init; }
    public string? Text { get; init; }
    public string? AttachmentUrl { get; init; }
    public string? AttachmentMetadata { get; init; }
    public string? Payload { get; init; }
    public string? PlatformMessageId { get; init; }
    public string? ReplyToPlatformId { get; init; }
    public DateTimeOffset? PlatformTimestamp { get; init; }

    /// <summary>When it was said.</summary>
    public required DateTimeOffset SentAt { get; init; }

    /// <summary>True for what nobody has to read: it doesn't count as unread.</summary>
    public bool IsRead { get; init; }
}

/// <summary>A row of <c>turns</c>, inserted or overwritten by id.</summary>
public sealed record TurnRow
{
    public required Guid Id { get; init; }
    public Guid? AgentId { get; init; }
    public Guid? InstanceId { get; init; }
    public required string State { get; init; }
    public required int Attempt { get; init; }
    public required int Epoch { get; init; }
    public required long FirstSequence { get; init; }
    public required long LastSequence { get; init; }
    public required DateTimeOffset DueAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public string? Outcome { get; init; }
    public string? Responder { get; init; }
    public string? Provider { get; init; }
    public string? Model { get; init; }
    public Guid? PromptVariantId { get; init; }
    public string? Prompt { get; init; }
    public string? Passages { get; init; }
    public string? ToolCalls { get; init; }
    public int InputTokens { get; init; }
    public int OutputTokens { get; init; }
    public bool TokensEstimated { get; init; }
    public decimal Cost { get; init; }
    public string? Timings { get; init; }
    public string? Error { get; init; }
    public string? TraceId { get; init; }
}

/// <summary>One of our messages on its way. Applied only when it moves the message forward (or back to waiting after a failed try).</summary>
public sealed record DeliveryChange
{
    /// <summary>Our id; null when a receipt names only the platform's.</summary>
    public Guid? MessageId { get; init; }
    public string? PlatformMessageId { get; init; }
    public required string Status { get; init; }
    public string? ErrorCode { get; init; }
    public string? Error { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>True for what the platform says afterwards; false for what the sender itself knows.</summary>
    public bool IsReceipt { get; init; }

    /// <summary>A failure that passes: the message goes back to waiting as long as it was tried fewer times; null for one that is final.</summary>
    public int? AgainBelowAttempts { get; init; }
}

/// <summary>Who changed what: a row for <c>activity_logs</c>.</summary>
public sealed record AuditEntry(Guid Id, Guid? UserId, string ActionType, string? Before, string? After, string? IpAddress)
{
    /// <summary>What the client says it is.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The API key that acted for the person.</summary>
    public Guid? ApiKeyId { get; init; }
}

/// <summary>What became of a commit.</summary>
public enum CommitStatus
{
    Committed,

    /// <summary>Somebody else committed this conversation since it was read: nothing was written.</summary>
    Conflict,

    /// <summary>Some of the messages are stored already: nothing was written, <see cref="CommitOutcome.Duplicates"/> names them.</summary>
    Duplicate,
}

/// <summary>The outcome of a commit.</summary>
/// <param name="Duplicates">Platform message ids that are stored already.</param>
/// <param name="AppliedDeliveries">Indexes of <see cref="ConversationCommit.Deliveries"/> that moved a message.</param>
public readonly record struct CommitOutcome(CommitStatus Status, IReadOnlyList<string> Duplicates, IReadOnlyList<int> AppliedDeliveries)
{
    /// <summary>Platform ids of messages that <see cref="ConversationCommit.Amendments"/> found.</summary>
    public IReadOnlyList<string> Amended { get; init; } = [];

    /// <summary>What lists show of the conversation after an amendment; null when nothing was amended.</summary>
    public string? Preview { get; init; }

    /// <summary>The messages that moved, one for each of <see cref="AppliedDeliveries"/>.</summary>
    public IReadOnlyList<MovedDelivery> Moved { get; init; } = [];

    /// <summary>Indexes of receipts that found no message, or none whose present try they are about.</summary>
    public IReadOnlyList<int> Unfound { get; init; } = [];

    /// <summary>Receipts that came before the send that this commit records.</summary>
    public IReadOnlyList<EarlyReceipt> Early { get; init; } = [];
}

/// <summary>A message that a delivery moved.</summary>
/// <param name="Index">Which of <see cref="ConversationCommit.Deliveries"/> moved it.</param>
/// <param name="Before">Its status before.</param>
/// <param name="Status">Its status now.</param>
/// <param name="Identity">With the channel the key of its conversation's grain; told where a receipt changes what that grain still has in hand.</param>
/// <param name="IsChannelChanged">Whether the channel was changed after the message had been sent: a failure says nothing about the channel as it is now.</param>
public sealed record MovedDelivery(int Index, Guid MessageId, Guid ConversationId, Guid ContactId, string Before, string Status, string? Identity, bool IsChannelChanged);
