using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Transfer.Sheets;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Sheets;

/// <summary>Exports that are opened in a spreadsheet, saved by it, and come back.</summary>
public sealed class SheetExportTests(JobApp app, ITestOutputHelper output) : IClassFixture<JobApp>
{
    private const int Rows = 40;
    private const string Client = "anna@example.com";
    private static readonly string[] Parts =
    [
        "=", "+", "-", "@", "\uFF1D", "\uFF0B", "'", "\"", ",", ";", "\t", "\n", "(", "|", "!", "#", "0", "1", "7", ".", ":", "/", "E+", " ", "a", "ü", "é", "€", "TRUE", "#N/A", "01067", "4915112345678", "=cmd|' /C calc'!A0",
    ];

    [Theory]
    [InlineData("ours", null, null, true)]
    [InlineData("ours", ";", ",", true)]
    [InlineData("ours", "\t", ".", false)]
    [InlineData("German Excel", ";", ",", true)]
    [InlineData("American Excel", ",", ".", true)]
    [InlineData("Unicode Text", ",", ".", true)]
    public async Task What_is_exported_comes_back_as_it_was(string spreadsheet, string? delimiter, string? decimalSign, bool hasMark)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var (source, target) = (await app.NewOrganization(), await app.NewOrganization());
        foreach (var organization in new[] { source, target })
        {
            await organization.Create("clients", new { firstName = "Anna", email = Client });
        }
        var client = (await source.Owner.All("clients"))[0].Id();
        for (var index = 0; index < Rows; index++)
        {
            await source.Create("deals", new
            {
                clientId = client,
                name = Text(random, index),
                description = Text(random, index),
                externalId = Text(random, index),
                dealValue = Math.Round((decimal)random.NextDouble() * 10_000m, random.Next(3)),
                probability = random.Next(101),
                expectedCloseDate = DateOnly.FromDayNumber(739_000 + random.Next(700)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                tags = new[] { Text(random, index), "b" },
                customFields = new Dictionary<string, object> { ["a;=cmd|b"] = Text(random, index), ["n"] = -1.5 },
            });
            await source.Create("partners", new { name = Text(random, index), rating = random.Next(501) / 100m, isAvailable = random.Next(2) == 0, conditions = index % 3 == 0 ? null : Text(random, index) });
        }
        var sheet = new JsonObject { ["references"] = "keys" };
        foreach (var (option, value) in new[] { ("delimiter", delimiter), ("decimalSign", decimalSign) }.Where(given => given.Item2 is not null))
        {
            sheet[option] = value;
        }
        if (!hasMark)
        {
            sheet["byteOrderMark"] = false;
        }
        foreach (var resource in new[] { "deals", "partners" })
        {
            sheet["resource"] = resource;
            var export = await source.Owner.Job("/v1/jobs/exports", sheet);
            var file = await source.Owner.Download(export);
            Assert.Equal(hasMark, file.AsSpan().StartsWith(Encoding.UTF8.GetPreamble()));
            var saved = spreadsheet == "ours" ? file : new Spreadsheet(spreadsheet).Save(file, (delimiter ?? ",")[0]);
            var job = await target.Owner.Job("/v1/jobs/imports", new { resource, fileId = await target.Owner.Upload(saved) });
            Assert.Equal("", string.Join('\n', (await (await target.Owner.GetAsync($"/v1/jobs/{job.Id()}/job-errors")).Json()).Items().Select(error => $"{error["line"]} {error["field"]} {error["detail"]}")));
            Assert.Equal(await Comparable(source, resource), await Comparable(target, resource));
        }
    }

    [Fact]
    public async Task Options_of_csv_are_refused_for_json_lines()
    {
        var organization = await app.NewOrganization();
        foreach (var (option, value) in new (string, JsonNode)[] { ("delimiter", ";"), ("decimalSign", ","), ("byteOrderMark", false) })
        {
            var refused = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/exports", new JsonObject { ["resource"] = "partners", ["format"] = "jsonl", [option] = value })).Problem(ProblemType.Validation);
            Assert.Equal([$"/{option}"], refused.Fields());
        }
    }

    /// <summary>A text without blanks at its edges, which spreadsheets don't keep apart, and different for each row.</summary>
    private static string Text(Random random, int row) =>
        string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => Parts[random.Next(Parts.Length)])).Trim() + (random.Next(2) == 0 ? "" : "z") is { Length: > 0 } text && random.Next(4) > 0
            ? $"{text}{row}"
            : string.Create(CultureInfo.InvariantCulture, $"0{row}");

    private static async Task<string[]> Comparable(TestOrganization organization, string resource) =>
        [.. (await organization.Owner.All(resource)).Select(row => string.Join(" | ", new[] { "name", "description", "externalId", "dealValue", "probability", "expectedCloseDate", "tags", "customFields", "rating", "isAvailable", "conditions" }
            .Select(field => row[field]?.ToJsonString()))).Order(StringComparer.Ordinal)];

    /// <summary>
    /// What a spreadsheet does to a file that it opens and saves: formulas are evaluated, numbers and dates become its own and are written as it shows them, and texts are quoted only where
    /// they have to be.
    /// </summary>
    private sealed class Spreadsheet(string kind)
    {
        private readonly bool _isGerman = kind == "German Excel";

        public byte[] Save(byte[] file, char delimiter)
        {
            var values = new List<CsvValue>();
            var text = new StringBuilder();
            foreach (var record in Records(Encoding.UTF8.GetString(file).TrimStart('\uFEFF')))
            {
                Assert.Null(new CsvLine(CsvEncoding.Utf8, delimiter).Read(Encoding.UTF8.GetBytes(record), values));
                var divider = kind switch { "German Excel" => ";", "American Excel" => ",", _ => "\t" };
                text.AppendJoin(divider, values.Select(value => Quoted(Shown(value.Text)))).Append("\r\n");
            }
            text.Append(";;;\r\n".Replace(";", kind switch { "German Excel" => ";", "American Excel" => ",", _ => "\t" }, StringComparison.Ordinal));
            return kind switch
            {
                "Unicode Text" => [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes(text.ToString())],
                _ => [.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(text.ToString())],
            };
        }

        /// <summary>Lines, but for the ends within quotation marks.</summary>
        private static IEnumerable<string> Records(string text)
        {
            var (start, isQuoted) = (0, false);
            for (var index = 0; index < text.Length; index++)
            {
                isQuoted ^= text[index] == '"';
                if (text[index] == '\n' && !isQuoted)
                {
                    yield return text[start..index].TrimEnd('\r');
                    start = index + 1;
                }
            }
        }

        private string Shown(string cell)
        {
            if (cell is "true" or "false")
            {
                return (cell, _isGerman) switch { ("true", true) => "WAHR", ("false", true) => "FALSCH", _ => cell.ToUpperInvariant() };
            }
            if (DateOnly.TryParseExact(cell, "yyyy-MM-dd", out var day))
            {
                return day.ToString(_isGerman ? "dd.MM.yyyy" : "M/d/yyyy", CultureInfo.InvariantCulture);
            }
            var number = _isGerman ? cell.Replace(".", "", StringComparison.Ordinal).Replace(',', '.') : cell;
            if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            {
                var shown = Math.Abs(value) >= 1e11 ? value.ToString("0.#####E+00", CultureInfo.InvariantCulture) : value.ToString("0.#########", CultureInfo.InvariantCulture);
                return _isGerman ? shown.Replace('.', ',') : shown;
            }
            return cell.Length > 0 && "=+-@\uFF1D\uFF0B".Contains(cell[0], StringComparison.Ordinal) ? "#NAME?" : cell;
        }

        private static string Quoted(string cell) => cell.AsSpan().IndexOfAny("\",;\t\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
