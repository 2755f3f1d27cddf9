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
        var archive = await source.Owner.Download(await source.Owner.Job("/v1/organization/export", null));
        var target = await other.NewOrganization();
        var job = await target.Owner.Job("/v1/organization/import", new { fileId = await target.Owner.Upload(archive, "organization.zip") });
        Assert.False(job["result"]!["newIds"]!.GetValue<bool>());
        Assert.Equal(0, job["result"]!["cutReferences"]!.GetValue<int>());
        Assert.Equal($"I am {FullOrganization.Mark}", (await (await target.Owner.GetAsync($"/v1/conversations/{conversation.Id}/messages?sort=sequence")).Json()).Items()[0].Text("textContent"));

        var again = await target.Owner.Download(await target.Owner.Job("/v1/organization/export", null));
        var (before, after) = (Tables(archive, source, target.OwnerId), Tables(again, target, target.OwnerId));
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
        var archive = await source.Owner.Download(await source.Owner.Job("/v1/organization/export", null));
        var target = await other.NewOrganization();
        var job = await target.Owner.Job("/v1/organization/import", new { fileId = await target.Owner.Upload(archive, "organization.zip") });
        Assert.False(job["result"]!["newIds"]!.GetValue<bool>());
        foreach (var path in new[] { "workflows", "sequences", "deals", "orders", "activities", "experiments", "automation-rules", "agents", "channels", "clients" })
        {
            Assert.Contains(await target.Owner.All(path), row => row.Id() == populated.Ids[path]);
        }
        Assert.Equal("failed", (await (await target.Owner.GetAsync($"/v1/messages/{populated.Ids["messages"]}")).Json()).Text("status"));
    }

    [Fact]
    public async Task Where_ids_are_taken_all_rows_get_new_ones_that_fit_together()
    {
        var (source, conversation, client) = await FullOrganization.Create(app);
        var archive = await source.Owner.Download(await source.Owner.Job("/v1/organization/export", null));
        var theirs = await TenantRows.Fingerprint(app, source.Id);
        var target = await app.NewOrganization();
        var file = await target.Owner.Upload(archive, "organization.zip");
        var job = await target.Owner.Job("/v1/organization/import", new { fileId = file });
        Assert.True(job["result"]!["newIds"]!.GetValue<bool>());
        var copy = Assert.Single(await target.Owner.All("conversations"));
        Assert.NotEqual(conversation.Id, copy.Id());
        Assert.Equal(2, (await target.Owner.All($"conversations/{copy.Id()}/messages")).Length);
        Assert.Equal(Assert.Single(await target.Owner.All("agents")).Text("id"), (await (await target.Owner.GetAsync("/v1/organization")).Json()).Text("defaultAgentId"));
        Assert.DoesNotContain(await target.Owner.All("clients"), found => found.Id() == client);
        // The owner of the source has an account here, and is no member of the target: only an invitation could change that.
        Assert.DoesNotContain(await target.Owner.All("members"), member => member.Id() == source.OwnerId);
        Assert.Equal(theirs, await TenantRows.Fingerprint(app, source.Id));
    }

    [Fact]
    public async Task An_archive_can_not_reach_into_another_organization()
    {
        var victim = await PopulatedOrganization.Create(app);
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);
        var (source, _, _) = await FullOrganization.Create(app);
        var archive = await source.Owner.Download(await source.Owner.Job("/v1/organization/export", null));
        var target = await app.NewOrganization();

        // Rows that refer to the victim's rows, and claim to be the victim's.
        var forged = Forge(archive, "partners", row => row["organization_id"] = victim.Organization.Id.ToString());
        forged = Forge(forged, "clients", row => row["assigned_partner_id"] = victim.Ids["partners"].ToString());
        forged = Forge(forged, "organizations", row => row["default_agent_id"] = victim.Ids["agents"].ToString());
        var job = await target.Owner.Job("/v1/organization/import", new { fileId = await target.Owner.Upload(forged, "forged.zip") });
        Assert.True(job["result"]!["cutReferences"]!.GetValue<int>() > 0);
        Assert.All(await target.Owner.All("clients"), client => Assert.Null(client["assignedPartnerId"]));
        Assert.Null((await (await target.Owner.GetAsync("/v1/organization")).Json())["defaultAgentId"]);

        var required = await app.NewOrganization();
        forged = Forge(archive, "tours", row => row["product_id"] = victim.Ids["products"].ToString());
        var refused = await required.Owner.Job("/v1/organization/import", new { fileId = await required.Owner.Upload(forged, "forged.zip") }, "failed");
        Assert.Contains("tours", refused.Text("error"), StringComparison.Ordinal);
        Assert.Empty(await required.Owner.All("clients"));

        var member = await app.NewOrganization();
        forged = Forge(archive, "users", row => row["id"] = victim.Organization.OwnerId.ToString());
        forged = Forge(forged, "organization_members", row => row["user_id"] = victim.Organization.OwnerId.ToString());
        await member.Owner.Job("/v1/organization/import", new { fileId = await member.Owner.Upload(forged, "forged.zip") });
        Assert.Equal([member.OwnerId], (await member.Owner.All("members")).Select(found => found.Id()));
        Assert.Equal(before, await TenantRows.Fingerprint(app, victim.Organization.Id));
    }

    [Fact]
    public async Task A_damaged_archive_is_refused_as_a_whole()
    {
        var (source, _, _) = await FullOrganization.Create(app);
        var archive = await source.Owner.Download(await source.Owner.Job("/v1/organization/export", null));
        var target = await app.NewOrganization();
        var changed = Forge(archive, "clients", static row => row["first_name"] = "Forged", fixesManifest: false);
        var job = await target.Owner.Job("/v1/organization/import", new { fileId = await target.Owner.Upload(changed, "a.zip") }, "failed");
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

    /// <summary>The rows of an archive, as if the organization had no id of its own and the importer weren't there.</summary>
    private static SortedDictionary<string, string[]> Tables(byte[] archive, TestOrganization organization, Guid importer)
    {
        var tables = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        using var zip = new ZipArchive(new MemoryStream(archive));
        foreach (var entry in zip.Entries.Where(entry => entry.FullName.StartsWith("tables/", StringComparison.Ordinal)))
        {
            using var reader = new StreamReader(entry.Open(), Encoding.UTF8);
            tables[entry.FullName] = [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Replace(organization.Id.ToString(), "ORGANIZATION", StringComparison.Ordinal))];
        }
        foreach (var table in new[] { "tables/users.jsonl", "tables/organization_members.jsonl" })
        {
            tables[table] = [.. tables[table].Where(line => !line.Contains(importer.ToString(), StringComparison.Ordinal))];
        }
        // The jobs of leaving and arriving, and the upload of the archive, are logged themselves.
        tables["tables/activity_logs.jsonl"] = [.. tables["tables/activity_logs.jsonl"]
            .Where(line => !line.Contains("\"job.created\"", StringComparison.Ordinal) && !line.Contains("\"organization.zip\"", StringComparison.Ordinal))];
        return tables;
    }

    /// <summary>An archive with changed rows, and a manifest that fits them unless told otherwise.</summary>
    private static byte[] Forge(byte[] archive, string table, Action<JsonObject> change, bool fixesManifest = true)
    {
        using var stream = new MemoryStream();
        stream.Write(archive);
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        {
            var rows = new StringBuilder();
            foreach (var line in Read(zip, $"tables/{table}.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var row = JsonNode.Parse(line)!.AsObject();
                change(row);
                rows.Append(row.ToJsonString()).Append('\n');
            }
            var content = Encoding.UTF8.GetBytes(rows.ToString());
            Write(zip, $"tables/{table}.jsonl", content);
            if (fixesManifest)
            {
                var manifest = JsonNode.Parse(Read(zip, "manifest.json"))!;
                manifest["tables"]![table]!["sha256"] = Convert.ToHexStringLower(SHA256.HashData(content));
                Write(zip, "manifest.json", Encoding.UTF8.GetBytes(manifest.ToJsonString()));
            }
        }
        return stream.ToArray();

        static string Read(ZipArchive zip, string entry)
        {
            using var reader = new StreamReader(zip.GetEntry(entry)!.Open());
            return reader.ReadToEnd();
        }

        static void Write(ZipArchive zip, string entry, byte[] content)
        {
            zip.GetEntry(entry)!.Delete();
            using var target = zip.CreateEntry(entry).Open();
            target.Write(content);
        }
    }
}

/// <summary>The product on a database of its own: another installation.</summary>
public sealed class OtherInstallation : EngineApp;
