using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Transfer;

namespace AgentPlatform.Api.Tests.Jobs;

public sealed class ExportTests(JobApp app) : IClassFixture<JobApp>
{
    /// <summary>Texts that a spreadsheet, a CSV reader or a line reader could take for something else.</summary>
    private static readonly string[] Odd =
        ["=1+1", "+15550001111", "-2", "@SUM(A1)", "'=quoted", "''", "'", "plain", "a,b", "a\"b", "line\nbreak", "\ttab", " space ", "; semicolon", "Привет", "😀", "=HYPERLINK(\"http://x\",\"y\")"];

    [Fact]
    public async Task What_is_exported_as_csv_can_be_imported_and_is_the_same()
    {
        var (source, target) = (await app.NewOrganization(), await app.NewOrganization());
        foreach (var odd in Odd)
        {
            await source.Create("clients", new { firstName = odd, companyName = "x" + odd, tags = new[] { odd.Trim().Length == 0 ? "t" : odd, "b" }, address = new { street = odd }, leadScore = -5 });
        }
        var job = await source.Owner.Job("/v1/jobs/exports", new { resource = "clients", format = "csv" });
        var csv = await source.Owner.Download(job);
        foreach (var cell in Encoding.UTF8.GetString(csv).Split('\n').SelectMany(line => line.Split(',')).Select(cell => cell.Trim('"')))
        {
            Assert.True(cell.Length == 0 || cell == "-5" || !"=+-@\t".Contains(cell[0], StringComparison.Ordinal), $"A spreadsheet takes {cell} for a formula.");
        }
        var imported = await target.Owner.Job("/v1/jobs/imports", new { resource = "clients", fileId = await target.Owner.Upload(csv) });
        Assert.Empty(await target.Owner.Errors(imported));
        Assert.Equal(await Comparable(source), await Comparable(target));

        static async Task<string[]> Comparable(TestOrganization organization) =>
            [.. (await organization.Owner.All("clients")).Select(client => string.Join("|", client["firstName"], client["companyName"], client["tags"]!.ToJsonString(), client["address"]!.ToJsonString(), client["leadScore"])).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task An_export_holds_what_the_list_has_under_its_filters()
    {
        var organization = await app.NewOrganization();
        for (var index = 0; index < 7; index++)
        {
            await organization.Create("clients", new { firstName = $"C{index}", clientType = index % 2 == 0 ? "customer" : "lead" });
        }
        var job = await organization.Owner.Job("/v1/jobs/exports", new { resource = "clients", format = "jsonl", filters = new { clientType = "customer", sort = "firstName" } });
        var lines = Encoding.UTF8.GetString(await organization.Owner.Download(job)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["C0", "C2", "C4", "C6"], lines.Select(line => JsonNode.Parse(line)!["firstName"]!.GetValue<string>()));
        Assert.Equal(4, job["result"]!["rows"]!.GetValue<int>());

        var wrong = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/exports", new { resource = "clients", filters = new { clientType = "king" } })).Problem(ProblemType.Validation);
        Assert.Equal(["/filters/clientType"], wrong.Fields());
        await (await (await organization.Member(Role.Member)).PostAsJsonAsync("/v1/jobs/exports", new { resource = "activity-logs" })).Problem(ProblemType.Forbidden);
    }

    [Theory]
    [InlineData("source")]
    [InlineData("tags")]
    [InlineData("assignedTo")]
    [InlineData("email")]
    [InlineData("q")]
    [InlineData("sort")]
    [InlineData("leadScoreFrom")]
    public async Task A_filter_without_a_value_is_refused(string filter)
    {
        var organization = await app.NewOrganization();
        var refused = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/exports", new JsonObject { ["resource"] = "clients", ["filters"] = new JsonObject { [filter] = new JsonArray() } })).Problem(ProblemType.Validation);
        Assert.Equal([$"/filters/{filter}"], refused.Fields());
    }

    [Fact]
    public async Task Every_list_of_its_own_can_be_exported_and_has_all_its_rows()
    {
        var populated = await EveryRoute.PopulatedOrganization.Create(app);
        var owner = populated.Organization.Owner;
        foreach (var path in ResourceCatalog.All.Where(resource => ExportWork.CanExport(resource) && resource.Parent is null).Select(resource => resource.Path).Where(path => path is not ("jobs" or "files" or "activity-logs")))
        {
            var listed = (await owner.All(path)).Length;
            var csv = await owner.Job("/v1/jobs/exports", new { resource = path, format = "csv" });
            var lines = await owner.Job("/v1/jobs/exports", new { resource = path, format = "jsonl" });
            // The end of the first export is told to whoever asked for it.
            var told = path == "notifications" ? 1 : 0;
            Assert.Equal((path, listed, listed + told), (path, csv["result"]!["rows"]!.GetValue<int>(), lines["result"]!["rows"]!.GetValue<int>()));
            Assert.Equal(listed + told, Encoding.UTF8.GetString(await owner.Download(lines)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!["id"]).Count());
        }
    }

    [Fact]
    public async Task A_key_moves_only_what_its_scopes_let_it_read_and_write()
    {
        var organization = await app.NewOrganization();
        var key = (await organization.Create("api-keys", new { name = "Key", role = "admin", scopes = new[] { "jobs:read", "jobs:write", "files:read", "files:write", "partners:read", "partners:write" } })).Text("key");
        using var client = app.Client(key);
        await client.Job("/v1/jobs/exports", new { resource = "partners" });
        await client.Job("/v1/jobs/imports", new { resource = "partners", fileId = await client.Upload("name\nA\n") });
        foreach (var (path, body) in new (string, object)[] { ("exports", new { resource = "clients" }), ("imports", new { resource = "clients", fileId = await client.Upload("firstName\nA\n") }), ("finetuning-datasets", new { }) })
        {
            var refused = await (await client.PostAsJsonAsync($"/v1/jobs/{path}", body)).Problem(ProblemType.Forbidden);
            Assert.Contains("scope", refused.Text("detail"), StringComparison.Ordinal);
        }
        await (await client.PostAsJsonAsync("/v1/jobs/exports", new { resource = "api-keys" })).Problem(ProblemType.Forbidden);
        await (await client.PostAsync("/v1/organization/export", null)).Problem(ProblemType.Forbidden);
    }

    [Fact]
    public async Task Conversations_become_examples_that_end_with_an_answer()
    {
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001", "Is there", "a tour?", "Thanks");
        await organization.Execute("UPDATE messages SET sequence = sequence + 10 WHERE conversation_id = $1", conversation.Id);
        await organization.Execute("UPDATE messages SET sequence = CASE text_content WHEN 'Is there' THEN 1 WHEN 'a tour?' THEN 2 ELSE 4 END WHERE conversation_id = $1", conversation.Id);
        var answer = await conversation.Add(organization, 3, "Yes, in May.");
        await organization.Execute("UPDATE messages SET direction = 'outbound', sender_type = 'ai', status = 'sent' WHERE id = $1", answer);
        await SeededConversation.Create(organization, "Boris", "+15550000002", "Never answered");

        var job = await organization.Owner.Job("/v1/jobs/finetuning-datasets", new { system = "You are a guide." });

        Assert.Equal(("model_finetuning", 1), (job.Text("type"), job["result"]!["examples"]!.GetValue<int>()));
        Assert.Equal(
            """{"messages":[{"role":"system","content":"You are a guide."},{"role":"user","content":"Is there\na tour?"},{"role":"assistant","content":"Yes, in May."}]}""" + "\n",
            Encoding.UTF8.GetString(await organization.Owner.Download(job)));
    }

    [Fact]
    public async Task A_file_is_for_its_organization_and_its_role_until_it_expires()
    {
        var organization = await app.NewOrganization();
        var job = await organization.Owner.Job("/v1/jobs/exports", new { resource = "activity-logs" });
        var file = job["result"]!["fileId"]!.GetValue<Guid>();
        var path = $"/v1/files/{file}/content";
        Assert.NotEmpty(await organization.Owner.GetByteArrayAsync(path));
        await (await (await organization.Member(Role.Member)).GetAsync(path)).Problem(ProblemType.Forbidden);
        await (await (await app.NewOrganization()).Owner.GetAsync(path)).Problem(ProblemType.NotFound);
        await (await app.Anonymous.GetAsync(path)).Problem(ProblemType.Unauthenticated);
        await organization.Execute("UPDATE files SET expires_at = now() - interval '1 second' WHERE id = $1", file);
        await (await organization.Owner.GetAsync(path)).Problem(ProblemType.NotFound);
    }
}
