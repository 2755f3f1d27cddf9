using System.Buffers;
using System.Text;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// Writes texts into CSV so that a spreadsheet shows them as they are. One that it would take for a formula, or for a number or a date that it then writes otherwise (a postal code, a
/// number of more digits than it shows), gets an apostrophe in front; reading takes it away again. An apostrophe that is there already counts: such a text always has one more outside
/// than inside, so that none is lost.
/// </summary>
/// <remarks>
/// A spreadsheet that expects another delimiter divides a quoted text where that stands in it, and at its line breaks. So what could call something behind one of those has its
/// apostrophe too. See OWASP, CSV Injection.
/// </remarks>
internal static class CsvText
{
    /// <summary>What a formula begins with; in full width too, which spreadsheets of East Asia take for the same.</summary>
    private const string Formula = "=+-@\uFF1D\uFF0B\uFF0D\uFF20";

    /// <summary>Digits that a spreadsheet shows of a whole number; of more it keeps some and an exponent.</summary>
    private const int ShownDigits = 11;

    /// <summary>What divides a line for one spreadsheet or another.</summary>
    private static readonly SearchValues<char> Dividers = SearchValues.Create(",;\t\r\n");

    /// <summary>One of these is in every formula that does more than arithmetic: calls, DDE, references to other files.</summary>
    private static readonly SearchValues<char> Calls = SearchValues.Create("(|!#");

    private static readonly SearchValues<char> NumberSigns = SearchValues.Create("0123456789.,:/- ");

    /// <summary>The text as a cell may hold it.</summary>
    public static string Guard(string text) => Rewrite(text, adds: true);

    /// <summary>The text that <see cref="Guard"/> was given.</summary>
    public static string Unguard(string cell) => cell.Contains('\'') ? Rewrite(cell, adds: false) : cell;

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

    private static string Rewrite(string text, bool adds)
    {
        var isEndangered = text.Length > 0 && IsEndangered(text.AsSpan().TrimStart("'\""));
        var hasInner = text.AsSpan().ContainsAny(Calls) && text.AsSpan().ContainsAny(Dividers);
        if (!isEndangered && !hasInner)
        {
            return text;
        }
        if (!hasInner)
        {
            return adds ? "'" + text : text[0] == '\'' ? text[1..] : text;
        }
        var written = new StringBuilder(text.Length + 8);
        for (var start = 0; start < text.Length;)
        {
            var part = text.AsSpan(start);
            var length = part.IndexOfAny(Dividers) is var divider && divider >= 0 ? divider + 1 : part.Length;
            if (start == 0 ? isEndangered : CouldCall(part[..length].TrimStart("'\"")))
            {
                if (adds)
                {
                    written.Append('\'');
                }
                else if (part[0] == '\'')
                {
                    part = part[1..];
                    length--;
                    start++;
                }
            }
            written.Append(part[..length]);
            start += length;
        }
        return written.ToString();
    }

    private static bool IsEndangered(ReadOnlySpan<char> text) =>
        text.Length > 0 && (Formula.Contains(text[0], StringComparison.Ordinal) || text[0] is '\t' or '\r' or '\n' || IsRewritten(text) || (text[0] == '#' && CellDamage.Of(text.ToString()) is not null));

    private static bool CouldCall(ReadOnlySpan<char> part) => part.Length > 0 && Formula.Contains(part[0], StringComparison.Ordinal) && part.ContainsAny(Calls);

    /// <summary>Whether a spreadsheet takes it for a number, a date or a time, and writes it otherwise than it was: all but whole numbers of a few digits.</summary>
    private static bool IsRewritten(ReadOnlySpan<char> text)
    {
        if (!char.IsAsciiDigit(text[0]) && !(text[0] is '.' or ',' && text.Length > 1))
        {
            return false;
        }
        var exponent = text.IndexOfAny('e', 'E');
        if (exponent > 0)
        {
            return text[..exponent].IndexOfAnyExcept("0123456789.,") < 0 && text[(exponent + 1)..].TrimStart("+-") is { Length: > 0 } digits && digits.IndexOfAnyExceptInRange('0', '9') < 0;
        }
        return text.ContainsAnyExcept(NumberSigns) ? false
            : text.ContainsAnyExceptInRange('0', '9') || text.Length > ShownDigits || (text[0] == '0' && text.Length > 1);
    }
}
