using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Imports that make the same rows at once, and others who make them beside an import: each line finds the row that is there when it goes in.</summary>
public sealed class SimultaneousUpsertTests(JobApp app) : IClassFixture<JobApp>
{
    [Theory]
    [InlineData("clients", "email", "email,firstName\n", "a@example.com,{0}\nb@example.com,{0}\n")]
    [InlineData("clients", "phone", "phone,firstName\n", "+15550000001,{0}\n+15550000002,{0}\n")]
    [InlineData("products", "ecommerceProductId", "ecommerceProductId,name\n", "a,{0}\nb,{0}\n")]
    [InlineData("tags", "name", "name,color\n", "a,#00000{0}\nb,#00000{0}\n")]
    public async Task Two_imports_of_the_same_keys_make_each_row_once(string resource, string key, string header, string lines)
    {
        var organization = await app.NewOrganization();
        var owner = organization.Owner;
        var files = new List<Guid>();
        for (var index = 1; index <= 2; index++)
        {
            files.Add(await owner.Upload(header + string.Format(null, lines, index)));
        }
        var jobs = new List<Guid>();
        await using (var other = new NpgsqlConnection(app.DatabaseUrl))
        {
            await other.OpenAsync();
            await using var transaction = await other.BeginTransactionAsync();
            // Rows can be looked for, but none go in: both imports come as far as they can without each other.
            await Run(transaction, $"LOCK TABLE {resource} IN SHARE MODE");
            foreach (var file in files)
            {
                jobs.Add((await (await owner.PostAsJsonAsync("/v1/jobs/imports", new { resource, fileId = file, mode = "upsert", key })).Json(HttpStatusCode.Accepted)).Id());
            }
            await Waiting(organization, 2);
        }
        foreach (var id in jobs)
        {
            var job = await owner.Ended(id);
            Assert.Empty(await owner.Errors(job));
            Assert.Equal(2, job["result"]!["imported"]!.GetValue<int>());
        }
        var rows = await owner.All(resource);
        Assert.Equal(2, rows.Length);
        Assert.All(rows, row => Assert.Equal(2, row["version"]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_row_that_somebody_makes_while_an_import_looks_for_it_is_changed()
    {
        var organization = await app.NewOrganization();
        var owner = organization.Owner;
        var file = await owner.Upload("phone,firstName\n+15550000001,Anna\n+15550000002,Boris\n+15550000003,Clara\n");
        Guid id;
        await using (var other = new NpgsqlConnection(app.DatabaseUrl))
        {
            await other.OpenAsync();
            await using var transaction = await other.BeginTransactionAsync();
            await Run(transaction, $"INSERT INTO clients (organization_id, phone, last_name) VALUES ('{organization.Id}', '+15550000002', 'Stays')");
            id = (await (await owner.PostAsJsonAsync("/v1/jobs/imports", new { resource = "clients", fileId = file, mode = "upsert", key = "phone" })).Json(HttpStatusCode.Accepted)).Id();
            await Waiting(organization, 1);
            await transaction.CommitAsync();
        }
        var job = await owner.Ended(id);
        Assert.Empty(await owner.Errors(job));
        Assert.Equal(3, job["result"]!["imported"]!.GetValue<int>());
        Assert.Equal(["Anna ", "Boris Stays", "Clara "], (await owner.All("clients")).Select(client => $"{client.Text("firstName")} {client["lastName"]?.GetValue<string>()}").Order());
    }

    private static async Task Run(NpgsqlTransaction transaction, string sql)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync();
    }

    private static Task Waiting(TestOrganization organization, long count) => Eventually.Holds(async () =>
        await organization.Query<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE '%api%' AND wait_event_type = 'Lock'") >= count);
}
