using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Fakes.Llm;

/// <summary>Writes the answers of the emulated model.</summary>
internal static class FakeModelReply
{
    private const long Created = 1_767_603_600;

    public static async Task Write(HttpContext context, FakeModelRequest request, FakeModelBehaviour behaviour, CancellationToken cancellationToken)
    {
        switch (behaviour)
        {
            case FakeModelBehaviour.Answer answer when request.Stream:
                await StreamAnswer(context, request, Filled(answer, request), cancellationToken);
                break;
            case FakeModelBehaviour.Answer answer:
                await WriteWhole(context, request, Filled(answer, request), cancellationToken);
                break;
            case FakeModelBehaviour.Refuse refusal:
                await Refuse(context, refusal);
                break;
            case FakeModelBehaviour.Garbage garbage:
                context.Response.ContentType = garbage.ContentType;
                await context.Response.WriteAsync(garbage.Body, cancellationToken);
                break;
            case FakeModelBehaviour.Drop:
                context.Abort();
                break;
            case FakeModelBehaviour.Hang:
                await Task.Delay(Timeout.Infinite, cancellationToken);
                break;
            case FakeModelBehaviour.HangMidStream begun:
                await Begin(context, request, begun.Text, cancellationToken);
                await Task.Delay(Timeout.Infinite, cancellationToken);
                break;
            case FakeModelBehaviour.StopMidStream begun:
                await Begin(context, request, begun.Text, cancellationToken);
                context.Abort();
                break;
            case FakeModelBehaviour.EndEarly begun:
                await Begin(context, request, begun.Text, cancellationToken);
                break;
            case FakeModelBehaviour.ErrorMidStream begun:
                await Begin(context, request, begun.Text, cancellationToken);
                await Event(context, new JsonObject { ["error"] = new JsonObject { ["message"] = "emulated", ["type"] = begun.Code, ["code"] = begun.Code } }, cancellationToken);
                break;
            case FakeModelBehaviour.Endless:
                await Begin(context, request, "", cancellationToken);
                while (!cancellationToken.IsCancellationRequested)
                {
                    await Event(context, Chunk(request, new JsonObject { ["content"] = new string('a', 1000) }, null), cancellationToken);
                }

                break;
            default:
                throw new InvalidOperationException($"{behaviour} is not emulated.");
        }
    }

    public static Task Refuse(HttpContext context, FakeModelBehaviour.Refuse refusal)
    {
        foreach (var (name, value) in refusal.Headers)
        {
            context.Response.Headers[name] = value;
        }

        return WriteError(context, refusal.Status, refusal.Code, refusal.Message, null);
    }

    public static Task WriteError(HttpContext context, int status, string code, string message, string? parameter)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        var error = new JsonObject { ["message"] = message, ["type"] = status == 429 ? "rate_limit_error" : "invalid_request_error", ["param"] = parameter, ["code"] = code };
        return context.Response.WriteAsync(new JsonObject { ["error"] = error }.ToJsonString());
    }

    /// <summary>Vectors that are alike for texts that share words.</summary>
    public static Task WriteEmbeddings(HttpContext context, string model, string[] texts, int dimensions, bool asBase64)
    {
        var data = new JsonArray();
        foreach (var (text, index) in texts.Select((text, index) => (text, index)).Reverse()) // order is told by index alone
        {
            var vector = Embed(text, dimensions);
            JsonNode embedding = asBase64 ? JsonValue.Create(Convert.ToBase64String(Bytes(vector))) : new JsonArray([.. vector.Select(value => (JsonNode)JsonValue.Create(value))]);
            data.Add(new JsonObject { ["object"] = "embedding", ["index"] = index, ["embedding"] = embedding });
        }

        context.Response.ContentType = "application/json";
        var tokens = texts.Sum(text => text.Length / 4 + 1);
        return context.Response.WriteAsync(new JsonObject
        {
            ["object"] = "list",
            ["data"] = data,
            ["model"] = model,
            ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens },
        }.ToJsonString());
    }

    private static FakeModelBehaviour.Answer Filled(FakeModelBehaviour.Answer answer, FakeModelRequest request) => answer with { Text = answer.Text.Replace("{handover}", request.HandoverMark, StringComparison.Ordinal) };

    private static async Task WriteWhole(HttpContext context, FakeModelRequest request, FakeModelBehaviour.Answer answer, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["id"] = $"chatcmpl-{request.Number}",
            ["object"] = "chat.completion",
            ["created"] = Created,
            ["model"] = request.Model,
            ["choices"] = new JsonArray(new JsonObject
            {
                ["index"] = 0,
                ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = answer.Text, ["refusal"] = null },
                ["logprobs"] = null,
                ["finish_reason"] = answer.FinishReason,
            }),
        };
        if (answer.TellUsage)
        {
            body["usage"] = Usage(request, answer);
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body.ToJsonString(), cancellationToken);
    }

    private static async Task StreamAnswer(HttpContext context, FakeModelRequest request, FakeModelBehaviour.Answer answer, CancellationToken cancellationToken)
    {
        var stream = new StringBuilder();
        Append(stream, Chunk(request, new JsonObject { ["role"] = "assistant", ["content"] = "" }, null));
        // Cut anywhere, as tokens are, but not inside a character.
        for (var start = 0; start < answer.Text.Length;)
        {
            var end = Math.Min(answer.Text.Length, start + 24);
            end -= end < answer.Text.Length && char.IsHighSurrogate(answer.Text[end - 1]) ? 1 : 0;
            Append(stream, Chunk(request, new JsonObject { ["content"] = answer.Text[start..end] }, null));
            start = end;
        }

        Append(stream, Chunk(request, [], answer.FinishReason));
        if (request.IncludeUsage && answer.TellUsage)
        {
            var last = Chunk(request, [], null);
            last["choices"] = new JsonArray();
            last["usage"] = Usage(request, answer);
            Append(stream, last);
        }

        stream.Append("data: [DONE]\n\n");
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(stream.ToString(), cancellationToken);
    }

    private static async Task Begin(HttpContext context, FakeModelRequest request, string text, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(": emulated\n\n", cancellationToken);
        await Event(context, Chunk(request, new JsonObject { ["role"] = "assistant", ["content"] = text }, null), cancellationToken);
    }

    private static async Task Event(HttpContext context, JsonObject chunk, CancellationToken cancellationToken)
    {
        await context.Response.WriteAsync($"data: {chunk.ToJsonString()}\n\n", cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
    }

    private static void Append(StringBuilder stream, JsonObject chunk) => stream.Append("data: ").Append(chunk.ToJsonString()).Append("\n\n");

    private static JsonObject Chunk(FakeModelRequest request, JsonObject delta, string? finishReason) => new()
    {
        ["id"] = $"chatcmpl-{request.Number}",
        ["object"] = "chat.completion.chunk",
        ["created"] = Created,
        ["model"] = request.Model,
        ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = finishReason }),
        ["usage"] = null,
        ["obfuscation"] = "x",
    };

    private static JsonObject Usage(FakeModelRequest request, FakeModelBehaviour.Answer answer)
    {
        var completion = answer.Text.Length / 4 + 1;
        var prompt = answer.Tokens - completion ?? request.Messages.Sum(message => message.Text.Length / 4 + 4);
        return new JsonObject
        {
            ["prompt_tokens"] = prompt,
            ["completion_tokens"] = completion,
            ["total_tokens"] = prompt + completion,
            ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = 0 },
        };
    }

    private static float[] Embed(string text, int dimensions)
    {
        var vector = new float[dimensions];
        foreach (var word in text.ToLowerInvariant().Split([' ', '\n', '.', ',', '?', '!'], StringSplitOptions.RemoveEmptyEntries))
        {
            var hash = 2166136261u;
            foreach (var letter in word)
            {
                hash = (hash ^ letter) * 16777619;
            }

            vector[hash % (uint)dimensions] += 1;
        }

        var length = MathF.Sqrt(vector.Sum(value => value * value));
        return length > 0 ? Array.ConvertAll(vector, value => value / length) : vector;
    }

    private static byte[] Bytes(float[] vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        for (var i = 0; i < vector.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        }

        return bytes;
    }
}
