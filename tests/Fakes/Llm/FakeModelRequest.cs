using System.Text.Json;

namespace AgentPlatform.Fakes.Llm;

/// <summary>A request to the emulated model that kept to the protocol.</summary>
/// <param name="Number">From 1, refused ones not counted.</param>
/// <param name="ApiKey">The bearer token.</param>
/// <param name="Model">The model asked for.</param>
/// <param name="Stream">Whether the answer is to be streamed.</param>
/// <param name="IncludeUsage"><c>stream_options.include_usage</c>.</param>
/// <param name="Messages">Role and text.</param>
/// <param name="MaxTokens">Under whichever of its names.</param>
/// <param name="Temperature">Null when not given.</param>
public sealed record FakeModelRequest(
    int Number, string ApiKey, string Model, bool Stream, bool IncludeUsage, IReadOnlyList<(string Role, string Text)> Messages, int? MaxTokens, double? Temperature)
{
    /// <summary>The instructions.</summary>
    public string System => string.Join('\n', Messages.Where(message => message.Role is "system" or "developer").Select(message => message.Text));

    /// <summary>The last message of the user.</summary>
    public string LastUserText => Messages.Last(message => message.Role == "user").Text;

    /// <summary>The customer's words in the last message: what stands between its <c>customer_message</c> tags, else all of it.</summary>
    public string CustomerText
    {
        get
        {
            const string open = "<customer_message>", close = "</customer_message>";
            var text = LastUserText;
            var parts = text.Split(open).Skip(1).Select(part => part[..Math.Max(0, part.IndexOf(close, StringComparison.Ordinal))]).ToList();
            return parts.Count == 0 ? text : string.Join('\n', parts).Replace("&lt;", "<", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);
        }
    }

    /// <summary>What the instructions say to begin an answer with that hands over; empty where they say nothing of it.</summary>
    public string HandoverMark => System.IndexOf("[handover-", StringComparison.Ordinal) is >= 0 and var begin ? System[begin..(System.IndexOf(']', begin) + 1)] : "";

    internal static FakeModelRequest Read(int number, string apiKey, JsonElement root)
    {
        var stream = root.TryGetProperty("stream", out var streamed) && streamed.GetBoolean();
        return new FakeModelRequest(
            number,
            apiKey,
            root.GetProperty("model").GetString()!,
            stream,
            root.TryGetProperty("stream_options", out var options) && options.TryGetProperty("include_usage", out var usage) && usage.GetBoolean(),
            [.. root.GetProperty("messages").EnumerateArray().Select(message => (message.GetProperty("role").GetString()!, Text(message.GetProperty("content"))))],
            root.TryGetProperty("max_completion_tokens", out var limit) || root.TryGetProperty("max_tokens", out limit) ? limit.GetInt32() : null,
            root.TryGetProperty("temperature", out var temperature) ? temperature.GetDouble() : null);
    }

    private static string Text(JsonElement content) => content.ValueKind == JsonValueKind.String
        ? content.GetString()!
        : string.Concat(content.EnumerateArray().Select(part => part.TryGetProperty("text", out var text) ? text.GetString() : ""));
}
