using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>A chat completion, or one chunk of a streamed one: the members that are read, others are ignored.</summary>
internal sealed record WireCompletion(string? Id, string? Model, WireChoice[]? Choices, WireUsage? Usage, JsonElement? Error);

/// <summary>One answer: whole (<c>message</c>) or a piece of it (<c>delta</c>).</summary>
internal sealed record WireChoice(int Index, WireMessage? Message, WireMessage? Delta, [property: JsonPropertyName("finish_reason")] string? FinishReason);

/// <summary>Text of the model. <c>content</c> may be text, null, or a list of parts.</summary>
internal sealed record WireMessage(JsonElement? Content, string? Refusal)
{
    /// <summary>The text, in whichever form; null for none.</summary>
    public string? Text()
    {
        if (Content is not { } content)
        {
            return Refusal;
        }

        return content.ValueKind switch
        {
            JsonValueKind.String => content.GetString(),
            JsonValueKind.Array => string.Concat(content.EnumerateArray().Select(part =>
                part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : "")),
            _ => Refusal,
        };
    }
}

/// <summary>Tokens used, as the server claims.</summary>
internal sealed record WireUsage([property: JsonPropertyName("prompt_tokens")] JsonElement? PromptTokens, [property: JsonPropertyName("completion_tokens")] JsonElement? CompletionTokens)
{
    /// <summary>Most tokens of one request that a server is believed; models read a few million at most. What claims more, or less than nothing, is estimated instead.</summary>
    public const long MaxTokens = 10_000_000;

    /// <summary>Tokens in; null when the server told no number that can be one.</summary>
    public long? Prompt => Count(PromptTokens);

    /// <summary>Tokens out; null when the server told no number that can be one.</summary>
    public long? Completion => Count(CompletionTokens);

    private static long? Count(JsonElement? claimed) =>
        claimed is { ValueKind: JsonValueKind.Number } number && number.TryGetDouble(out var count) && count is >= 0 and <= MaxTokens ? (long)count : null;
}

/// <summary>Answer of <c>/embeddings</c>. A vector is a list of numbers or, as asked for, base64 of little-endian floats.</summary>
internal sealed record WireEmbeddings(WireEmbedding[]? Data, WireUsage? Usage, JsonElement? Error);

/// <summary>One vector.</summary>
internal sealed record WireEmbedding(int Index, JsonElement Embedding);

[JsonSerializable(typeof(WireCompletion))]
[JsonSerializable(typeof(WireEmbeddings))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, MaxDepth = 32)]
internal sealed partial class WireJson : JsonSerializerContext;
