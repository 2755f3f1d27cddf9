using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace AgentPlatform.Api.Operations;

/// <summary>Versions as entity tags: version 7 is <c>"7"</c>.</summary>
public static class EntityTag
{
    /// <summary>Most tags of one header.</summary>
    public const int Most = 20;

    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>
    /// Reads <c>If-Match</c> (RFC 9110, 13.1.1): one tag or several, or <c>*</c> for any version, which gives none. A proxy that compresses an answer makes its tag a weak one
    /// (<c>W/"7"</c>): since a version stands for the row and not for the bytes of an answer, it is taken for the same.
    /// </summary>
    public static bool TryRead(IList<string?> header, out ImmutableArray<long> versions)
    {
        versions = [];
        if (!EntityTagHeaderValue.TryParseStrictList([.. header.Select(line => line ?? "")], out var tags) || tags.Count is 0 or > Most)
        {
            return false;
        }
        if (tags.Any(tag => tag.Equals(EntityTagHeaderValue.Any)))
        {
            return tags.Count == 1;
        }
        // Beside one of ours, another's says nothing; by itself it is a mistake.
        versions = [.. tags.Select(tag => long.TryParse(tag.Tag.AsSpan().Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : (long?)null).OfType<long>()];
        return versions.Length > 0;
    }
}
