using System.Text;

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

    /// <summary>Longest byte order mark.</summary>
    private const int MarkBytes = 4;

    /// <summary>Bytes at the beginning that tell UTF-16 without a mark.</summary>
    public const int SampleBytes = 4096;

    /// <summary>The encoding, which takes no bytes that aren't its own.</summary>
    public static Encoding Find(string name) =>
        CodePagesEncodingProvider.Instance.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
        ?? Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);

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
