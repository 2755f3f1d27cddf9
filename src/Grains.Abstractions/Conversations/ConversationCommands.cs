using System.Collections.Immutable;

namespace AgentPlatform.Conversations;

/// <summary>The member on whose behalf a command comes; the API fills it from the access token, never from the body.</summary>
[GenerateSerializer, Immutable, Alias("conversations.actor.v1")]
public sealed record Actor
{
    [Id(0)] public required Guid OrganizationId { get; init; }

    /// <summary>Null for the system.</summary>
    [Id(1)] public Guid? UserId { get; init; }
    [Id(2)] public string? IpAddress { get; init; }

    /// <summary>What the client says it is.</summary>
    [Id(3)] public string? UserAgent { get; init; }

    /// <summary>The API key that acts for the person; null for the person.</summary>
    [Id(4)] public Guid? ApiKeyId { get; init; }
}

/// <summary>A message to the customer, written by a person or through the API. It takes the conversation over.</summary>
[GenerateSerializer, Immutable, Alias("conversations.send-message.v1")]
public sealed record SendMessage
{
    /// <summary>Made by the caller; the same id twice sends once.</summary>
    [Id(0)] public required Guid MessageId { get; init; }
    [Id(1)] public required OutgoingContent Content { get; init; }
    [Id(2)] public required Actor Actor { get; init; }
}

/// <summary>What goes out: text, media by link, or text with choices.</summary>
[GenerateSerializer, Immutable, Alias("conversations.outgoing-content.v1")]
public sealed record OutgoingContent
{
    [Id(0)] public string? Text { get; init; }

    /// <summary><see cref="ContentTypes.Image"/>, <c>audio</c>, <c>video</c> or <c>document</c>, with <see cref="MediaUrl"/>; null for text.</summary>
    [Id(1)] public string? MediaType { get; init; }
    [Id(2)] public string? MediaUrl { get; init; }
    [Id(3)] public string? MediaFilename { get; init; }

    /// <summary>Choices offered below the text: buttons while the platform's limit allows, a list beyond.</summary>
    [Id(4)] public ImmutableArray<Choice> Choices { get; init; } = [];
}

/// <summary>One button or list row. Platforms cut long ones: see each connector's limits.</summary>
[GenerateSerializer, Immutable, Alias("conversations.choice.v1")]
public sealed record Choice([property: Id(0)] string Id, [property: Id(1)] string Title, [property: Id(2)] string? Description = null);

/// <summary>A change of who handles the conversation, or of where it stands.</summary>
[GenerateSerializer, Immutable, Alias("conversations.change.v1")]
public sealed record ConversationChange
{
    [Id(0)] public required ConversationAction Action { get; init; }
    [Id(1)] public required Actor Actor { get; init; }

    /// <summary>For <see cref="ConversationAction.Assign"/>: the member, or null to unassign. For <see cref="ConversationAction.Vacate"/>: who is gone.</summary>
    [Id(2)] public Guid? AssigneeId { get; init; }

    /// <summary>For <see cref="ConversationAction.Note"/>: the text of the internal note.</summary>
    [Id(3)] public string? Text { get; init; }

    /// <summary>For <see cref="ConversationAction.Note"/>: the id of the note, made by the caller.</summary>
    [Id(4)] public Guid? MessageId { get; init; }

    /// <summary>The versions of which one must be the present one, when the caller wants a concurrent change refused (<c>If-Match</c>); none for any.</summary>
    [Id(7)] public ImmutableArray<long> ExpectedVersions { get; init; } = [];

    /// <summary>For <see cref="ConversationAction.Note"/>: the members whom the note names, who are told.</summary>
    [Id(6)] public ImmutableArray<Guid> Mentions { get; init; } = [];
}

/// <summary>What a member can do to a conversation.</summary>
public enum ConversationAction
{
    /// <summary>A person answers from now on: raises the epoch, cancels the turn under way.</summary>
    TakeOver,

    /// <summary>Gives the conversation back to the AI.</summary>
    Release,
    Assign,

    /// <summary>Status <c>completed</c>.</summary>
    Resolve,

    /// <summary>Status <c>active</c> again.</summary>
    Reopen,
    Archive,
    Note,

    /// <summary>Sets the unread count to zero, and tells the platform that the last message was read.</summary>
    MarkRead,

    /// <summary>AI on or off for this contact.</summary>
    EnableAi,
    DisableAi,

    /// <summary>
    /// Whoever it is assigned to (<see cref="ConversationChange.AssigneeId"/>) is no active member any more: it is nobody's, and <c>escalated</c> if that person answered.
    /// Nothing happens where it is somebody else's by now.
    /// </summary>
    Vacate,

    /// <summary>The contact is muted: no AI, no notifications. Messages still count as unread.</summary>
    Mute,
    Unmute,

    /// <summary>The contact is blocked: messages are kept, never answered, never counted, and nothing is sent.</summary>
    Block,
    Unblock,
}

/// <summary>The conversation after a command.</summary>
[GenerateSerializer, Immutable, Alias("conversations.view.v1")]
public sealed record ConversationView
{
    [Id(0)] public required Guid Id { get; init; }
    [Id(1)] public required Guid OrganizationId { get; init; }
    [Id(2)] public required long Version { get; init; }
    [Id(3)] public required int Epoch { get; init; }
    [Id(4)] public required ConversationStatus Status { get; init; }
    [Id(5)] public required ManagedBy ManagedBy { get; init; }
    [Id(6)] public Guid? AssignedTo { get; init; }
    [Id(7)] public required bool AiEnabled { get; init; }
    [Id(8)] public required long LastSequence { get; init; }
    [Id(9)] public required int UnreadCount { get; init; }
}

/// <summary>What became of a command.</summary>
[GenerateSerializer, Immutable, Alias("conversations.command-result.v1")]
public sealed record CommandResult
{
    [Id(0)] public required CommandOutcome Outcome { get; init; }
    [Id(1)] public ConversationView? Conversation { get; init; }

    /// <summary>For a message or a note: its id and sequence.</summary>
    [Id(2)] public Guid? MessageId { get; init; }
    [Id(3)] public long? Sequence { get; init; }

    /// <summary>For a refusal: what is wrong, fit to be shown.</summary>
    [Id(4)] public string? Reason { get; init; }
}

/// <summary>How a command ended; the API maps each to a status code.</summary>
public enum CommandOutcome
{
    Done,

    /// <summary>No such conversation in the actor's organization.</summary>
    NotFound,

    /// <summary>The version named is not the current one.</summary>
    VersionConflict,

    /// <summary>The content can't be sent on this platform.</summary>
    Invalid,

    /// <summary>The platform forbids it now (WhatsApp's 24 hour window, a contact who blocked us).</summary>
    Refused,
}
