using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>Writes requests, with the parameters that the server of the model knows.</summary>
internal static class OpenAiRequest
{
    /// <summary>The body of <c>POST chat/completions</c>, streamed.</summary>
    /// <exception cref="ArgumentException">A message holds something else than text, or tools are asked for: this client speaks text.</exception>
    public static byte[] Chat(ModelEndpoint endpoint, IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        if (options?.Tools is { Count: > 0 })
        {
            throw new ArgumentException("Tools are not supported by this client.", nameof(options));
        }

        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", options?.ModelId ?? endpoint.ModelId);
            json.WriteStartArray("messages");
            foreach (var message in messages)
            {
                json.WriteStartObject();
                json.WriteString("role", Role(endpoint, message.Role));
                json.WriteString("content", Text(message));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteBoolean("stream", true);
            if (endpoint.Capabilities.StreamUsage ?? true)
            {
                json.WriteStartObject("stream_options");
                json.WriteBoolean("include_usage", true);
                json.WriteEndObject();
            }

            WriteLimits(json, endpoint, options);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The body of <c>POST embeddings</c>.</summary>
    public static byte[] Embeddings(ModelEndpoint endpoint, IReadOnlyList<string> texts, int dimensions)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", endpoint.ModelId);
            json.WriteStartArray("input");
            foreach (var text in texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
            json.WriteNumber("dimensions", dimensions);
            json.WriteString("encoding_format", "base64");
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteLimits(Utf8JsonWriter json, ModelEndpoint endpoint, ChatOptions? options)
    {
        if (options?.MaxOutputTokens is { } limit)
        {
            // OpenAI's newer models refuse max_tokens; other servers know nothing else.
            json.WriteNumber(endpoint.Capabilities.MaxTokensField ?? (endpoint.Provider == "openai" ? "max_completion_tokens" : "max_tokens"), limit);
        }

        if (options?.Temperature is { } temperature && (endpoint.Capabilities.Temperature ?? true))
        {
            json.WriteNumber("temperature", Math.Round((decimal)temperature, 2));
        }

        if (options?.TopP is { } topP && (endpoint.Capabilities.Temperature ?? true))
        {
            json.WriteNumber("top_p", Math.Round((decimal)topP, 3));
        }

        if (options?.StopSequences is { Count: > 0 } stops)
        {
            json.WriteStartArray("stop");
            foreach (var stop in stops)
            {
                json.WriteStringValue(stop);
            }

            json.WriteEndArray();
        }
    }

    private static string Role(ModelEndpoint endpoint, ChatRole role) => role == ChatRole.System ? endpoint.Capabilities.SystemRole ?? "system" : role.Value;

    private static string Text(ChatMessage message) => message.Contents.All(content => content is TextContent)
        ? message.Text
        : throw new ArgumentException("A message holds something else than text, which this client can't send.", nameof(message));
}
