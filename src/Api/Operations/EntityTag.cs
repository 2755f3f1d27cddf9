using System.Globalization;

namespace AgentPlatform.Api.Operations;

/// <summary>Versions as entity tags: version 7 is <c>"7"</c>.</summary>
public static class EntityTag
{
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>Reads <c>If-Match</c>: one strong tag, or <c>*</c> for any version (returned as null with true).</summary>
    public static bool TryRead(string header, out long? version)
    {
        version = null;
        if (header.Trim() == "*")
        {
            return true;
        }
        var tag = header.AsSpan().Trim();
        if (tag.Length < 3 || tag[0] != '"' || tag[^1] != '"' || !long.TryParse(tag[1..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }
        version = number;
        return true;
    }
}
