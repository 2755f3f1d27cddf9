using System.Text;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>What people hand over when they are asked for CSV, known by its first bytes.</summary>
internal static class OtherFormat
{
    /// <summary>Bytes in which pages of the web show what they are.</summary>
    private const int PageBytes = 1024;

    private static readonly string[] PageTags = ["<html", "<!doctype", "<table", "<?xml", "<meta", "<head", "<body", "<style", "<div"];

    /// <summary>What the file is, and what to do; null where nothing tells that it isn't CSV.</summary>
    public static string? Of(ReadOnlySpan<byte> bytes)
    {
        switch (bytes)
        {
            case [(byte)'P', (byte)'K', 3, 4, ..] or [0xD0, 0xCF, 0x11, 0xE0, ..]:
                return "The file is a workbook or an archive, such as .xlsx, .xls, .ods or .zip. Save the sheet as CSV.";
            case [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..]:
                return "The file is a PDF. Save the sheet as CSV.";
            case [0x1F, 0x8B, ..]:
                return "The file is compressed (gzip). Unpack it, or upload it with `Content-Encoding: gzip`.";
            case [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..] or [not 0, 0, 0, 0, not 0, 0, 0, 0, ..] or [0, 0, 0, not 0, 0, 0, 0, not 0, ..]:
                return "The file is UTF-32. Save it as UTF-8.";
            case [(byte)'{', (byte)'\\', (byte)'r', (byte)'t', (byte)'f', ..]:
                return "The file is a text document (RTF). Save the sheet as CSV.";
            default:
                break;
        }
        var start = Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, PageBytes)]).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        return Array.Exists(PageTags, tag => start.StartsWith(tag, StringComparison.OrdinalIgnoreCase)) ? "The file is a page of the web or XML, as some programs save it under the name .xls. Open it in a spreadsheet, and save the sheet as CSV."
            : start is ['{', ..] or ['[', ..] && start[1..].TrimStart() is ['"', ..] or ['{', ..] or ['}', ..] or [']', ..] ? "The file is JSON. Say `\"format\": \"json\"`."
            : null;
    }
}
