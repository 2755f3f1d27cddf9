using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>Reads what a server that speaks OpenAI's protocol says when it refuses.</summary>
internal static class OpenAiErrors
{
    /// <summary>Longest part of a provider's message that is kept, in characters.</summary>
    private const int LongestMessage = 300;

    private static readonly HashSet<string> QuotaCodes = new(StringComparer.Ordinal)
    {
        "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded", "project_spend_limit_exceeded", "organization_usage_limit_exceeded",
    };

    private static readonly HashSet<string> ContextCodes = new(StringComparer.Ordinal) { "context_length_exceeded", "string_above_max_length" };

    /// <summary>The error of a refused request.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="headers">Where <c>retry-after</c>, <c>retry-after-ms</c> and <c>x-should-retry</c> stand.</param>
    /// <param name="body">JSON or anything else.</param>
    /// <param name="now">For a <c>retry-after</c> that is a date.</param>
    public static LlmException FromResponse(int status, HttpResponseHeaders headers, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        var (code, message) = Read(body);
        return new LlmException(Kind(status, code, message), $"The model's server answered {status}{Describe(code, message)}")
        {
            RetryAfter = RetryAfter(headers, now),
            ShouldRetry = Header(headers, "x-should-retry") is { } should && bool.TryParse(should, out var retry) ? retry : null,
        };
    }

    /// <summary>The error inside an answer that began with 200, as some gateways send it.</summary>
    public static LlmException FromError(JsonElement error)
    {
        var (code, message) = Read(error);
        var status = int.TryParse(code, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return new LlmException(status == 0 && Kind(400, code, message) == LlmErrorKind.InvalidRequest ? LlmErrorKind.Unavailable : Kind(status == 0 ? 400 : status, code, message),
            $"The model's server broke its answer off{Describe(code, message)}");
    }

    private static LlmErrorKind Kind(int status, string? code, string? message) => status switch
    {
        _ when code is not null && QuotaCodes.Contains(code) => LlmErrorKind.Quota,
        _ when code is not null && ContextCodes.Contains(code) => LlmErrorKind.ContextLength,
        _ when code == "content_filter" => LlmErrorKind.ContentFiltered,
        400 or 413 or 422 when SaysTooLong(message) => LlmErrorKind.ContextLength,
        401 or 403 or 404 => code is "model_not_found" || status == 404 ? LlmErrorKind.InvalidRequest : LlmErrorKind.Auth,
        402 => LlmErrorKind.Quota,
        408 or 409 => LlmErrorKind.Unavailable,
        429 => LlmErrorKind.RateLimited,
        >= 500 => LlmErrorKind.Unavailable,
        _ when code is "rate_limit_exceeded" or "slow_down" => LlmErrorKind.RateLimited,
        _ when code is "server_error" or "service_unavailable" or "overloaded" or "overloaded_error" => LlmErrorKind.Unavailable,
        _ => LlmErrorKind.InvalidRequest,
    };

    /// <summary>Servers without the code say it in words.</summary>
    private static bool SaysTooLong(string? message) =>
        message is not null && (message.Contains("context length", StringComparison.OrdinalIgnoreCase) || message.Contains("context window", StringComparison.OrdinalIgnoreCase)
            || message.Contains("too many tokens", StringComparison.OrdinalIgnoreCase) || message.Contains("prompt is too long", StringComparison.OrdinalIgnoreCase));

    private static (string? Code, string? Message) Read(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            return root.ValueKind != JsonValueKind.Object ? (null, null)
                : root.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null ? Read(error)
                : Read(root);
        }
        catch (JsonException)
        {
            // A gateway's own page, for one. Its status says enough.
            return (null, null);
        }
    }

    private static (string? Code, string? Message) Read(JsonElement error)
    {
        if (error.ValueKind == JsonValueKind.String)
        {
            return (null, error.GetString());
        }

        return error.ValueKind == JsonValueKind.Object ? (Text(error, "code") ?? Text(error, "type"), Text(error, "message")) : (null, null);
    }

    private static string? Text(JsonElement element, string name) => !element.TryGetProperty(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    private static string Describe(string? code, string? message)
    {
        var cut = message is { Length: > LongestMessage } ? message[..LongestMessage] + "…" : message;
        return (code, cut) switch
        {
            (null, null) => ".",
            (not null, null) => $" ({code}).",
            (null, not null) => $": {cut}",
            _ => $" ({code}): {cut}",
        };
    }

    private static TimeSpan? RetryAfter(HttpResponseHeaders headers, DateTimeOffset now)
    {
        if (double.TryParse(Header(headers, "retry-after-ms"), NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is >= 0 and < 86_400_000)
        {
            return TimeSpan.FromMilliseconds(milliseconds);
        }

        var text = Header(headers, "retry-after");
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 86_400)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? (date > now ? date - now : TimeSpan.Zero) : null;
    }

    private static string? Header(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
