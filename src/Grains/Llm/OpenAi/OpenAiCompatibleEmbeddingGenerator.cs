using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>Vectors from any server that speaks OpenAI's embeddings: 1536 dimensions, length 1.</summary>
internal sealed class OpenAiCompatibleEmbeddingGenerator(ModelEndpoint endpoint, OpenAiTransport transport) : IEmbeddingGenerator<string, Embedding<float>>
{
    /// <summary>Length of a vector: what the column holds.</summary>
    public const int Dimensions = 1536;

    /// <summary>Longest text sent, in estimated tokens (the protocol's limit is 8,192 of its own).</summary>
    private const int MaxTokens = 6000;

    private const string Path = "embeddings";

    /// <inheritdoc />
    /// <exception cref="LlmException">There is no answer, or its vectors have another length.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var result = new GeneratedEmbeddings<Embedding<float>> { Usage = new UsageDetails { InputTokenCount = 0 } };
        foreach (var texts in values.Chunk(transport.Options.EmbeddingBatch))
        {
            var body = OpenAiRequest.Embeddings(endpoint, [.. texts.Select(Sendable)], Dimensions);
            var answer = await transport.Send(endpoint, Path, body, Read, cancellationToken).ConfigureAwait(false);
            if (answer.Data?.Length != texts.Length)
            {
                throw new LlmException(LlmErrorKind.BadAnswer, $"The model gave {answer.Data?.Length ?? 0} vectors for {texts.Length} texts.");
            }

            result.AddRange(answer.Data.OrderBy(vector => vector.Index).Select(vector => new Embedding<float>(Vector(vector.Embedding)) { ModelId = endpoint.ModelId }));
            result.Usage.InputTokenCount += answer.Usage?.Prompt ?? texts.Sum(text => (long)TokenEstimate.Of(text));
        }

        return result;
    }

    /// <inheritdoc />
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is not null ? null
        : serviceType == typeof(EmbeddingGeneratorMetadata) ? new EmbeddingGeneratorMetadata(endpoint.Provider, endpoint.BaseUrl, endpoint.ModelId, Dimensions)
        : serviceType.IsInstanceOfType(this) ? this
        : null;

    /// <inheritdoc />
    public void Dispose()
    {
    }

    /// <summary>The protocol refuses empty and too long texts.</summary>
    private static string Sendable(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "-";
        }

        var tokens = TokenEstimate.Of(text);
        return tokens <= MaxTokens ? text : text[..(int)((long)text.Length * MaxTokens / tokens)];
    }

    private static async Task<WireEmbeddings> Read(OpenAiAnswer answer, CancellationToken cancellationToken)
    {
        try
        {
            var embeddings = await JsonSerializer.DeserializeAsync(answer.Body, WireJson.Default.WireEmbeddings, cancellationToken).ConfigureAwait(false);
            return embeddings?.Error is { ValueKind: not JsonValueKind.Null and not JsonValueKind.Undefined } error
                ? throw OpenAiErrors.FromError(error)
                : embeddings ?? throw NotUnderstood();
        }
        catch (JsonException)
        {
            throw NotUnderstood();
        }
    }

    private static float[] Vector(JsonElement element)
    {
        float[] vector;
        if (element.ValueKind == JsonValueKind.Array)
        {
            vector = [.. element.EnumerateArray().Select(number => number.ValueKind == JsonValueKind.Number ? number.GetSingle() : throw NotUnderstood())];
        }
        else if (element.ValueKind == JsonValueKind.String && element.TryGetBytesFromBase64(out var bytes) && bytes.Length % sizeof(float) == 0)
        {
            vector = new float[bytes.Length / sizeof(float)];
            for (var i = 0; i < vector.Length; i++)
            {
                vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
            }
        }
        else
        {
            throw NotUnderstood();
        }

        if (vector.Length != Dimensions)
        {
            throw new LlmException(LlmErrorKind.BadAnswer, $"The model's vectors have {vector.Length} dimensions; {Dimensions} are needed.") { ShouldRetry = false };
        }

        var length = MathF.Sqrt(vector.Sum(value => value * value));
        return float.IsFinite(length) && length > 0 ? Array.ConvertAll(vector, value => value / length) : throw NotUnderstood();
    }

    private static LlmException NotUnderstood() => new(LlmErrorKind.BadAnswer, "The model's vectors are not what the protocol says.");
}
