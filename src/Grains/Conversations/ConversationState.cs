using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// What a conversation's grain keeps in memory: the hot columns of its rows. Immutable; a decision makes the next one, which takes its place
/// once it is committed. Kept small: there are a hundred thousand of them in a silo.
/// </summary>
internal sealed record ConversationState
{
    public required Guid Id { get; init; }
    public required Guid OrganizationId { get; init; }
    public required Guid ChannelId { get; init; }
    public required Guid ContactId { get; init; }
    public Guid? AgentId { get; init; }

    /// <summary>The version to name in the next commit; 0 while nothing is stored.</summary>
    public long Version { get; init; }
    public int Epoch { get; init; }
    public ConversationStatus Status { get; init; }
    public ManagedBy ManagedBy { get; init; }
    public Guid? AssignedTo { get; init; }
    public long LastSequence { get; init; }
    public DateTimeOffset? LastMessageAt { get; init; }
    public DateTimeOffset? LastInboundAt { get; init; }
    public DateTimeOffset? LastInteractionAt { get; init; }
    public DateTimeOffset? EndedAt { get; init; }
    public string? LastMessagePreview { get; init; }
    public int UnreadCount { get; init; }
    public bool AiEnabled { get; init; } = true;

    /// <summary>The month in which the conversation was last counted: its first completed turn of a month is one of the month's conversations.</summary>
    public DateOnly? CountedMonth { get; init; }
    public string? UnreachableReason { get; init; }

    /// <summary>With the channel the key of this grain: the name that the person was first met by.</summary>
    public required string FirstIdentity { get; init; }

    /// <summary>The names that the person has.</summary>
    public required string[] Identities { get; init; }

    /// <summary>Names that the person gave up, and when: they may be somebody else's by now.</summary>
    public (string Name, DateTimeOffset At)[] FormerNames { get; init; } = [];

    /// <summary>By what the platform is told to reach the person: the newest name that is still the person's; null when there is none.</summary>
    public string? Recipient { get; init; }
    public bool IsGroup { get; init; }

    /// <summary>No AI, no notifications.</summary>
    public bool IsMuted { get; init; }

    /// <summary>Messages are kept and nothing else.</summary>
    public bool IsBlocked { get; init; }

    /// <summary>What the platform last called the person.</summary>
    public string? Name { get; init; }
    public string? Username { get; init; }
    public string? Phone { get; init; }

    /// <summary>The album whose parts were coming last.</summary>
    public AlbumState? Album { get; init; }

    /// <summary>The turn under way.</summary>
    public TurnState? Turn { get; init; }

    /// <summary>True for a name that was the person's once and is no more.</summary>
    public bool HasGivenUp(string name) => GaveUpAt(name) is not null;

    /// <summary>When the person gave a name up; null for one that is or never was the person's.</summary>
    public DateTimeOffset? GaveUpAt(string name)
    {
        foreach (var former in FormerNames)
        {
            if (former.Name == name)
            {
                return former.At;
            }
        }
        return null;
    }

    public static ConversationState From(StoredConversation stored, Guid channelId) => new()
    {
        Id = stored.Id,
        OrganizationId = stored.OrganizationId,
        ChannelId = channelId,
        ContactId = stored.ContactId,
        AgentId = stored.AgentId,
        Version = stored.Version,
        Epoch = stored.Epoch,
        Status = EnumText<ConversationStatus>.Parse(stored.Status),
        ManagedBy = EnumText<ManagedBy>.Parse(stored.ManagedBy),
        AssignedTo = stored.AssignedTo,
        LastSequence = stored.LastSequence,
        LastMessageAt = stored.LastMessageAt,
        LastInboundAt = stored.LastInboundAt,
        LastInteractionAt = stored.LastInteractionAt,
        EndedAt = stored.EndedAt,
        LastMessagePreview = stored.LastMessagePreview,
        UnreadCount = stored.UnreadCount,
        AiEnabled = stored.AiEnabled,
        CountedMonth = stored.CountedMonth,
        UnreachableReason = stored.UnreachableReason,
        FirstIdentity = stored.FirstIdentity,
        Identities = [.. stored.Identities],
        FormerNames = [.. stored.FormerNames],
        Recipient = stored.Identities.Contains(stored.PlatformUserId) ? stored.PlatformUserId : stored.Identities.Count > 0 ? stored.Identities[^1] : null,
        IsGroup = stored.IsGroup,
        IsMuted = stored.IsMuted,
        IsBlocked = stored.IsBlocked,
        Name = stored.Name,
        Username = stored.Username,
        Phone = stored.Phone,
        Turn = stored.UnfinishedTurn is { } turn
            ? new TurnState
            {
                Id = turn.Id,
                AgentId = turn.AgentId ?? Guid.Empty,
                Attempt = turn.Attempt,
                Epoch = turn.Epoch,
                FirstSequence = turn.FirstSequence,
                LastSequence = turn.LastSequence,
                DueAt = turn.DueAt,
                FirstDueAt = turn.DueAt,
                TraceId = turn.TraceId,
            }
            : null,
    };

    public ConversationAdvance ToAdvance(long expectedVersion, bool marksRead = false) => new()
    {
        ExpectedVersion = expectedVersion,
        Status = EnumText<ConversationStatus>.Of(Status),
        ManagedBy = EnumText<ManagedBy>.Of(ManagedBy),
        AssignedTo = AssignedTo,
        Epoch = Epoch,
        LastSequence = LastSequence,
        LastMessageAt = LastMessageAt,
        LastInboundAt = LastInboundAt,
        EndedAt = EndedAt,
        AiEnabled = AiEnabled,
        LastInteractionAt = LastInteractionAt,
        LastMessagePreview = LastMessagePreview,
        UnreadCount = UnreadCount,
        CountedMonth = CountedMonth,
        MarksRead = marksRead,
    };

    public ConversationView ToView() => new()
    {
        Id = Id,
        OrganizationId = OrganizationId,
        Version = Version,
        Epoch = Epoch,
        Status = Status,
        ManagedBy = ManagedBy,
        AssignedTo = AssignedTo,
        AiEnabled = AiEnabled,
        LastSequence = LastSequence,
        UnreadCount = UnreadCount,
    };
}

/// <summary>An album: its parts are one message.</summary>
/// <param name="Id">The platform's name of it.</param>
/// <param name="PlatformMessageId">The part that came first, under whose id the message is stored.</param>
internal sealed record AlbumState(string Id, string PlatformMessageId, long Sequence, bool HasText);

/// <summary>The turn under way: which messages it answers, and which try this is. A result of an older try or epoch is thrown away.</summary>
internal sealed record TurnState
{
    public required Guid Id { get; init; }
    public required Guid AgentId { get; init; }
    public required int Attempt { get; init; }
    public required int Epoch { get; init; }
    public required long FirstSequence { get; init; }
    public required long LastSequence { get; init; }

    /// <summary>When settling ends.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>When settling would have ended without the messages that came since; bounds how long fragments can put an answer off.</summary>
    public required DateTimeOffset FirstDueAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public string? TraceId { get; init; }

    public TurnRow ToRow(Guid? instanceId) => new()
    {
        Id = Id,
        AgentId = AgentId == Guid.Empty ? null : AgentId,
        InstanceId = instanceId,
        State = StartedAt is null ? "settling" : "running",
        Attempt = Attempt,
        Epoch = Epoch,
        FirstSequence = FirstSequence,
        LastSequence = LastSequence,
        DueAt = DueAt,
        StartedAt = StartedAt,
        TraceId = TraceId,
    };

    public TurnRow Ended(string state, string outcome, DateTimeOffset at) => ToRow(null) with { State = state, Outcome = outcome, FinishedAt = at };
}
