using System.Buffers.Text;
using System.Text.Json;
using AgentPlatform.Api.Auth;

namespace AgentPlatform.Api.Operations;

/// <summary>Where a page ended: the sort, the last row's value of it, and its id. Opaque to callers; it can't reach beyond what its caller may see.</summary>
/// <param name="Sort">As in <c>?sort=</c>: a cursor of another order is refused.</param>
/// <param name="Value">The value's text; null for null.</param>
public sealed record PageCursor(string Sort, string? Value, Guid Id)
{
    /// <summary>Longest cursor read, in characters.</summary>
    public const int MaxLength = 3000;

    public override string ToString() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new[] { Sort, Value, Id.ToString("N") }));

    /// <summary>Null for a text that isn't a cursor.</summary>
    public static PageCursor? Parse(string text)
    {
        if (text.Length > MaxLength || TokenText.Decode(text) is not { } bytes)
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize<string?[]>(bytes) is [{ } sort, var value, { } id]
                && Guid.TryParseExact(id, "N", out var row)
                    ? new PageCursor(sort, value, row)
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
