using System.Collections.Frozen;
using System.Collections.Immutable;
using AgentPlatform.Grains.Llm;

namespace AgentPlatform.Grains.Agents;

/// <summary>Everything that an organization configured for its agents, as of one moment.</summary>
internal sealed class OrganizationAgents
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }

    /// <summary>IANA name.</summary>
    public required string TimeZone { get; init; }
    public required FrozenDictionary<Guid, AgentConfiguration> Agents { get; init; }

    /// <summary>The model that makes vectors of this organization's knowledge; null for the built-in embedder.</summary>
    public ModelEndpoint? Embedder { get; init; }
}

/// <summary>An agent with its persona, its prompt and its models.</summary>
internal sealed record AgentConfiguration
{
    public required Guid Id { get; init; }
    public required string Name { get; init; }
    public string? Description { get; init; }

    /// <summary><c>communication</c>, <c>qualification</c>, <c>product_selection</c>, <c>warming</c>, <c>sales</c>, <c>service</c> or <c>feedback</c>.</summary>
    public required string AgentType { get; init; }
    public string? Instructions { get; init; }
    public string? SystemPrompt { get; init; }
    public ImmutableArray<string> Goals { get; init; } = [];
    public float Temperature { get; init; } = 0.7f;

    /// <summary>Longest answer, in tokens.</summary>
    public int MaxTokens { get; init; } = 2048;
    public PersonaConfiguration Persona { get; init; } = PersonaConfiguration.None;

    /// <summary>The organization's default prompt for this type of agent.</summary>
    public PromptVariant? Variant { get; init; }

    /// <summary>Null: the built-in responder answers.</summary>
    public ModelEndpoint? Model { get; init; }

    /// <summary>Asked when <see cref="Model"/> fails.</summary>
    public ModelEndpoint? FallbackModel { get; init; }

    /// <summary>Why a model that was chosen can't be called (no key, a key that can't be opened); null when nothing is wrong.</summary>
    public string? ModelProblem { get; init; }
}

/// <summary>How an agent speaks, and what it does when it can't help.</summary>
/// <param name="Name">Null when the agent has no persona.</param>
/// <param name="Tone"><c>professional</c>, <c>friendly</c>, <c>casual</c> or <c>formal</c>.</param>
/// <param name="Greeting">Answer to a first message that is only a greeting.</param>
/// <param name="FallbackMessage">What to say when there is no answer; null for the built-in texts.</param>
/// <param name="EscalationPolicy">What to do when there is no answer.</param>
internal sealed record PersonaConfiguration(string? Name, string Tone, string? Greeting, string? FallbackMessage, EscalationPolicy EscalationPolicy)
{
    /// <summary>An agent without a persona.</summary>
    public static PersonaConfiguration None { get; } = new(null, "friendly", null, null, EscalationPolicy.Escalate);
}

/// <summary>What an agent does when it can't help (<c>personas.escalation_policy</c>).</summary>
internal enum EscalationPolicy
{
    /// <summary>Says sorry and stays in charge.</summary>
    Apologize,

    /// <summary>Says that a person will answer, and hands over.</summary>
    Escalate,

    /// <summary>Asks the customer to put it differently; hands over when that doesn't help either.</summary>
    Retry,

    /// <summary>Says that it connects the customer with a person, and hands over.</summary>
    Transfer,
}

/// <summary>A prompt under test or by default.</summary>
internal sealed record PromptVariant(Guid Id, string Prompt);
