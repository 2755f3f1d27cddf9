using System.Text.Json.Serialization;

namespace AgentPlatform.Grains.Llm;

/// <summary>A model that can be called: where, with which key, what it costs. A class, so that its key is never printed by accident.</summary>
internal sealed class ModelEndpoint
{
    /// <summary>Whose key it is: time-outs and circuit breakers of one organization don't touch another's.</summary>
    public required Guid OrganizationId { get; init; }

    /// <summary><c>openai</c>, <c>anthropic</c>, <c>google</c> or <c>openai_compatible</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>The provider's name of the model.</summary>
    public required string ModelId { get; init; }

    /// <summary>Ends in a slash, so that paths can be appended.</summary>
    public required Uri BaseUrl { get; init; }
    public required string ApiKey { get; init; }

    /// <summary>Tokens that prompt and answer may have together; null when unknown.</summary>
    public int? ContextWindow { get; init; }

    /// <summary>US dollars for 1,000 tokens.</summary>
    public decimal InputCostPer1K { get; init; }

    /// <summary>US dollars for 1,000 tokens.</summary>
    public decimal OutputCostPer1K { get; init; }
    public ModelCapabilities Capabilities { get; init; } = new();

    /// <summary>Most that one call can have cost, in US dollars: what a turn's record holds.</summary>
    public const decimal MaxCost = 999_999m;

    /// <summary>What a call cost, in US dollars, up to <see cref="MaxCost"/>.</summary>
    public decimal CostOf(long inputTokens, long outputTokens) =>
        Math.Min(MaxCost, ((inputTokens / 1000m) * InputCostPer1K) + ((outputTokens / 1000m) * OutputCostPer1K));

    /// <summary>Provider and model; never the key.</summary>
    public override string ToString() => $"{Provider}/{ModelId}";
}

/// <summary>What a server that speaks OpenAI's protocol does differently: <c>llm_models.capabilities</c>. Null means: as its provider does.</summary>
internal sealed record ModelCapabilities
{
    /// <summary>The parameter that limits the answer: <c>max_tokens</c> or <c>max_completion_tokens</c>.</summary>
    public string? MaxTokensField { get; init; }

    /// <summary>The role of instructions: <c>system</c> or <c>developer</c>.</summary>
    public string? SystemRole { get; init; }

    /// <summary>False for models that refuse a temperature (those that reason).</summary>
    public bool? Temperature { get; init; }

    /// <summary>False for servers that refuse <c>stream_options</c>.</summary>
    public bool? StreamUsage { get; init; }

    /// <summary>True for a model that makes embeddings of 1536 dimensions instead of answers.</summary>
    public bool? Embeddings { get; init; }
}

[JsonSerializable(typeof(ModelCapabilities))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class ModelCapabilitiesJson : JsonSerializerContext;
