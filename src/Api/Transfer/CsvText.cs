using System.Text;

namespace AgentPlatform.Api.Transfer;

/// <summary>
/// Writes CSV values. A text that a spreadsheet would take for a formula gets an apostrophe in front, and reading takes it away again: what begins with
/// apostrophes and one of the dangerous characters has always one more outside than inside.
/// </summary>
internal static class CsvText
{
    private const string Dangerous = "=+-@\t\r";

    /// <summary>The text as a cell may hold it.</summary>
    public static string Guard(string text) => IsDangerous(text) ? "'" + text : text;

    /// <summary>The text that <see cref="Guard"/> was given.</summary>
    public static string Unguard(string cell) => cell.StartsWith('\'') && IsDangerous(cell) ? cell[1..] : cell;

    /// <summary>Appends a value, quoted where it has to be; null is an empty cell, an empty text a quoted one.</summary>
    public static void Append(StringBuilder line, string? text)
    {
        if (text is null)
        {
            return;
        }
        if (text.Length > 0 && text.AsSpan().IndexOfAny("\",;\r\n\t") < 0 && !char.IsWhiteSpace(text[0]) && !char.IsWhiteSpace(text[^1]))
        {
            line.Append(text);
            return;
        }
        line.Append('"').Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
    }

    private static bool IsDangerous(string text)
    {
        var rest = text.AsSpan().TrimStart('\'');
        return rest.Length > 0 && Dangerous.Contains(rest[0], StringComparison.Ordinal);
    }
}
