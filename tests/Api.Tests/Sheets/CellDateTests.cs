using System.Globalization;
using AgentPlatform.Api.Transfer.Sheets;

namespace AgentPlatform.Api.Tests.Sheets;

public sealed class CellDateTests
{
    /// <summary>A cell, what it is with the day first, and with the month first.</summary>
    [Theory]
    [InlineData("31.12.2025", "2025-12-31", null)]
    [InlineData("12/31/2025", null, "2025-12-31")]
    [InlineData("3/4/2025", "2025-04-03", "2025-03-04")]
    [InlineData("03-04-2025", "2025-04-03", "2025-03-04")]
    [InlineData("4.4.2025", "2025-04-04", "2025-04-04")]
    [InlineData("31. 12. 2025", "2025-12-31", null)]
    [InlineData("2025. 12. 31.", "2025-12-31", "2025-12-31")]
    [InlineData("2025-12-31", "2025-12-31", "2025-12-31")]
    [InlineData("2025/12/31", "2025-12-31", "2025-12-31")]
    [InlineData("31.12.25", "2025-12-31", null)]
    [InlineData("31.12.75", "1975-12-31", null)]
    [InlineData("31-Dec-25", "2025-12-31", "2025-12-31")]
    [InlineData("31 December 2025", "2025-12-31", "2025-12-31")]
    [InlineData("Dec 31, 2025", "2025-12-31", "2025-12-31")]
    [InlineData("31.12.2025 14:30", "2025-12-31 14:30", null)]
    [InlineData("31.12.2025, 14:30:15", "2025-12-31 14:30:15", null)]
    [InlineData("12/31/25, 2:30 PM", null, "2025-12-31 14:30")]
    [InlineData("12/31/2025 12:05 am", null, "2025-12-31 00:05")]
    [InlineData("12/31/2025 2:30:00\u202FPM", null, "2025-12-31 14:30")]
    [InlineData("31/12/2025 2:30 p. m.", "2025-12-31 14:30", null)]
    [InlineData("2025-12-31T14:30", "2025-12-31 14:30", "2025-12-31 14:30")]
    [InlineData("29.02.2024", "2024-02-29", null)]
    public void A_date_is_read_in_either_order(string text, string? dayFirst, string? monthFirst)
    {
        var date = CellDate.Read(text);
        Assert.Equal((Moment(dayFirst), Moment(monthFirst)), (date.DayFirst, date.MonthFirst));
    }

    [Theory]
    [InlineData("2025-12-31 14:30:00+02", 120)]
    [InlineData("2025-12-31 14:30:00 -0530", -330)]
    [InlineData("2025-12-31 14:30:00.123456789 UTC", 0)]
    [InlineData("31.12.2025 14:30Z", 0)]
    public void An_offset_is_read_with_it(string text, int minutes) => Assert.Equal(TimeSpan.FromMinutes(minutes), CellDate.Read(text).Offset);

    [Theory]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("45657")]
    [InlineData("29.02.2025")]
    [InlineData("31.04.2025")]
    [InlineData("32.13.2025")]
    [InlineData("13/13/2025")]
    [InlineData("00.00.0000")]
    [InlineData("0000-00-00")]
    [InlineData("31.12.35")]
    [InlineData("31.12.202")]
    [InlineData("31.12-2025")]
    [InlineData("31.12.2025 25:00")]
    [InlineData("31.12.2025 13:30 PM")]
    [InlineData("31.12.2025 14:60")]
    [InlineData("31.12.2025 soon")]
    [InlineData("2025-12-31 14:30+15:00")]
    [InlineData("٣١.١٢.٢٠٢٥")]
    public void What_is_no_date_is_none(string text) => Assert.False(CellDate.Read(text).IsDate);

    private static DateTime? Moment(string? text) => text is null ? null : DateTime.Parse(text, CultureInfo.InvariantCulture);
}
