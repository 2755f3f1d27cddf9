using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>What happens to an import when the world changes under it: it stops with a reason, between two chunks, and goes on from there when it may again.</summary>
public sealed class InterruptedImportTests(JobApp app) : IClassFixture<JobApp>
{
    private const int Lines = 2500;

    [Theory]
    [InlineData("UPDATE organization_members SET role = 'viewer' WHERE user_id = $1", "UPDATE organization_members SET role = 'member' WHERE user_id = $1", "failed", "This needs the role member; yours is viewer.")]
    [InlineData("UPDATE organization_members SET status = 'suspended' WHERE user_id = $1", "UPDATE organization_members SET status = 'active' WHERE user_id = $1", "failed", "The member on whose behalf it runs is no longer active.")]
    [InlineData(
        "UPDATE organizations SET status = 'suspended', suspended_at = now() WHERE id = (SELECT organization_id FROM organization_members WHERE user_id = $1)",
        "UPDATE organizations SET status = 'active', suspended_at = NULL WHERE id = (SELECT organization_id FROM organization_members WHERE user_id = $1)", "failed", "The organization is suspended.")]
    [InlineData("UPDATE jobs SET cancel_requested_at = now() WHERE user_id = $1", "SELECT $1::uuid", "cancelled", null)]
    public async Task An_import_stops_where_it_may_not_go_on_and_loses_nothing(string interruption, string restoration, string status, string? told)
    {
        var organization = await app.NewOrganization();
        var (person, email) = await organization.AddUser(Role.Member);
        await organization.Create("clients", new { phone = "+15550000000" });
        var csv = new StringBuilder("phone,firstName\n");
        for (var index = 0; index < Lines; index++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"+1555{index:0000000},Anna\n");
        }
        await using var other = new NpgsqlConnection(app.DatabaseUrl);
        await other.OpenAsync();
        Guid id;
        await using (var transaction = await other.BeginTransactionAsync())
        {
            // Somebody else holds the first line's row, so that the chunk waits in its midst.
            await using (var hold = new NpgsqlCommand("SELECT id FROM clients WHERE organization_id = $1 FOR UPDATE", other, transaction) { Parameters = { new() { Value = organization.Id } } })
            {
                await hold.ExecuteNonQueryAsync();
            }
            var member = await organization.SignIn(email);
            var file = await member.Upload(csv.ToString());
            id = (await (await member.PostAsJsonAsync("/v1/jobs/imports", new { resource = "clients", fileId = file, mode = "upsert", key = "phone" })).Json(HttpStatusCode.Accepted)).Id();
            await Eventually.Holds(() => organization.Query<bool>("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')"));
            await organization.Execute(interruption, person);
            await transaction.RollbackAsync();
        }
        await Eventually.Holds(() => organization.Query<bool>("SELECT status NOT IN ('pending', 'processing') FROM jobs WHERE id = $1", id));

        Assert.Equal(status, await organization.Query<string>("SELECT status FROM jobs WHERE id = $1", id));
        Assert.Equal(told ?? "", await organization.Query<string>("SELECT coalesce(error, '') FROM jobs WHERE id = $1", id));
        var done = await organization.Query<long>("SELECT coalesce((progress->>'succeeded')::bigint, 0) FROM jobs WHERE id = $1", id);
        Assert.True(done < Lines);
        Assert.Equal(done, await organization.Query<long>("SELECT count(*) FROM clients WHERE organization_id = $1 AND first_name = 'Anna'", organization.Id));

        await organization.Execute(restoration, person);
        var owner = await organization.SignIn(organization.OwnerEmail);
        await (await owner.PostAsync($"/v1/jobs/{id}/retry", null)).Json();
        var job = await owner.Ended(id);
        Assert.Empty(await owner.Errors(job));
        Assert.Equal((Lines, Lines), (job["progress"]!["processed"]!.GetValue<int>(), job["progress"]!["succeeded"]!.GetValue<int>()));
        Assert.Equal(Lines, await organization.Query<long>("SELECT count(*) FROM clients WHERE organization_id = $1 AND first_name = 'Anna'", organization.Id));
        Assert.Equal(Lines, await organization.Query<long>("SELECT count(*) FROM activity_logs WHERE organization_id = $1 AND after->>'firstName' = 'Anna'", organization.Id));
    }

    [Fact]
    public async Task A_file_whose_rest_is_gone_is_not_one_that_is_done()
    {
        var organization = await app.NewOrganization();
        var line = new string('x', 900);
        var file = await organization.Owner.Upload("name,conditions\n" + string.Concat(Enumerable.Range(0, Lines).Select(index => string.Create(CultureInfo.InvariantCulture, $"Partner {index},{line}\n"))));
        await organization.Execute("DELETE FROM file_chunks WHERE file_id = $1 AND byte_offset > 1500000", file);
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "partners", fileId = file }, "failed");
        Assert.Equal("The file is gone.", job.Text("error"));
        Assert.Equal(job["progress"]!["succeeded"]!.GetValue<long>(), await organization.Query<long>("SELECT count(*) FROM partners WHERE organization_id = $1", organization.Id));
    }
}
