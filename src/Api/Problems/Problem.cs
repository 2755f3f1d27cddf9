using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace AgentPlatform.Api.Problems;

/// <summary>What is wrong with one field.</summary>
/// <param name="Field">A JSON pointer into the body, or the name of a query parameter or header.</param>
/// <param name="Detail">A sentence that can be shown.</param>
public sealed record FieldError(string Field, string Detail);

/// <summary>An expected failure as an answer: RFC 9457 <c>application/problem+json</c>.</summary>
public sealed class Problem(ProblemType type, string? detail = null) : IResult
{
    public const string ContentType = "application/problem+json";

    public ProblemType Type { get; } = type;

    public string? Detail { get; } = detail;

    public ImmutableArray<FieldError> Errors { get; init; } = [];

    /// <summary>The current version, for <see cref="ProblemType.VersionConflict"/>.</summary>
    public long? CurrentVersion { get; init; }

    /// <summary>When to come again, for 429 and 503; rounded up to whole seconds, at least one.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static Problem NotFound() => new(ProblemType.NotFound);

    public static Problem Invalid(string field, string detail) => new(ProblemType.Validation, detail) { Errors = [new(field, detail)] };

    public static Problem Invalid(ImmutableArray<FieldError> errors) =>
        new(ProblemType.Validation, errors.Length == 1 ? errors[0].Detail : $"{errors.Length} fields are not valid.") { Errors = errors };

    public static Problem Stale(long currentVersion) =>
        new(ProblemType.VersionConflict, $"The current version is {currentVersion}.") { CurrentVersion = currentVersion };

    /// <summary>The body, also for an answer that is stored.</summary>
    public byte[] ToJson(string? traceId)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("type", Type.Uri);
        json.WriteString("title", Type.Title);
        json.WriteNumber("status", Type.Status);
        if (Detail is not null)
        {
            json.WriteString("detail", Detail);
        }
        if (!Errors.IsEmpty)
        {
            json.WriteStartArray("errors");
            foreach (var error in Errors)
            {
                json.WriteStartObject();
                json.WriteString("field", error.Field);
                json.WriteString("detail", error.Detail);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        if (CurrentVersion is { } version)
        {
            json.WriteNumber("currentVersion", version);
        }
        if (traceId is not null)
        {
            json.WriteString("traceId", traceId);
        }
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Type.Status;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
        if (RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
        if (CurrentVersion is { } version)
        {
            response.Headers.ETag = Operations.EntityTag.Of(version);
        }
        var body = ToJson(Activity.Current?.TraceId.ToString() ?? httpContext.TraceIdentifier);
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(httpContext.Request.Method))
        {
            await response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }
}
