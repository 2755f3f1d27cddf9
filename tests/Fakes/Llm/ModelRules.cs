using System.Text.Json;

namespace AgentPlatform.Fakes.Llm;

/// <summary>What the documented API refuses. Each rule answers null, or the message of a 400 and the parameter at fault.</summary>
internal static class ModelRules
{
    private static readonly HashSet<string> ChatParameters = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "n", "presence_penalty", "frequency_penalty",
        "response_format", "tools", "tool_choice", "parallel_tool_calls", "reasoning_effort", "verbosity", "store", "metadata", "service_tier", "prompt_cache_key", "safety_identifier", "seed", "user",
    };

    private static readonly HashSet<string> EmbeddingParameters = new(StringComparer.Ordinal) { "model", "input", "dimensions", "encoding_format", "user" };
    private static readonly HashSet<string> Roles = new(StringComparer.Ordinal) { "developer", "system", "user", "assistant", "tool" };

    public static (string Message, string? Parameter)? CheckChat(JsonElement root)
    {
        if (Unknown(root, ChatParameters) is { } unknown)
        {
            return ($"Unrecognized request argument supplied: {unknown}", unknown);
        }

        if (!IsText(root, "model"))
        {
            return ("you must provide a model parameter", "model");
        }

        if (!root.TryGetProperty("messages", out var messages) || messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            return ("'messages' must be a non-empty array", "messages");
        }

        foreach (var message in messages.EnumerateArray())
        {
            if (!IsText(message, "role") || !Roles.Contains(message.GetProperty("role").GetString()!))
            {
                return ("A message has no known role", "messages");
            }

            if (!message.TryGetProperty("content", out var content) || content.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
            {
                return ("A message has no content", "messages");
            }
        }

        return CheckParameters(root);
    }

    public static (string Message, string? Parameter)? CheckEmbeddings(JsonElement root)
    {
        if (Unknown(root, EmbeddingParameters) is { } unknown)
        {
            return ($"Unrecognized request argument supplied: {unknown}", unknown);
        }

        if (!IsText(root, "model"))
        {
            return ("you must provide a model parameter", "model");
        }

        if (!root.TryGetProperty("input", out var input))
        {
            return ("'input' is required", "input");
        }

        var texts = input.ValueKind == JsonValueKind.Array ? [.. input.EnumerateArray()] : new[] { input };
        if (texts.Length is 0 or > 2048 || texts.Any(text => text.ValueKind != JsonValueKind.String || text.GetString()!.Length == 0))
        {
            return ("'$.input' is invalid: 1 to 2048 texts, none empty", "input");
        }

        return root.TryGetProperty("encoding_format", out var format) && format.GetString() is not ("float" or "base64") ? ("'encoding_format' is float or base64", "encoding_format")
            : root.TryGetProperty("dimensions", out var dimensions) && (!dimensions.TryGetInt32(out var count) || count is < 1 or > 3072) ? ("'dimensions' is out of its range", "dimensions")
            : null;
    }

    private static (string Message, string? Parameter)? CheckParameters(JsonElement root)
    {
        var isStreamed = root.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True;
        if (root.TryGetProperty("stream_options", out _) && !isStreamed)
        {
            return ("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
        }

        if (root.TryGetProperty("temperature", out var temperature) && (temperature.ValueKind != JsonValueKind.Number || temperature.GetDouble() is < 0 or > 2))
        {
            return ("'temperature' is between 0 and 2", "temperature");
        }

        foreach (var name in (string[])["max_tokens", "max_completion_tokens"])
        {
            if (root.TryGetProperty(name, out var limit) && (!limit.TryGetInt32(out var tokens) || tokens < 1))
            {
                return ($"'{name}' is a positive integer", name);
            }
        }

        // The models that reason refuse what the older ones knew.
        var model = root.GetProperty("model").GetString()!;
        if (model.StartsWith("gpt-5", StringComparison.Ordinal) || model.StartsWith('o'))
        {
            return root.TryGetProperty("max_tokens", out _) ? ("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "max_tokens")
                : root.TryGetProperty("temperature", out var heat) && Math.Abs(heat.GetDouble() - 1) > 1e-9 ? ("Unsupported value: 'temperature' does not support this value with this model.", "temperature")
                : null;
        }

        return null;
    }

    private static string? Unknown(JsonElement root, HashSet<string> known) =>
        root.ValueKind == JsonValueKind.Object ? root.EnumerateObject().Select(property => property.Name).FirstOrDefault(name => !known.Contains(name)) : "body";

    private static bool IsText(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString()!.Length > 0;
}
