using System.Collections.Immutable;
using AgentPlatform.Conversations;

namespace AgentPlatform.Grains.Agents;

/// <summary>
/// Works out the agent's answer to what came in. Runs outside the grain's turn and may take minutes; it writes nothing that a customer or
/// a member sees: the conversation's grain commits what it returns, or throws it away when it is out of date.
/// </summary>
public interface ITurnRunner
{
    /// <summary>
    /// Never throws but for cancellation: a model that fails ends in the persona's fall-back message, with the error in the record.
    /// </summary>
    Task<TurnResult> Run(TurnRequest request, CancellationToken cancellationToken);
}

/// <summary>What the agent is asked. History, contact, client and configuration are read by the runner.</summary>
public sealed record TurnRequest
{
    public required Guid TurnId { get; init; }
    public required int Attempt { get; init; }
    public required Guid OrganizationId { get; init; }
    public required Guid ChannelId { get; init; }
    public required Guid ConversationId { get; init; }
    public required Guid ContactId { get; init; }
    public Guid? ClientId { get; init; }

    /// <summary>The conversation's agent, else the channel's.</summary>
    public required Guid AgentId { get; init; }

    /// <summary>The messages to answer: the inbound ones from this sequence to <see cref="LastSequence"/>, both included.</summary>
    public required long FirstSequence { get; init; }
    public required long LastSequence { get; init; }
}

/// <summary>What the agent says and does, and the record of how it came to it.</summary>
public sealed record TurnResult
{
    /// <summary>Messages to the customer, in order; empty to stay silent.</summary>
    public ImmutableArray<OutgoingContent> Replies { get; init; } = [];

    /// <summary><c>replied</c>, <c>silent</c>, <c>escalated</c> or <c>fallback</c> (values of <c>turns.outcome</c>).</summary>
    public required string Outcome { get; init; }

    /// <summary>True to hand the conversation to people: status <c>escalated</c>, managed by a human.</summary>
    public bool Escalate { get; init; }
    public required TurnRecord Record { get; init; }
}

/// <summary>The columns of <c>turns</c> that answer "why did it say that?". JSON members are null when there is nothing to tell.</summary>
public sealed record TurnRecord
{
    /// <summary><c>model</c>, <c>built_in</c> or <c>keyword</c>.</summary>
    public required string Responder { get; init; }
    public string? Provider { get; init; }
    public string? Model { get; init; }
    public Guid? PromptVariantId { get; init; }

    /// <summary>JSON array of <c>{role, content}</c>: exactly what the model was given.</summary>
    public string? Prompt { get; init; }

    /// <summary>JSON array of <c>{chunkId, articleId, sourceId, title, content, score, vectorRank, textRank}</c>.</summary>
    public string? Passages { get; init; }
    public string? ToolCalls { get; init; }
    public int InputTokens { get; init; }
    public int OutputTokens { get; init; }

    /// <summary>True when the model told no usage and it was estimated from the text.</summary>
    public bool TokensEstimated { get; init; }

    /// <summary>US dollars.</summary>
    public decimal Cost { get; init; }

    /// <summary>JSON object of milliseconds by step.</summary>
    public string? Timings { get; init; }
    public string? Error { get; init; }
}
