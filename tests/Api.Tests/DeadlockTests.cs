using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests;

public sealed class DeadlockTests(ApiApp app) : IClassFixture<ApiApp>
{
    /// <summary>Postgres gives up whoever looks first, a second after it began to wait: nearly always the request.</summary>
    private const int MostTries = 5;

    [Fact]
    public async Task A_request_that_Postgres_gave_up_for_a_deadlock_does_its_transaction_again()
    {
        var organization = await TestOrganization.Create(app);
        var clients = new List<Guid>();
        for (var index = 0; index < 2; index++)
        {
            clients.Add(Guid.Parse((await organization.Create("clients", new { firstName = $"Client {index}" })).Text("id")));
        }
        clients.Sort();
        for (var tries = 0; ; tries++)
        {
            Assert.True(tries < MostTries, "The request was never the one that Postgres gave up.");
            var tag = $"tag {tries}";
            if (await MeetsDeadlock(organization, clients, tag))
            {
                Assert.Equal(2L, await organization.Query<long>("SELECT count(*) FROM clients WHERE organization_id = $1 AND $2 = ANY (tags)", organization.Id, tag));
                Assert.Equal(2L, await organization.Query<long>("SELECT count(*) FROM activity_logs WHERE organization_id = $1 AND action_type = 'client.tagged' AND after::text LIKE $2", organization.Id, $"%{tag}%"));
                return;
            }
        }
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    public async Task A_change_of_a_tag_waits_for_what_bears_it_before_it_holds_the_tag(string method)
    {
        var organization = await TestOrganization.Create(app);
        var client = Guid.Parse((await organization.Create("clients", new { firstName = "Anna", tags = new[] { "vip" } })).Text("id"));
        var tag = Assert.Single((await (await organization.Owner.GetAsync("/v1/tags")).Json()).Items()).Id();
        await using var other = new NpgsqlConnection(app.DatabaseUrl);
        await other.OpenAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await Lock(other, "SELECT 1 FROM clients WHERE id = '{0}' FOR UPDATE", client);
        var request = method == "PATCH" ? organization.Owner.Patch($"/v1/tags/{tag}", new { name = "regular" }, "*") : organization.Owner.DeleteAsync($"/v1/tags/{tag}");
        await Eventually.Holds(SomebodyWaits(organization));
        // As whoever changes a client's tags does: the client first, its tags after it.
        await Lock(other, "SELECT 1 FROM tags WHERE id = '{0}' FOR UPDATE NOWAIT", tag);
        await transaction.CommitAsync();
        Assert.True((await request).IsSuccessStatusCode);
        Assert.Equal(method == "PATCH" ? ["regular"] : [], await organization.Query<string[]>("SELECT tags FROM clients WHERE id = $1", client));
    }

    private static Func<Task<bool>> SomebodyWaits(TestOrganization organization) => () => organization.Query<bool>(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE '%api%' AND wait_event_type = 'Lock')");

    /// <summary>Whether it was the request that was given up, not the other transaction: that one got what the request held.</summary>
    private async Task<bool> MeetsDeadlock(TestOrganization organization, List<Guid> clients, string tag)
    {
        await using var other = new NpgsqlConnection(app.DatabaseUrl);
        await other.OpenAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await Lock(other, "SET LOCAL deadlock_timeout = '10s'; SELECT 1 FROM clients WHERE id = '{0}' FOR UPDATE", clients[1]);
        var request = organization.Owner.PostAsJsonAsync("/v1/clients/bulk-tag", new { ids = clients, add = new[] { tag } });
        await Eventually.Holds(SomebodyWaits(organization));
        var wasGivenUp = true;
        try
        {
            await Lock(other, "SELECT 1 FROM clients WHERE id = '{0}' FOR UPDATE", clients[0]);
            await transaction.CommitAsync();
        }
        catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.DeadlockDetected)
        {
            wasGivenUp = false;
            await transaction.RollbackAsync();
        }
        Assert.Equal(HttpStatusCode.OK, (await request).StatusCode);
        return wasGivenUp;
    }

    private static async Task Lock(NpgsqlConnection connection, string sql, Guid client)
    {
        await using var command = new NpgsqlCommand(string.Format(System.Globalization.CultureInfo.InvariantCulture, sql, client), connection);
        await command.ExecuteNonQueryAsync();
    }
}
