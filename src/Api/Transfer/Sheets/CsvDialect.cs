using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// How a file of CSV is written: what was asked for, and else what the whole file shows. It is found once, before the first line, and kept with the import's position, so that a
/// run that goes on reads the rest as the one before it did.
/// </summary>
internal sealed record CsvDialect
{
    /// <summary>One of <see cref="CsvEncoding.Names"/>.</summary>
    public required string Encoding { get; init; }

    /// <summary>One of <see cref="Delimiters"/>.</summary>
    public required string Delimiter { get; init; }

    /// <summary><c>\n</c>, with or without a carriage return before it; <c>\r</c> where that alone ends lines.</summary>
    public string LineEnd { get; init; } = "\n";

    /// <summary><c>.</c> or <c>,</c>; null where the file's numbers need none, or are of both kinds and each plain by itself.</summary>
    public string? DecimalSign { get; init; }

    /// <summary><see cref="DayFirst"/> or <see cref="MonthFirst"/>; null as with <see cref="DecimalSign"/>.</summary>
    public string? DateOrder { get; init; }

    /// <summary>The organization's, in which times without an offset are read.</summary>
    public required string TimeZone { get; init; }

    /// <summary>Where the header begins: behind a byte order mark, a line <c>sep=;</c> and rows without any value.</summary>
    public required RecordPosition Header { get; init; }

    public const string DayFirst = "dmy";
    public const string MonthFirst = "mdy";

    /// <summary>In the order in which they are tried.</summary>
    public static readonly string[] Delimiters = [",", ";", "\t"];

    /// <summary>A field that takes a delimiter.</summary>
    public static Field DelimiterField(string name) => new(name, new ChoiceType(Delimiters) { Told = "a comma, a semicolon or a tab" });

    public static readonly string[] DecimalSigns = [".", ","];

    public static readonly string[] DateOrders = [DayFirst, MonthFirst];
}
