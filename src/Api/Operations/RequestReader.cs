using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Operations;

/// <summary>Reads what a request carries, as its operation says, or the problem with it.</summary>
internal static class RequestReader
{
    /// <summary>How deep a body may be nested.</summary>
    public const int MaxDepth = 32;

    /// <summary>Longest Idempotency-Key.</summary>
    public const int MaxKeyLength = 200;

    private static readonly JsonDocumentOptions JsonOptions = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    public static ImmutableDictionary<string, ImmutableArray<object>> ReadQuery(HttpRequest request, Operation operation, Violations violations)
    {
        var values = ImmutableDictionary.CreateBuilder<string, ImmutableArray<object>>(StringComparer.Ordinal);
        foreach (var (name, given) in request.Query)
        {
            var parameter = operation.Query.FirstOrDefault(known => known.Name == name);
            if (parameter is null)
            {
                violations.Add(name.Length > 100 ? name[..100] : name, "is not a known query parameter.");
                continue;
            }
            if (parameter.Split(given) is not { } texts)
            {
                violations.Add(name, parameter.IsList ? $"must have at most {QueryParameter.MaxValues} values." : "must be given once.");
                continue;
            }
            var read = texts.Select(parameter.Read).ToImmutableArray();
            if (read.Any(value => value is null))
            {
                violations.Add(name, $"must be {parameter.Type.Expectation}{(!parameter.TakesNothing ? "" : parameter.Type.IsFreeText ? ", or empty" : $", or {parameter.NothingText}")}.");
                continue;
            }
            values[name] = read!;
        }
        return values.ToImmutable();
    }

    /// <summary>The body's bytes, or a problem.</summary>
    public static async Task<(byte[]? Bytes, Problem? Problem)> ReadBytes(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
        {
            return (null, TooLarge(limit));
        }
        using var buffer = new MemoryStream((int)Math.Min(request.ContentLength ?? 1024, limit));
        var chunk = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(chunk, cancellationToken)) > 0)
        {
            if (buffer.Length + read > limit)
            {
                return (null, TooLarge(limit));
            }
            buffer.Write(chunk, 0, read);
        }
        return (buffer.ToArray(), null);
    }

    /// <summary>Parses the body against its shape.</summary>
    public static (ShapeValues? Values, Problem? Problem) ReadBody(HttpRequest request, byte[] bytes, Operation operation, Violations violations)
    {
        // A byte order mark may be passed over (RFC 8259, 8.1).
        bytes = bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes[3..] : bytes;
        if (bytes.Length == 0 && !operation.IsBodyRequired)
        {
            return (new ShapeValues(), null);
        }
        if (bytes.Length > 0 && !request.HasJsonContentType() && !IsMergePatch(request))
        {
            return (null, new Problem(ProblemType.UnsupportedMediaType));
        }
        if (bytes.Length == 0)
        {
            return (null, new Problem(ProblemType.MalformedBody, "The body is missing."));
        }
        if (!Utf8.IsValid(bytes))
        {
            return (null, new Problem(ProblemType.MalformedBody, "The body is not UTF-8."));
        }
        try
        {
            using var json = JsonDocument.Parse(bytes, JsonOptions);
            return (operation.Body!.Read(json.RootElement, operation.BodyUse, "", violations), null);
        }
        catch (JsonException failure)
        {
            return (null, new Problem(ProblemType.MalformedBody, RepeatedName.Find(bytes, MaxDepth) is { } repeated
                ? $"The name {repeated} is given twice."
                : $"Line {failure.LineNumber + 1}, byte {failure.BytePositionInLine + 1}: not valid JSON, or nested deeper than {MaxDepth}."));
        }
        catch (InvalidOperationException)
        {
            return (null, new Problem(ProblemType.MalformedBody, "A name in the body is not valid text."));
        }
    }

    public static byte[] Fingerprint(HttpRequest request, byte[] body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path}\n"));
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    private static bool IsMergePatch(HttpRequest request) =>
        request.ContentType?.StartsWith("application/merge-patch+json", StringComparison.OrdinalIgnoreCase) == true;

    private static Problem TooLarge(int limit) => new(ProblemType.BodyTooLarge, $"The body may have {limit} bytes (API_MAX_BODY_BYTES).");
}
