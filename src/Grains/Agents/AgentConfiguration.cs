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

    /// <summary>What channels have of their own; others answer as their agents do.</summary>
    public FrozenDictionary<Guid, ChannelConfiguration> Channels { get; init; } = FrozenDictionary<Guid, ChannelConfiguration>.Empty;

    /// <summary>Bytes in memory, roughly: the texts, and what stands around them.</summary>
    public long Bytes => Agents.Values.Sum(static agent => 1000L + (2 * (Length(agent.Name) + Length(agent.Description) + Length(agent.Instructions) + Length(agent.SystemPrompt)
        + Length(agent.Persona.Greeting) + Length(agent.Persona.FallbackMessage) + agent.Goals.Sum(static goal => (long)goal.Length)))) + (200L * Channels.Count);

    /// <summary>An agent as it answers in a channel: with the channel's model and temperature, where it has its own.</summary>
    public AgentConfiguration? AgentIn(Guid channelId, Guid agentId) => Agents.GetValueOrDefault(agentId) is not { } agent ? null
        : Channels.GetValueOrDefault(channelId) is not { } channel ? agent
        : agent with
        {
            Temperature = channel.Temperature ?? agent.Temperature,
            Model = channel.Model ?? agent.Model,
            FallbackModel = channel.Model is null ? agent.FallbackModel : agent.FallbackModel ?? agent.Model,
            ModelProblem = channel.ModelProblem ?? agent.ModelProblem,
        };

    private static long Length(string? text) => text?.Length ?? 0;

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

/// <summary>A channel's own choice of model and temperature.</summary>
/// <param name="Model">Null: the agent's.</param>
/// <param name="ModelProblem">Why the model that the channel names can't be called; null when nothing is wrong.</param>
/// <param name="Temperature">Null: the agent's.</param>
internal sealed record ChannelConfiguration(ModelEndpoint? Model, string? ModelProblem, float? Temperature);

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
