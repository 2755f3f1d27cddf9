using System.Text.RegularExpressions;

namespace AgentPlatform.Api.Automation;

/// <summary>Fields named in a text: <c>{{client.firstName}}</c>.</summary>
internal static partial class Placeholders
{
    /// <summary>Longest name that is shown in a message.</summary>
    private const int Shown = 60;

    /// <summary>The first placeholder that names no known field; null when all do.</summary>
    public static string? FirstUnknown(string text)
    {
        foreach (Match placeholder in Pattern().Matches(text))
        {
            var name = placeholder.Groups[1].Value.Trim();
            if (!KnownFields.Readable.Contains(name, StringComparer.Ordinal))
            {
                return name.Length > Shown ? name[..Shown] + "…" : name;
            }
        }
        return null;
    }

    [GeneratedRegex(@"\{\{([^{}]*)\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Pattern();
}
