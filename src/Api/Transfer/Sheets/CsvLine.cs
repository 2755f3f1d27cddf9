using System.Buffers;
using System.Text;
using System.Text.Unicode;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>One value of a CSV record.</summary>
/// <param name="IsQuoted">A quoted empty value is an empty text; an unquoted one is no value.</param>
internal readonly record struct CsvValue(string Text, bool IsQuoted)
{
    /// <summary>There is nothing to be seen in it. Control characters are no blanks: they tell that a file is no text.</summary>
    public bool IsBlank => Text.Length == 0 || (ComparableText.IsBlank(Text) && !Text.Any(character => char.IsControl(character) && !char.IsWhiteSpace(character)));
}

/// <summary>
/// Takes records of CSV apart, as RFC 4180 has them: quoted values may hold delimiters, line breaks and doubled quotation marks. Blanks around a value are handed on only from within
/// quotation marks. <c>="00123"</c>, by which programs keep spreadsheets from taking a text for a number, is that text.
/// </summary>
internal sealed class CsvLine(string encoding, char delimiter)
{
    private const string BadQuote = "A quotation mark stands inside a value that does not begin with one.";

    private readonly Encoding? _encoding = encoding == CsvEncoding.Utf8 ? null : CsvEncoding.Find(encoding);
    private readonly bool _isCodePage = CsvEncoding.UnitBytes(encoding) == 1;
    private char[] _text = new char[1024];

    /// <summary>The values of a record, or what is wrong with it.</summary>
    public string? Read(ReadOnlySpan<byte> record, List<CsvValue> values)
    {
        values.Clear();
        if (!TryDecode(record, out var text))
        {
            return $"The line is not {(_encoding is null ? "UTF-8" : encoding)}.";
        }
        while (true)
        {
            string? problem = null;
            var rest = text is ['"', ..] ? Quoted(text, values, ref problem) : Plain(text, values, ref problem);
            if (problem is not null || rest < 0)
            {
                return problem;
            }
            text = text[rest..];
        }
    }

    /// <summary>A record as text, valid until the next one; false where it isn't in the encoding.</summary>
    public bool TryDecode(ReadOnlySpan<byte> record, out ReadOnlySpan<char> text)
    {
        text = default;
        if (record.Length > _text.Length)
        {
            // No encoding here makes more units of UTF-16 than it has bytes.
            _text = new char[Math.Max(record.Length, 2 * _text.Length)];
        }
        int length;
        if (_encoding is null)
        {
            if (Utf8.ToUtf16(record, _text, out _, out length, replaceInvalidSequences: false) != OperationStatus.Done)
            {
                return false;
            }
        }
        else
        {
            try
            {
                length = _encoding.GetChars(record, _text);
            }
            catch (DecoderFallbackException)
            {
                return false;
            }
            // Bytes for which a code page has nothing come out as control characters of no use.
            if (_isCodePage && _text.AsSpan(0, length).ContainsAnyInRange('\u0080', '\u009F'))
            {
                return false;
            }
        }
        text = _text.AsSpan(0, length);
        return true;
    }

    /// <summary>Adds an unquoted value; returns where the next begins, or -1 at the end.</summary>
    private int Plain(ReadOnlySpan<char> record, List<CsvValue> values, ref string? problem)
    {
        var end = record.IndexOf(delimiter);
        var value = (end < 0 ? record : record[..end]).Trim();
        if (AsText(value) is { } kept)
        {
            values.Add(new(kept, true));
        }
        else
        {
            problem = value.Contains('"') ? BadQuote : null;
            values.Add(new(value.ToString(), false));
        }
        return end < 0 ? -1 : end + 1;
    }

    private int Quoted(ReadOnlySpan<char> record, List<CsvValue> values, ref string? problem)
    {
        var (close, hasQuotes) = (1, false);
        while (true)
        {
            var next = record[close..].IndexOf('"');
            close = next < 0 ? record.Length : close + next;
            if (close + 1 >= record.Length || record[close + 1] != '"')
            {
                break;
            }
            hasQuotes = true;
            close += 2;
        }
        var text = record[1..close].ToString();
        text = hasQuotes ? text.Replace("\"\"", "\"", StringComparison.Ordinal) : text;
        values.Add(new(AsText(text) ?? text, true));
        if (close + 1 >= record.Length)
        {
            return -1;
        }
        if (record[close + 1] != delimiter)
        {
            problem = "There is text after a closing quotation mark.";
        }
        return close + 2;
    }

    /// <summary>What stands within <c>="…"</c>; null for anything else.</summary>
    private static string? AsText(ReadOnlySpan<char> value) => value is ['=', '"', .. var inner, '"'] && !inner.Contains('"') ? inner.ToString() : null;
}
