using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// What a decision wants done: the commit, the state that it leads to, and what starts once the commit is durable. A plan that is not
/// committed leaves no trace.
/// </summary>
internal sealed record ConversationPlan
{
    public required ConversationState Next { get; init; }
    public required ConversationCommit Commit { get; init; }

    /// <summary>Messages that wait to be sent after the commit.</summary>
    public IReadOnlyList<OutboxItem> ToSend { get; init; } = [];

    /// <summary>True when waiting messages of the AI are withdrawn by this commit.</summary>
    public bool WithdrawsAiMessages { get; init; }

    /// <summary>True when a turn under way has to stop: its messages are out of date, or a person took over.</summary>
    public bool StopsTurn { get; init; }

    /// <summary>The first message that waits for the next turn, because the one under way is not restarted; 0 when there is none.</summary>
    public long QueuedFrom { get; init; }
}

/// <summary>A stored message of ours that the platform has not accepted yet.</summary>
internal sealed class OutboxItem
{
    public required Guid MessageId { get; init; }
    public required long Sequence { get; init; }
    public required bool IsAi { get; init; }
    public required PreparedContent Content { get; init; }
    public string? ReplyToPlatformId { get; init; }

    /// <summary>The trace of the message that this answers.</summary>
    public string? TraceId { get; init; }

    /// <summary>Tries so far.</summary>
    public int Attempts { get; set; }

    /// <summary>True when nobody knows whether the platform accepted the last try.</summary>
    public bool IsDoubtful { get; set; }

    /// <summary>Since when a receipt is waited for that settles the doubt; null before the wait has begun.</summary>
    public DateTimeOffset? DoubtSince { get; set; }

    /// <summary>True from the moment before the platform is asked until it has certainly refused: what it says meanwhile may be about this message.</summary>
    public bool IsWithPlatform { get; set; }

    /// <summary>True when a receipt, or an echo, has told how it ended while it was still under way.</summary>
    public bool IsSettled { get; set; }

    /// <summary>True when a person wants it tried now.</summary>
    public bool IsPushed { get; set; }

    /// <summary>How often the platform asked to wait for longer than anybody waits.</summary>
    public int LongWishes { get; set; }

    /// <summary>Not before this moment; null for at once.</summary>
    public DateTimeOffset? NotBefore { get; set; }
}
