using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>Reads the answer of <c>chat/completions</c>: server-sent events, or one JSON object from servers that don't stream.</summary>
internal static class OpenAiStream
{
    private static readonly SseItemParser<WireCompletion?> ParseEvent = static (_, data) => Parse(data);

    /// <summary>The chunks in order, to the end that the protocol demands.</summary>
    /// <exception cref="LlmException">The answer is not what the protocol says, tells of an error, or ends too early.</exception>
    public static async IAsyncEnumerable<WireCompletion> Read(OpenAiAnswer answer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (answer.MediaType != "text/event-stream")
        {
            yield return await ReadWhole(answer, cancellationToken).ConfigureAwait(false);
            yield break;
        }

        var isFinished = false;
        await foreach (var item in SseParser.Create(answer.Body, ParseEvent).EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            if (item.Data is not { } chunk)
            {
                yield break;
            }

            Refuse(chunk);
            isFinished |= chunk.Choices is [{ FinishReason: not null }, ..];
            yield return chunk;
        }

        // Some servers leave [DONE] out; none leaves the reason out when it has said all.
        if (!isFinished)
        {
            throw new LlmException(LlmErrorKind.BadAnswer, "The model's answer broke off before its end.");
        }
    }

    private static async Task<WireCompletion> ReadWhole(OpenAiAnswer answer, CancellationToken cancellationToken)
    {
        WireCompletion? whole;
        try
        {
            whole = await JsonSerializer.DeserializeAsync(answer.Body, WireJson.Default.WireCompletion, cancellationToken).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            throw NotUnderstood();
        }

        if (whole is null)
        {
            throw NotUnderstood();
        }

        Refuse(whole);
        return whole.Choices is { Length: > 0 } ? whole : throw new LlmException(LlmErrorKind.BadAnswer, "The model's answer holds no choice.");
    }

    /// <summary>Null at <c>[DONE]</c>.</summary>
    private static WireCompletion? Parse(ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(data, WireJson.Default.WireCompletion) ?? throw NotUnderstood();
        }
        catch (JsonException)
        {
            throw NotUnderstood();
        }
    }

    private static void Refuse(WireCompletion chunk)
    {
        if (chunk.Error is { ValueKind: not JsonValueKind.Null and not JsonValueKind.Undefined } error)
        {
            throw OpenAiErrors.FromError(error);
        }

        if (chunk.Choices is [{ FinishReason: "error" }, ..])
        {
            throw new LlmException(LlmErrorKind.Unavailable, "The model's server broke its answer off.");
        }
    }

    private static LlmException NotUnderstood() => new(LlmErrorKind.BadAnswer, "The model's answer is not what the protocol says.");
}
