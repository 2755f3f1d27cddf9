using System.Collections.Immutable;

namespace AgentPlatform.Grains.Agents;

/// <summary>What a turn knows of its conversation.</summary>
internal sealed record ConversationContext
{
    /// <summary>The last messages, oldest first, the ones to answer among them; without internal notes and what never arrived.</summary>
    public required ImmutableArray<ContextMessage> Messages { get; init; }

    /// <summary>The first of the messages to answer; 0 for all that the customer wrote.</summary>
    public long FirstSequence { get; init; }

    /// <summary>The last of the messages to answer.</summary>
    public long LastSequence { get; init; } = long.MaxValue;

    /// <summary>What the customer is called, if known.</summary>
    public string? CustomerName { get; init; }

    /// <summary>BCP 47, as the platform or the business knows it.</summary>
    public string? CustomerLanguage { get; init; }

    /// <summary>How the conversation's last finished turn ended (<c>turns.outcome</c>); null for the first.</summary>
    public string? PreviousOutcome { get; init; }

    /// <summary>The messages to answer.</summary>
    public IEnumerable<ContextMessage> Asked => Messages.Where(message => message.IsFromCustomer && message.Sequence >= FirstSequence && message.Sequence <= LastSequence);

    /// <summary>What was said before them.</summary>
    public IEnumerable<ContextMessage> Before => Messages.Where(message => !(message.IsFromCustomer && message.Sequence >= FirstSequence && message.Sequence <= LastSequence));
}

/// <summary>One message of a conversation.</summary>
/// <param name="Sequence">Its number in the conversation.</param>
/// <param name="IsFromCustomer">False for ours, whoever wrote them.</param>
/// <param name="ContentType">A value of <see cref="AgentPlatform.Conversations.ContentTypes"/>.</param>
/// <param name="Text">Null for media without a caption.</param>
internal sealed record ContextMessage(long Sequence, bool IsFromCustomer, string ContentType, string? Text);
