using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// A date, with or without a time, as people and spreadsheets write it. One without its year in front is read twice, with the day and with the month first; <c>3/4/2025</c> can be both.
/// </summary>
/// <param name="DayFirst">What it is when the day stands first, as written there and then; null when it can't be.</param>
/// <param name="MonthFirst">The same for the month.</param>
/// <param name="HasDots">Dots between day, month and year: then the day stands first, unless the file shows otherwise.</param>
/// <param name="Offset">From UTC, where it is said.</param>
internal readonly partial record struct CellDate(DateTime? DayFirst, DateTime? MonthFirst, bool HasDots, TimeSpan? Offset)
{
    /// <summary>Longest text that is taken for a date.</summary>
    private const int MaxLength = 60;

    /// <summary>Two digits from here on are of the last century, those below <see cref="LastOfThis"/> of this one. Programs differ about the years between, so they are none.</summary>
    private const int FirstOfLast = 50;

    private const int LastOfThis = 30;

    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

    public bool IsDate => DayFirst is not null || MonthFirst is not null;

    /// <summary>Both readings fit, and differ.</summary>
    public bool IsAmbiguous => DayFirst is { } day && MonthFirst is { } month && day != month;

    /// <summary>The date under an order; without one, that of the only reading. Null where that doesn't fit.</summary>
    public DateTime? Value(string? order) => order switch
    {
        CsvDialect.DayFirst => DayFirst,
        CsvDialect.MonthFirst => MonthFirst,
        _ => IsAmbiguous ? null : DayFirst ?? MonthFirst,
    };

    public static CellDate Read(string text)
    {
        if (text.Length > MaxLength)
        {
            return default;
        }
        // "20:30 PM" has a narrow no-break space in newer systems.
        var match = Numbers().Match(text) is { Success: true } numbers ? numbers : Words().Match(text) is { Success: true } words ? words : WordFirst().Match(text);
        if (!match.Success || TimeOf(match) is not { } time || !TryOffset(match, out var offset))
        {
            return default;
        }
        var hasDots = match.Groups["sign"].Value == ".";
        if (match.Groups["month"].Value is { Length: > 0 } name)
        {
            var written = Day(match.Groups["year"].Value, MonthOf(name), match.Groups["day"].Value, time);
            return new(written, written, hasDots, offset);
        }
        var (first, second, third) = (match.Groups["first"].Value, match.Groups["second"].Value, match.Groups["third"].Value);
        if (first.Length == 4)
        {
            var written = third.Length <= 2 ? Day(first, Number(second), third, time) : null;
            return new(written, written, hasDots, offset);
        }
        return first.Length > 2 ? default : new(Day(third, Number(second), first, time), Day(third, Number(first), second, time), hasDots, offset);
    }

    private static int Number(string digits) => int.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    private static int MonthOf(string name) => Array.FindIndex(Months, month => name.StartsWith(month, StringComparison.OrdinalIgnoreCase)) + 1;

    private static DateTime? Day(string year, int month, string day, TimeSpan time)
    {
        var full = (year.Length, Number(year)) switch
        {
            (4, var known) => known,
            (2, >= FirstOfLast and var known) => 1900 + known,
            (2, < LastOfThis and var known) => 2000 + known,
            _ => 0,
        };
        return full >= PossibleDays.First.Year && full <= PossibleDays.Last.Year && month is >= 1 and <= 12 && Number(day) is var number && number >= 1 && number <= DateTime.DaysInMonth(full, month)
            ? new DateTime(full, month, number).Add(time)
            : null;
    }

    /// <summary>The time of the day, midnight without one; null when there is no such time.</summary>
    private static TimeSpan? TimeOf(Match match)
    {
        if (!match.Groups["hour"].Success)
        {
            return TimeSpan.Zero;
        }
        var (hour, minute) = (Number(match.Groups["hour"].Value), Number(match.Groups["minute"].Value));
        var second = match.Groups["seconds"].Success ? Number(match.Groups["seconds"].Value) : 0;
        if (match.Groups["half"].Value is { Length: > 0 } half)
        {
            if (hour is 0 or > 12)
            {
                return null;
            }
            hour = (hour % 12) + (half[0] is 'p' or 'P' ? 12 : 0);
        }
        // To the microsecond, as Postgres keeps it.
        var fraction = match.Groups["fraction"].Value;
        var ticks = fraction.Length == 0 ? 0 : Number(fraction.PadRight(7, '0')[..6]) * TimeSpan.TicksPerMicrosecond;
        return hour > 23 || minute > 59 || second > 59 ? null : new TimeSpan(hour, minute, second).Add(new TimeSpan(ticks));
    }

    private static bool TryOffset(Match match, out TimeSpan? offset)
    {
        offset = null;
        if (match.Groups["offset"].Value is not { Length: > 0 } text)
        {
            return true;
        }
        if (text[0] is not ('+' or '-'))
        {
            offset = TimeSpan.Zero;
            return true;
        }
        var digits = text[1..].Replace(":", "", StringComparison.Ordinal);
        var (hours, minutes) = (Number(digits[..2]), digits.Length > 2 ? Number(digits[2..]) : 0);
        offset = new TimeSpan(hours, minutes, 0) * (text[0] == '-' ? -1 : 1);
        return hours <= 14 && minutes <= 59;
    }

    private const string Time =
        @"(?:(?:,?\s+|T)(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2})(?::(?<seconds>[0-9]{2})(?:[.,](?<fraction>[0-9]{1,9}))?)?(?:\s?(?<half>[ap]\.?\s?m\.?))?(?:\s?(?<offset>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?))?)?\z";

    /// <summary>31.12.2025 14:30, 31. 12. 2025, 12/31/25, 2:30 PM, 2025-12-31T14:30:00+01:00.</summary>
    [GeneratedRegex(@"^(?<first>[0-9]{1,4})(?<sign>[./-])\s?(?<second>[0-9]{1,2})\k<sign>\s?(?<third>[0-9]{1,4})\.?" + Time, RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Numbers();

    /// <summary>31-Dec-25, 31 December 2025.</summary>
    [GeneratedRegex(@"^(?<day>[0-9]{1,2})(?:[-/]|\.?\s)" + Month + @"(?:[-/]|[.,]?\s)(?<year>[0-9]{4}|[0-9]{2})" + Time, RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Words();

    /// <summary>Dec 31, 2025.</summary>
    [GeneratedRegex("^" + Month + @"\.?\s(?<day>[0-9]{1,2}),?\s(?<year>[0-9]{4})" + Time, RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex WordFirst();

    private const string Month =
        "(?<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
}
