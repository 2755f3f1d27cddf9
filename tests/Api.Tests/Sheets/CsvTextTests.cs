using System.Text;
using AgentPlatform.Api.Transfer.Sheets;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Sheets;

public sealed class CsvTextTests(ITestOutputHelper output)
{
    private const string Formula = "=+-@\uFF1D\uFF0B\uFF0D\uFF20";

    [Theory]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+4915112345678", "'+4915112345678")]
    [InlineData("-2", "'-2")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\uFF1D1+1", "'\uFF1D1+1")]
    [InlineData("\uFF0B1", "'\uFF0B1")]
    [InlineData("\uFF0D1", "'\uFF0D1")]
    [InlineData("\uFF20a", "'\uFF20a")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("\r=1", "'\r=1")]
    [InlineData("\n=1", "'\n=1")]
    [InlineData("'=1", "''=1")]
    [InlineData("\"=1", "'\"=1")]
    [InlineData("01067", "'01067")]
    [InlineData("4915112345678", "'4915112345678")]
    [InlineData("1-2", "'1-2")]
    [InlineData("10:30", "'10:30")]
    [InlineData("1 1/2", "'1 1/2")]
    [InlineData("1.0", "'1.0")]
    [InlineData("12E45", "'12E45")]
    [InlineData("4,91512E+11", "'4,91512E+11")]
    [InlineData("#N/A", "'#N/A")]
    [InlineData("a;=HYPERLINK(\"http://x\",\"y\")", "a;'=HYPERLINK(\"http://x\",\"y\")")]
    [InlineData("a\n=cmd|' /C calc'!A0", "a\n'=cmd|' /C calc'!A0")]
    [InlineData("a;\"=cmd|' /C calc'!A0\"", "a;'\"=cmd|' /C calc'!A0\"")]
    [InlineData("", "")]
    [InlineData("'", "'")]
    [InlineData("plain", "plain")]
    [InlineData("O'Brien", "O'Brien")]
    [InlineData("a=b", "a=b")]
    [InlineData("1001", "1001")]
    [InlineData("0", "0")]
    [InlineData("Main Street 5", "Main Street 5")]
    [InlineData("To do:\n- call\n- write", "To do:\n- call\n- write")]
    public void A_text_that_a_spreadsheet_would_change_has_an_apostrophe_that_is_taken_away_again(string text, string cell)
    {
        Assert.Equal(cell, CsvText.Guard(text));
        Assert.Equal(text, CsvText.Unguard(cell));
    }

    [Fact]
    public void No_text_is_changed_on_its_way_out_and_in_and_none_that_could_call_something_is_left()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        const string Characters = "'\"=+-@\uFF1D\uFF0D,;\t\r\n(|!#0159.E: aü";
        for (var count = 0; count < 200_000; count++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => Characters[random.Next(Characters.Length)]));
            var cell = CsvText.Guard(text);
            Assert.Equal(text, CsvText.Unguard(cell));
            Assert.False(cell.Length > 0 && (Formula + "\t\r\n").Contains(cell[0], StringComparison.Ordinal), cell);
            // However a spreadsheet divides it.
            Assert.DoesNotContain(cell.Split([',', ';', '\t', '\r', '\n']), part =>
                part.TrimStart('"') is { Length: > 0 } rest && Formula.Contains(rest[0], StringComparison.Ordinal) && rest.AsSpan().ContainsAny("(|!#"));
        }
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] parts = ["\"", "'", "=", ",", ";", "\t", "\r", "\n", " ", "a", "\u00A0", "ü", "😀"];
        var values = new List<CsvValue>();
        for (var count = 0; count < 20_000; count++)
        {
            foreach (var delimiter in CsvDialect.Delimiters)
            {
                string[] texts = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => parts[random.Next(parts.Length)])))];
                var line = new StringBuilder();
                foreach (var (index, text) in texts.Index())
                {
                    CsvText.Append(index > 0 ? line.Append(delimiter) : line, CsvText.Guard(text));
                }
                Assert.Null(new CsvLine(CsvEncoding.Utf8, delimiter[0]).Read(Encoding.UTF8.GetBytes(line.ToString()), values));
                Assert.Equal(texts, values.Select(value => CsvText.Unguard(value.Text)));
            }
        }
    }
}
