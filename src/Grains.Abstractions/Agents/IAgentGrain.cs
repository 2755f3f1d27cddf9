namespace AgentPlatform.Agents;

/// <summary>
/// A configured AI; its key is the agent's id. It answers a question outside any conversation (a preview in the console, a test),
/// with the same steps as a turn, and stores nothing but usage.
/// </summary>
[Alias("agents.IAgentGrain")]
public interface IAgentGrain : IGrainWithGuidKey
{
    /// <summary>Answers as the agent would. Returns null when the organization has no such agent.</summary>
    [Alias("Ask")]
    Task<AgentAnswer?> Ask(AgentQuestion question, CancellationToken cancellationToken);
}

/// <summary>A question to an agent.</summary>
[GenerateSerializer, Immutable, Alias("agents.question.v1")]
public sealed record AgentQuestion
{
    [Id(0)] public required Guid OrganizationId { get; init; }
    [Id(1)] public required string Text { get; init; }

    /// <summary>BCP 47; null to detect it.</summary>
    [Id(2)] public string? Language { get; init; }
}

/// <summary>An agent's answer with its record: the same JSON as a turn's.</summary>
[GenerateSerializer, Immutable, Alias("agents.answer.v1")]
public sealed record AgentAnswer
{
    [Id(0)] public required string Text { get; init; }

    /// <summary><c>model</c>, <c>built_in</c>.</summary>
    [Id(1)] public required string Responder { get; init; }
    [Id(2)] public string? Passages { get; init; }
    [Id(3)] public int InputTokens { get; init; }
    [Id(4)] public int OutputTokens { get; init; }
}
