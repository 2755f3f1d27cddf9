using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Auth;

public sealed class ApiKeyTests(PeopleApp app) : IClassFixture<PeopleApp>
{
    [Fact]
    public async Task A_key_is_shown_once_and_never_again_nor_kept()
    {
        var organization = await app.NewOrganization();
        var made = await Make(organization, "member", "clients:read");
        var key = made.Text("key");
        Assert.StartsWith(made.Text("prefix"), key, StringComparison.Ordinal);
        foreach (var path in new[] { $"/v1/api-keys/{made.Id()}", "/v1/api-keys", "/v1/activity-logs" })
        {
            Assert.DoesNotContain(key, await organization.Owner.GetStringAsync(path), StringComparison.Ordinal);
        }
        Assert.Equal(0L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM api_keys k WHERE to_jsonb(k)::text LIKE '%{key[11..]}%'"));
    }

    [Fact]
    public async Task A_key_acts_for_its_maker_within_scopes_and_role()
    {
        var organization = await app.NewOrganization();
        var client = app.Client((await Make(organization, "member", "clients:read", "clients:write")).Text("key"));
        client.DefaultRequestHeaders.UserAgent.ParseAdd("shop/1.0");
        var made = await (await client.PostAsJsonAsync("/v1/clients", new { firstName = "Anna" })).Json(HttpStatusCode.Created);
        await (await client.GetAsync($"/v1/clients/{made.Id()}")).Json();
        Assert.Contains("contacts:read", (await (await client.GetAsync("/v1/contacts")).Problem(ProblemType.Forbidden)).Text("detail"), StringComparison.Ordinal);
        // The scope would do, the role doesn't: deleting clients takes a manager.
        await (await client.DeleteAsync($"/v1/clients/{made.Id()}")).Problem(ProblemType.Forbidden);
        var log = Assert.Single((await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={made.Id()}")).Json()).Items());
        Assert.Equal((organization.OwnerId, "shop/1.0"), (log["userId"]!.GetValue<Guid>(), log.Text("userAgent")));
        Assert.NotNull(log["apiKeyId"]);
    }

    [Fact]
    public async Task A_key_never_may_more_than_its_maker_may_now()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Admin);
        var key = app.Client((await (await (await organization.SignIn(email)).PostAsJsonAsync("/v1/api-keys", new { name = "K", role = "admin", scopes = new[] { "read", "write" } })).Json(HttpStatusCode.Created)).Text("key"));
        await (await key.PostAsJsonAsync("/v1/personas", new { name = "A" })).Json(HttpStatusCode.Created);
        await organization.Execute("UPDATE organization_members SET role = 'viewer' WHERE user_id = $1", id);
        await Eventually.Holds(async () => (await key.PostAsJsonAsync("/v1/personas", new { name = "B" })).StatusCode == HttpStatusCode.Forbidden);
        await (await key.GetAsync("/v1/personas")).Json();
    }

    [Fact]
    public async Task Before_a_process_hears_that_a_role_was_taken_the_database_refuses_which_is_no_defect()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Admin);
        var client = await organization.SignIn(email);
        await (await client.PostAsJsonAsync("/v1/personas", new { name = "A" })).Json(HttpStatusCode.Created);
        // Nobody is told.
        await app.Database.ExecuteAsAdminAsync($"SET session_replication_role = replica; UPDATE organization_members SET role = 'viewer' WHERE user_id = '{id}'; RESET session_replication_role");
        await (await client.PostAsJsonAsync("/v1/personas", new { name = "B" })).Problem(ProblemType.Forbidden);
    }

    [Fact]
    public async Task A_key_can_not_do_what_takes_a_person()
    {
        var organization = await app.NewOrganization();
        var key = app.Client((await Make(organization, "owner", "read", "write")).Text("key"));
        await (await key.GetAsync("/v1/api-keys")).Problem(ProblemType.Forbidden);
        await (await key.PostAsJsonAsync("/v1/api-keys", new { name = "More", role = "owner", scopes = new[] { "write" } })).Problem(ProblemType.Forbidden);
        await (await key.PostAsJsonAsync("/v1/auth/switch", new { organizationId = organization.Id })).Problem(ProblemType.Forbidden);
        await (await key.PostAsync("/v1/organization/leave", null)).Problem(ProblemType.Forbidden);
    }

    [Fact]
    public async Task A_rotated_key_overlaps_with_the_one_before_and_no_older_one()
    {
        var organization = await app.NewOrganization();
        var made = await Make(organization, "member", "read");
        var (first, second) = (made.Text("key"), (await Rotate(organization, made, 1)).Text("key"));
        Assert.NotEqual(first, second);
        Assert.True(await Works(first) && await Works(second));
        var third = (await Rotate(organization, made, 1)).Text("key");
        await Eventually.Holds(async () => !await Works(first));
        Assert.True(await Works(second) && await Works(third));
        await organization.Execute("UPDATE api_keys SET previous_until = now() - interval '1 second' WHERE id = $1", made.Id());
        await Eventually.Holds(async () => !await Works(second));
        var last = (await Rotate(organization, made, 0)).Text("key");
        await Eventually.Holds(async () => !await Works(third));
        Assert.True(await Works(last));
    }

    [Fact]
    public async Task A_key_that_ended_is_refused_at_once()
    {
        var organization = await app.NewOrganization();
        var deleted = await Make(organization, "member", "read");
        Assert.True(await Works(deleted.Text("key")));
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/api-keys/{deleted.Id()}")).StatusCode);
        await Eventually.Holds(async () => !await Works(deleted.Text("key")));
        var expiring = await Make(organization, "member", "read");
        Assert.True(await Works(expiring.Text("key")));
        await organization.Execute("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1", expiring.Id());
        await Eventually.Holds(async () => !await Works(expiring.Text("key")));
        foreach (var invented in new[] { "ap_", "ap_nonsense", deleted.Text("key") + "A" })
        {
            Assert.False(await Works(invented));
        }
    }

    [Fact]
    public async Task Scopes_and_ends_are_checked()
    {
        var organization = await app.NewOrganization();
        foreach (var scopes in new[] { new[] { "everything" }, ["clients:delete"], [], ["auth:write"] })
        {
            Assert.Equal(["/scopes"], (await (await organization.Owner.PostAsJsonAsync("/v1/api-keys", new { name = "K", role = "member", scopes })).Problem(ProblemType.Validation)).Fields());
        }
        Assert.Equal(["/expiresAt"], (await (await organization.Owner.PostAsJsonAsync(
            "/v1/api-keys", new { name = "K", role = "member", scopes = new[] { "read" }, expiresAt = "2020-01-01T00:00:00Z" })).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task The_last_use_is_written_without_a_write_for_each_request()
    {
        var organization = await app.NewOrganization();
        var made = await Make(organization, "member", "read");
        var client = app.Client(made.Text("key"));
        for (var request = 0; request < 3; request++)
        {
            await (await client.GetAsync("/v1/clients")).Json();
        }
        Assert.Null((await (await organization.Owner.GetAsync($"/v1/api-keys/{made.Id()}")).Json())["lastUsedAt"]);
        await app.Services.GetRequiredService<ApiKeyUse>().Flush(CancellationToken.None);
        var read = await (await organization.Owner.GetAsync($"/v1/api-keys/{made.Id()}")).Json();
        Assert.NotNull(read["lastUsedAt"]);
        Assert.Equal(made["version"]!.GetValue<long>(), read["version"]!.GetValue<long>());
    }

    private static Task<JsonObject> Make(TestOrganization organization, string role, params string[] scopes) => organization.Create("api-keys", new { name = "Key", role, scopes });

    private static async Task<JsonObject> Rotate(TestOrganization organization, JsonObject key, int overlapHours) =>
        await (await organization.Owner.PostAsJsonAsync($"/v1/api-keys/{key.Id()}/rotate", new { overlapHours })).Json();

    private async Task<bool> Works(string key) => (await app.Client(key).GetAsync("/v1/clients")).StatusCode == HttpStatusCode.OK;
}
