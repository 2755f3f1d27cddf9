using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Transfer;
using AgentPlatform.Data.Files;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Files that somebody has spoiled, by accident or on purpose: each is told what is wrong, and no line of it becomes a row that nobody wrote.</summary>
public sealed class HostileImportTests(JobApp app) : IClassFixture<JobApp>
{
    public static TheoryData<string, string, byte[]> Unreadable => new()
    {
        { "csv", "workbook", "PK\u0003\u0004\u0014\0\u0006\0"u8.ToArray() },
        { "csv", "workbook", [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1] },
        { "csv", "`sep=`", "sep=|\nname|conditions\nA|B\n"u8.ToArray() },
        { "csv", "empty", Encoding.UTF8.GetPreamble() },
        { "csv", "empty", "\r\n\n"u8.ToArray() },
        { "csv", "\"na\uFFFDme\" is not a field", "na\0me,conditions\nA,B\n"u8.ToArray() },
        { "csv", "is not a field", Encoding.UTF8.GetBytes(new string('x', 99) + "😀,name\nA,B\n") },
        { "csv", "Two columns of the file fill name", "name,NAME\nA,B\n"u8.ToArray() },
        { "csv", "longer than", Encoding.UTF8.GetBytes(new string('x', RecordReader.MaxRecordBytes + 1) + "\nA\n") },
        { "csv", "not closed", "\"name,conditions\nA,B\n"u8.ToArray() },
        { "json", "UTF-16", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("[{\"name\": \"A\"}]")).ToArray() },
    };

    [Theory]
    [MemberData(nameof(Unreadable))]
    public async Task A_file_that_can_not_be_read_says_why(string format, string told, byte[] content)
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, content, "failed", format);
        Assert.Contains(told, job.Text("error"), StringComparison.Ordinal);
        Assert.Empty(await organization.Owner.All("partners"));
    }

    [Theory]
    [InlineData("name\r\nA\r\n\r\nB", "A B", "")]
    [InlineData("name,conditions\nA,\"never ends\nB,x\nC,", "B C", "2 ")]
    [InlineData("name,conditions\nA,x\nB", "A B", "")]
    [InlineData("name,conditions\nA,x,\nB,x,y\nC,,\n", "A C", "3 ")]
    [InlineData("name,conditions\nA,x\nname,conditions\nB,x\n", "A B", "3 ")]
    [InlineData("name,rating\nA,\"4,5\"\nB,4.5\nC,1e0\nD,NaN\n", "A B", "4 rating,5 rating")]
    [InlineData("name,conditions\nA,a\0b\n\0,x\nB,\"=cmd|' /C calc'!A0\"\n", "B", "2 conditions,3 name")]
    [InlineData("name\n", "", "")]
    public async Task A_bad_line_is_told_and_the_others_go_in(string content, string names, string errors)
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, Encoding.UTF8.GetBytes(content));
        Assert.Equal(errors, string.Join(',', (await organization.Owner.Errors(job)).Select(error => $"{error.Line} {error.Field}")));
        Assert.Equal(names, string.Join(' ', (await organization.Owner.All("partners")).Select(partner => partner.Text("name")).Order()));
    }

    [Fact]
    public async Task Members_with_impossible_names_cost_their_own_line()
    {
        var organization = await app.NewOrganization();
        string[] lines =
        [
            "{\"name\": \"A\", \"x\\u0000y\": 1}", "{\"name\": \"B\", \"\\ud800\": 1}", $"{{\"name\": \"C\", \"{new string('x', 98)}😀\": 1}}", "{\"name\": \"D\\u0000\"}", "{\"name\": \"\\udc00\"}", "{\"name\": \"E\"}", "{\"name\": \"F\"",
        ];
        var job = await Import(organization, Encoding.UTF8.GetBytes(string.Join('\n', lines)), format: "json");
        Assert.Equal([1L, 2L, 3L, 4L, 5L, 7L], (await organization.Owner.Errors(job)).Select(error => error.Line));
        Assert.Equal("E", Assert.Single(await organization.Owner.All("partners")).Text("name"));
    }

    [Theory]
    [InlineData("csv", "")]
    [InlineData("csv", "\"")]
    [InlineData("json", "")]
    public async Task The_end_of_a_line_that_is_too_long_is_no_line(string format, string begin)
    {
        var organization = await app.NewOrganization();
        // The file is read in pieces: the line ends a little behind the piece with which it has become too long.
        var (header, good) = format == "csv" ? ("name\n", "Good\n") : ("{\"name\": \"First\"}\n", "{\"name\": \"Good\"}\n");
        var pieces = (RecordReader.MaxRecordBytes / FileStore.ChunkBytes) + 1;
        var end = format == "csv" ? "Nobody" : "{\"name\": \"Nobody\"}";
        var line = begin + new string('x', (pieces * FileStore.ChunkBytes) - header.Length - begin.Length) + end;
        var job = await Import(organization, Encoding.UTF8.GetBytes($"{header}{line}\n{good}"), format: format);
        Assert.Equal([(2L, (string?)null)], await organization.Owner.Errors(job));
        Assert.DoesNotContain("Nobody", (await organization.Owner.All("partners")).Select(partner => partner.Text("name")));
        Assert.Contains("Good", (await organization.Owner.All("partners")).Select(partner => partner.Text("name")));
    }

    [Fact]
    public async Task A_column_is_not_mapped_to_what_nobody_gives()
    {
        var organization = await app.NewOrganization();
        var file = await organization.Owner.Upload("Revenue,phone\n5,+15550000001\n");
        foreach (var field in (string[])["totalRevenue", "id", "nobody"])
        {
            var refused = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/imports", new { resource = "clients", fileId = file, mapping = new { Revenue = field } })).Problem(ProblemType.Validation);
            Assert.Equal(["/mapping/revenue"], refused.Fields());
        }
    }

    private static async Task<JsonObject> Import(TestOrganization organization, byte[] content, string expected = "completed", string format = "csv") =>
        await organization.Owner.Job("/v1/jobs/imports", new { resource = "partners", format, fileId = await organization.Owner.Upload(content) }, expected);
}
