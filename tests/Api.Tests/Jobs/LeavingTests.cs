using System.IO.Compression;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.EveryRoute;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Grains.Archives;
using Npgsql;

namespace AgentPlatform.Api.Tests.Jobs;

public sealed class LeavingTests(JobApp app, OtherInstallation other) : IClassFixture<JobApp>, IClassFixture<OtherInstallation>
{
    [Fact]
    public async Task What_is_exported_and_imported_elsewhere_and_exported_again_is_the_same()
    {
        var (source, conversation, _) = await FullOrganization.Create(app);
        var archive = await source.Export();
        var target = await other.NewOrganization();
        // The people are members there already; who isn't is invited, and named no more.
        await target.Execute("WITH u AS (INSERT INTO users (id, email) VALUES (gen_random_uuid(), $2) RETURNING id) INSERT INTO organization_members (organization_id, user_id, role) SELECT $1, id, 'member' FROM u", target.Id, source.OwnerEmail);
        var job = await target.Import(archive);
        Assert.Equal((0, 0), (job["result"]!["cutReferences"]!.GetValue<int>(), job["result"]!["invited"]!.GetValue<int>()));
        var copy = Assert.Single(await target.Owner.All("conversations"));
        Assert.NotEqual(conversation.Id, copy.Id());
        Assert.Equal($"I am {FullOrganization.Mark}", (await (await target.Owner.GetAsync($"/v1/conversations/{copy.Id()}/messages?sort=sequence")).Json()).Items()[0].Text("textContent"));

        var (before, after) = (Portrait(archive), Portrait(await target.Export()));
        Assert.Equal(before.Keys, after.Keys);
        foreach (var table in before.Keys)
        {
            Assert.True(before[table].SequenceEqual(after[table]), $"{table}:\n{string.Join('\n', before[table].Except(after[table]))}\n---\n{string.Join('\n', after[table].Except(before[table]))}");
        }
        Assert.True(before.Values.Count(rows => rows.Length > 0) >= 12, string.Join(", ", before.Where(table => table.Value.Length > 0).Select(table => table.Key)));
    }

    [Fact]
    public async Task One_of_everything_comes_back_and_nothing_is_done_twice()
    {
        var populated = await PopulatedOrganization.Create(app);
        var source = populated.Organization;
        await source.Execute("UPDATE messages SET status = 'pending', direction = 'outbound', sender_type = 'agent' WHERE id = $1", populated.Ids["messages"]);
        var target = await other.NewOrganization();
        await target.Import(await source.Export());
        foreach (var path in new[] { "workflows", "sequences", "deals", "orders", "activities", "experiments", "automation-rules", "agents", "channels", "clients" })
        {
            Assert.Equal(Names(await source.Owner.All(path)), Names(await target.Owner.All(path)));
        }
        Assert.Equal("failed", await target.Query<string>("SELECT status FROM messages WHERE organization_id = $1", target.Id));

        static string[] Names(JsonObject[] rows) => [.. rows.Select(row => $"{row["name"]} {row["orderNumber"]} {row["subject"]} {row["firstName"]} {row["createdAt"]}").Order()];
    }

    [Fact]
    public async Task All_rows_get_new_ids_that_fit_together_and_keep_their_order()
    {
        var (source, conversation, client) = await FullOrganization.Create(app);
        var archive = await source.Export();
        var theirs = await TenantRows.Fingerprint(app, source.Id);
        var target = await app.NewOrganization();
        await target.Import(archive);
        var copy = Assert.Single(await target.Owner.All("conversations"));
        Assert.NotEqual(conversation.Id, copy.Id());
        Assert.Equal(2, (await target.Owner.All($"conversations/{copy.Id()}/messages")).Length);
        Assert.Equal(Assert.Single(await target.Owner.All("agents")).Text("id"), (await (await target.Owner.GetAsync("/v1/organization")).Json()).Text("defaultAgentId"));
        Assert.DoesNotContain(await target.Owner.All("clients"), found => found.Id() == client);
        // The owner of the source has an account here, and is no member of the target: only an invitation could change that.
        Assert.DoesNotContain(await target.Owner.All("members"), member => member.Id() == source.OwnerId);
        Assert.Equal(await Texts(source), await Texts(target));
        Assert.Equal(theirs, await TenantRows.Fingerprint(app, source.Id));

        Task<string> Texts(TestOrganization of) => of.Query<string>("SELECT string_agg(text_content, '|' ORDER BY left(id::text, 13), sequence) FROM messages WHERE organization_id = $1", of.Id);
    }

    [Fact]
    public async Task An_archive_can_not_reach_into_another_organization()
    {
        var victim = await PopulatedOrganization.Create(app);
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);
        var (source, _, _) = await FullOrganization.Create(app);
        var archive = (await source.Export()).ToBytes();
        var target = await app.NewOrganization();

        // Rows that refer to the victim's rows, and claim to be the victim's.
        var job = await target.Import(ForgedArchive.Of(archive)
            .Change("partners", row => row["organization_id"] = victim.Organization.Id.ToString())
            .Change("clients", row => row["assigned_partner_id"] = victim.Ids["partners"].ToString())
            .Change("organizations", row => row["default_agent_id"] = victim.Ids["agents"].ToString()));
        Assert.True(job["result"]!["cutReferences"]!.GetValue<int>() > 0);
        Assert.All(await target.Owner.All("clients"), client => Assert.Null(client["assignedPartnerId"]));
        Assert.Null((await (await target.Owner.GetAsync("/v1/organization")).Json())["defaultAgentId"]);

        var required = await app.NewOrganization();
        Assert.Contains("tours", await required.Refusal(ForgedArchive.Of(archive).Change("tours", row => row["product_id"] = victim.Ids["products"].ToString())), StringComparison.Ordinal);
        Assert.Empty(await required.Owner.All("clients"));

        var member = await app.NewOrganization();
        await member.Import(ForgedArchive.Of(archive)
            .Change("users", row => row["id"] = victim.Organization.OwnerId.ToString())
            .Change("organization_members", row => row["user_id"] = victim.Organization.OwnerId.ToString()));
        Assert.Equal([member.OwnerId], (await member.Owner.All("members")).Select(found => found.Id()));
        Assert.Equal(before, await TenantRows.Fingerprint(app, victim.Organization.Id));
    }

    [Fact]
    public async Task A_damaged_archive_is_refused_as_a_whole()
    {
        var (source, _, _) = await FullOrganization.Create(app);
        var archive = (await source.Export()).ToBytes();
        var target = await app.NewOrganization();
        var changed = ForgedArchive.Of(archive).ToBytes(manifest: manifest => manifest["tables"]!["clients"]!["sha256"] = new string('0', 64));
        var job = await target.Import(changed, "failed");
        Assert.Contains("tables/clients.jsonl", job.Text("error"), StringComparison.Ordinal);
        await target.Owner.Job("/v1/organization/import", new { fileId = await target.Owner.Upload(archive[..(archive.Length / 2)], "a.zip") }, "failed");
        await target.Owner.Job("/v1/organization/import", new { fileId = await target.Owner.Upload("no zip at all") }, "failed");
        Assert.Empty(await target.Owner.All("clients"));
    }

    [Fact]
    public async Task An_archive_holds_no_secret_and_its_manifest_tells_what_is_in_it()
    {
        var (source, _, _) = await FullOrganization.Create(app);
        await source.Create("channels", new { name = "WhatsApp", platform = "whatsapp", platformChannelId = $"{Random.Shared.NextInt64(1, long.MaxValue)}", credentials = new { appSecret = "s", verifyToken = "v", accessToken = "a" } });
        var archive = await source.Owner.Download(await source.Owner.Job("/v1/organization/export", null));
        using var zip = new ZipArchive(new MemoryStream(archive));
        var manifest = JsonNode.Parse(zip.GetEntry("manifest.json")!.Open())!;
        foreach (var (table, told) in manifest["tables"]!.AsObject())
        {
            using var content = new MemoryStream();
            using (var entry = zip.GetEntry($"tables/{table}.jsonl")!.Open())
            {
                entry.CopyTo(content);
            }
            Assert.Equal(told!["sha256"]!.GetValue<string>(), Convert.ToHexStringLower(SHA256.HashData(content.ToArray())));
            Assert.Equal(told["count"]!.GetValue<long>(), content.ToArray().LongCount(value => value == '\n'));
        }
        Assert.Contains("channels.credentials", manifest["leftOut"]!.AsArray().Select(entry => entry!.GetValue<string>()));
        Assert.Contains("llm_credentials", manifest["leftOut"]!.AsArray().Select(entry => entry!.GetValue<string>()));

        // Every column that sounds like a secret is left out, or known to hold none.
        string[] harmless = ["deduplication_key"];
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        var catalog = await TenantCatalog.Read(connection, CancellationToken.None);
        var open = ArchiveRules.Tables(catalog).SelectMany(table => table.Columns.Where(column => column.Type is "text" or "bytea" && !ArchiveRules.IsSecret(column.Name)).Select(column => $"{table.Name}.{column.Name}"))
            .Where(column => System.Text.RegularExpressions.Regex.IsMatch(column.Split('.')[1], "secret|token|password|credential|hash|_key$") && !harmless.Contains(column.Split('.')[1])).ToArray();
        Assert.Empty(open);
    }

    [Fact]
    public async Task A_deleted_organization_is_nowhere_any_more()
    {
        var (organization, _, _) = await FullOrganization.Create(app);
        var (staying, _, _) = await FullOrganization.Create(app);
        var theirs = await TenantRows.Fingerprint(app, staying.Id);
        await organization.Owner.Download(await organization.Owner.Job("/v1/organization/export", null));
        var admin = await organization.Member(Role.Admin);
        await (await admin.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Problem(ProblemType.Forbidden);
        Assert.Equal(["/name"], (await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "organization" })).Problem(ProblemType.Validation)).Fields());
        var job = await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(System.Net.HttpStatusCode.Accepted);
        Assert.True(job["dueAt"]!.GetValue<DateTimeOffset>() > DateTimeOffset.UtcNow.AddDays(29));
        await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Problem(ProblemType.Conflict);

        // Taken back, asked for again, and due.
        await (await admin.PostAsync($"/v1/jobs/{job.Id()}/cancel", null)).Problem(ProblemType.Forbidden);
        await (await organization.Owner.PostAsync($"/v1/jobs/{job.Id()}/cancel", null)).Json();
        job = await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(System.Net.HttpStatusCode.Accepted);
        await organization.Execute("UPDATE jobs SET due_at = now() WHERE id = $1", job.Id());
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM organizations WHERE id = '{organization.Id}'") == 0);

        Assert.Empty(await FullOrganization.Scan(app, organization.Id.ToString()));
        Assert.Empty(await FullOrganization.Scan(app, organization.OwnerId.ToString()));
        Assert.Empty(await FullOrganization.Scan(app, organization.OwnerEmail));
        await Eventually.Holds(async () => (int)(await organization.Owner.GetAsync("/v1/clients")).StatusCode == 401);
        Assert.Equal(theirs, await TenantRows.Fingerprint(app, staying.Id));
    }

    /// <summary>
    /// The rows of an archive without its ids: in place of each id stands what the row says that bears it, and what the rows say that that one names, and so on.
    /// </summary>
    private static SortedDictionary<string, string[]> Portrait(ForgedArchive archive)
    {
        // Jobs, the uploads of archives, and imports are logged themselves; who acted is told otherwise of what came with an archive; people are compared by those who name them.
        archive.Rows("activity_logs").RemoveAll(row => row["action_type"]!.GetValue<string>() is "job.created" or "organization.imported" || row["after"]?["name"]?.ToString() == "organization.zip");
        archive.Rows("activity_logs").ForEach(row => Array.ForEach(["user_id", "imported_in", "imported_actor"], column => row.Remove(column)));
        var signs = archive.Rows("users").ToDictionary(user => user["id"]!.GetValue<string>(), user => user["email"]!.GetValue<string>());
        signs[archive.OrganizationId.ToString()] = "ORGANIZATION";
        var tables = archive.Tables.Where(table => table is not ("users" or "organization_members")).ToArray();
        for (var round = 0; round < 6; round++)
        {
            var next = new Dictionary<string, string>(signs);
            foreach (var row in tables.SelectMany(archive.Rows).Where(row => row["id"] is not null))
            {
                next[row["id"]!.GetValue<string>()] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Signed(row))))[..12];
            }
            signs = next;
        }
        return new(tables.ToDictionary(table => table, table => archive.Rows(table).Select(Signed).Order(StringComparer.Ordinal).ToArray()), StringComparer.Ordinal);

        string Signed(JsonObject row) => System.Text.RegularExpressions.Regex.Replace(row.ToJsonString(), "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id => signs.GetValueOrDefault(id.Value, "ID"));
    }
}

/// <summary>The product on a database of its own: another installation.</summary>
public sealed class OtherInstallation : EngineApp;
