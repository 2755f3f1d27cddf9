using System.Text;
using AgentPlatform.Api.Shapes;
using Microsoft.Net.Http.Headers;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>Encodings of CSV files. All of them have the delimiters, quotation marks and line ends of ASCII as units of their own, so that lines can be cut before they are decoded.</summary>
internal static class CsvEncoding
{
    public const string Utf8 = "utf-8";
    public const string Utf16LittleEndian = "utf-16le";
    public const string Utf16BigEndian = "utf-16be";
    public const string Western = "windows-1252";

    /// <summary>As IANA and browsers call them.</summary>
    public static readonly string[] Names =
    [
        Utf8, Utf16LittleEndian, Utf16BigEndian,
        Western, "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258", "windows-874",
        "iso-8859-1", "iso-8859-2", "iso-8859-15", "koi8-r", "macintosh", "ibm437", "ibm850", "ibm852", "ibm866",
        "shift_jis", "gb18030", "big5", "euc-kr",
    ];

    private static readonly string[] CodePagePrefixes = ["windows-", "windows", "cp-", "cp", "ibm-", "ibm", "win-", "win"];

    /// <summary>What programs call them besides; a number is a code page of Windows or DOS.</summary>
    private static readonly Dictionary<string, string> OtherNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["utf8"] = Utf8,
        ["utf-8-sig"] = Utf8,
        ["utf16le"] = Utf16LittleEndian,
        ["utf16be"] = Utf16BigEndian,
        ["latin-1"] = "iso-8859-1",
        ["latin-2"] = "iso-8859-2",
        ["latin-9"] = "iso-8859-15",
        ["ansi"] = Western,
        ["mac"] = "macintosh",
        ["mac-roman"] = "macintosh",
        ["macroman"] = "macintosh",
        ["sjis"] = "shift_jis",
        ["shift-jis"] = "shift_jis",
        ["cp932"] = "shift_jis",
        ["windows-31j"] = "shift_jis",
        ["gbk"] = "gb18030",
        ["gb2312"] = "gb18030",
        ["cp936"] = "gb18030",
        ["cp950"] = "big5",
        ["euckr"] = "euc-kr",
        ["euc_kr"] = "euc-kr",
        ["cp949"] = "euc-kr",
        ["ks_c_5601-1987"] = "euc-kr",
    };

    /// <summary>Longest byte order mark.</summary>
    private const int MarkBytes = 4;

    /// <summary>Bytes at the beginning that tell UTF-16 without a mark.</summary>
    public const int SampleBytes = 4096;

    /// <summary>The encoding, which takes no bytes that aren't its own.</summary>
    public static Encoding Find(string name) =>
        CodePagesEncodingProvider.Instance.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
        ?? Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);

    /// <summary>A field that takes an encoding, by any name of <see cref="Named"/>.</summary>
    public static Field EncodingField(string name) => new(name, new ChoiceType(Names) { Spelling = text => Named(text) ?? text });

    /// <summary>The encoding that a name means, in whatever case: one of <see cref="Names"/>, or null.</summary>
    public static string? Named(string text)
    {
        var name = text.Trim().ToLowerInvariant();
        if (OtherNames.TryGetValue(name, out var other))
        {
            return other;
        }
        foreach (var prefix in CodePagePrefixes)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal) && name[prefix.Length..] is { Length: > 0 } number && number.All(char.IsAsciiDigit))
            {
                return Names.FirstOrDefault(known => known == $"windows-{number}" || known == $"ibm{number}");
            }
        }
        return Names.Contains(name) ? name : Registered(name);
    }

    /// <summary>
    /// The encoding that a media type declares with its <c>charset</c>; null where it declares none, or one that tells nothing (US-ASCII, the default of old; UTF-16, whose order of bytes
    /// the file shows). ISO 8859-1 is Windows-1252 there, as browsers read it. False for one that isn't known.
    /// </summary>
    public static bool TryDeclared(string contentType, out string? encoding)
    {
        encoding = null;
        var charset = MediaTypeHeaderValue.TryParse(contentType, out var type) ? HeaderUtilities.RemoveQuotes(type.Charset).ToString() : "";
        if (charset.Length == 0 || charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase) || charset.Equals("ascii", StringComparison.OrdinalIgnoreCase) || charset.Equals("utf-16", StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }
        encoding = Named(charset) is "iso-8859-1" ? Western : Named(charset);
        return encoding is not null;
    }

    /// <summary>By a name that IANA has registered for it.</summary>
    private static string? Registered(string name)
    {
        try
        {
            var known = (CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name)).WebName;
            return Names.Contains(known) ? known : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Bytes of a unit: 2 for UTF-16.</summary>
    public static int UnitBytes(string name) => name is Utf16LittleEndian or Utf16BigEndian ? 2 : 1;

    /// <summary>The encoding that a file's byte order mark names, and the mark's length; null without one.</summary>
    public static (string? Name, int Length) Mark(ReadOnlySpan<byte> bytes) => bytes[..Math.Min(bytes.Length, MarkBytes)] switch
    {
        [0xEF, 0xBB, 0xBF, ..] => (Utf8, 3),
        [0xFF, 0xFE, ..] => (Utf16LittleEndian, 2),
        [0xFE, 0xFF, ..] => (Utf16BigEndian, 2),
        _ => (null, 0),
    };

    /// <summary>
    /// UTF-16 without a mark: a header has letters, delimiters and line ends of ASCII, so many units have a zero in the same half, and hardly any in the other. Null where it isn't so.
    /// </summary>
    public static string? Unmarked(ReadOnlySpan<byte> sample)
    {
        var (units, first, second) = (sample.Length / 2, 0, 0);
        for (var index = 0; index < units; index++)
        {
            first += sample[2 * index] == 0 ? 1 : 0;
            second += sample[(2 * index) + 1] == 0 ? 1 : 0;
        }
        return second * 8 >= units && first * 8 < second ? Utf16LittleEndian
            : first * 8 >= units && second * 8 < first ? Utf16BigEndian
            : null;
    }
}
