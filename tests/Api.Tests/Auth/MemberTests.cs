using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Auth;

public sealed class MemberTests(PeopleApp app) : IClassFixture<PeopleApp>
{
    [Fact]
    public async Task A_suspended_member_is_out_at_once_with_tokens_streams_and_keys_and_stays_out_until_a_new_sign_in()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Admin);
        var tokens = await (await TestOrganization.Login(app.Anonymous, email, TestOrganization.Password)).Json();
        var client = app.Client(tokens.Text("accessToken"));
        var key = app.Client((await (await client.PostAsJsonAsync("/v1/api-keys", new { name = "Key", role = "admin", scopes = new[] { "read" } })).Json(HttpStatusCode.Created)).Text("key"));
        await (await key.GetAsync("/v1/members")).Json();
        using var events = await EventReader.Open(client);
        Assert.Equal("ready", (await events.Next())!.Type);

        await Change(organization.Owner, id, new { status = "suspended" });
        // No heartbeat would tell it: there is none here within the test's patience.
        Assert.Equal("ended", (await events.Next("ended")).Type);
        Assert.Null(await events.Next());
        await Eventually.Holds(async () => (await client.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        await Eventually.Holds(async () => (await key.GetAsync("/v1/members")).StatusCode == HttpStatusCode.Unauthorized);
        await (await Refresh(tokens.Text("refreshToken"))).Problem(ProblemType.SessionEnded);
        await (await TestOrganization.Login(app.Anonymous, email, TestOrganization.Password)).Problem(ProblemType.InvalidCredentials);

        // Back again: the key works, the old session doesn't.
        await Change(organization.Owner, id, new { status = "active" });
        await Eventually.Holds(async () => (await key.GetAsync("/v1/members")).StatusCode == HttpStatusCode.OK);
        await (await client.GetAsync("/v1/me")).Problem(ProblemType.Unauthenticated);
        await (await Refresh(tokens.Text("refreshToken"))).Problem(ProblemType.SessionEnded);
        await (await (await organization.SignIn(email)).GetAsync("/v1/me")).Json();
    }

    [Fact]
    public async Task A_removed_member_is_gone_with_sessions_and_keys()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Admin);
        var client = await organization.SignIn(email);
        var key = app.Client((await (await client.PostAsJsonAsync("/v1/api-keys", new { name = "Key", role = "viewer", scopes = new[] { "read" } })).Json(HttpStatusCode.Created)).Text("key"));
        await organization.Execute("SELECT notify_member($1, $2, 'quota_warning', 'Told ' || n, deduplication_key => n::text) FROM generate_series(1, 3) n", organization.Id, id);
        await (await client.PutAsJsonAsync("/v1/notification-preferences", new { type = "mention", inApp = true, email = true })).Json();
        var lead = await organization.Create("clients", new { firstName = "Anna", assignedTo = id });
        await organization.Create("deals", new { clientId = lead.Id(), name = "Deal", ownerId = id });
        var told = await (await organization.Owner.DeleteAsync($"/v1/members/{id}?dryRun=true")).Json();
        Assert.Equal(
            [("notifications", "deleted", 3), ("members", "deleted", 1), ("notificationPreferences", "deleted", 1), ("clients", "detached", 1), ("deals", "detached", 1), ("apiKeys", "ended", 1), ("userSessions", "ended", 1)],
            told["effects"]!.AsArray().Select(effect => (effect!["resource"]!.GetValue<string>(), effect["effect"]!.GetValue<string>(), effect["count"]!.GetValue<int>()))
                .OrderBy(effect => effect.Item2, StringComparer.Ordinal).ThenByDescending(effect => effect.Item3).ThenBy(effect => effect.Item1, StringComparer.Ordinal));
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/members/{id}")).StatusCode);
        await Eventually.Holds(async () => (await client.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        await Eventually.Holds(async () => (await key.GetAsync("/v1/members")).StatusCode == HttpStatusCode.Unauthorized);
        await (await organization.Owner.GetAsync($"/v1/members/{id}")).Problem(ProblemType.NotFound);
        Assert.Null((await (await organization.Owner.GetAsync($"/v1/clients/{lead.Id()}")).Json())["assignedTo"]);
    }

    [Fact]
    public async Task A_changed_role_counts_at_once()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Viewer);
        var client = await organization.SignIn(email);
        await (await client.PostAsJsonAsync("/v1/personas", new { name = "A" })).Problem(ProblemType.Forbidden);
        await Change(organization.Owner, id, new { role = "manager" });
        await Eventually.Holds(async () => (await client.PostAsJsonAsync("/v1/personas", new { name = "A" })).StatusCode == HttpStatusCode.Created);
        var log = Assert.Single((await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={id}")).Json()).Items());
        Assert.Equal(("member.updated", "viewer", "manager"), (log.Text("actionType"), log["before"]!["role"]!.GetValue<string>(), log["after"]!["role"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Nobody_raises_above_himself_nor_touches_who_stands_above()
    {
        var organization = await app.NewOrganization();
        var (adminId, adminEmail) = await organization.AddUser(Role.Admin);
        var admin = await organization.SignIn(adminEmail);
        var (memberId, _) = await organization.AddUser(Role.Member);
        var owner = await Version(admin, organization.OwnerId);
        await (await admin.Patch($"/v1/members/{organization.OwnerId}", new { role = "viewer" }, owner)).Problem(ProblemType.Forbidden);
        await (await admin.Patch($"/v1/members/{organization.OwnerId}", new { status = "suspended" }, owner)).Problem(ProblemType.Forbidden);
        await (await admin.DeleteAsync($"/v1/members/{organization.OwnerId}")).Problem(ProblemType.Forbidden);
        await (await admin.PostAsync($"/v1/members/{organization.OwnerId}/end-sessions", null)).Problem(ProblemType.Forbidden);
        foreach (var id in new[] { adminId, memberId })
        {
            Assert.Equal(["/role"], (await (await admin.Patch($"/v1/members/{id}", new { role = "owner" }, await Version(admin, id))).Problem(ProblemType.Validation)).Fields());
        }
        Assert.Equal(["/role"], (await (await admin.PostAsJsonAsync("/v1/invitations", new { email = "a@example.com", role = "owner" })).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/role"], (await (await admin.PostAsJsonAsync("/v1/api-keys", new { name = "K", role = "owner", scopes = new[] { "read" } })).Problem(ProblemType.Validation)).Fields());
        // As high as oneself is allowed.
        await Change(admin, memberId, new { role = "admin" });
    }

    [Fact]
    public async Task The_last_owner_stays_whatever_is_tried_and_however_often_at_once()
    {
        var organization = await app.NewOrganization();
        foreach (var body in new object[] { new { role = "admin" }, new { status = "suspended" }, new { status = "inactive" } })
        {
            await (await organization.Owner.Patch($"/v1/members/{organization.OwnerId}", body, "*")).Problem(ProblemType.Conflict);
        }
        await (await organization.Owner.DeleteAsync($"/v1/members/{organization.OwnerId}")).Problem(ProblemType.Conflict);
        await (await organization.Owner.PostAsync("/v1/organization/leave", null)).Problem(ProblemType.Conflict);

        var owners = new List<(Guid Id, HttpClient Client)> { (organization.OwnerId, organization.Owner) };
        for (var more = 0; more < 3; more++)
        {
            var (id, email) = await organization.AddUser(Role.Owner);
            owners.Add((id, await organization.SignIn(email)));
        }
        var answers = await Task.WhenAll(owners.Select((owner, index) => (index % 3) switch
        {
            0 => owner.Client.Patch($"/v1/members/{owner.Id}", new { role = "admin" }, "*"),
            1 => owner.Client.PostAsync("/v1/organization/leave", null),
            _ => owner.Client.DeleteAsync($"/v1/members/{owner.Id}"),
        }));
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
        Assert.Equal(3, answers.Count(answer => answer.IsSuccessStatusCode));
        Assert.Equal(1L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM organization_members WHERE organization_id = '{organization.Id}' AND role = 'owner' AND status = 'active'"));
    }

    [Fact]
    public async Task An_organization_is_handed_over_whole()
    {
        var organization = await app.NewOrganization();
        var (heirId, heirEmail) = await organization.AddUser(Role.Member);
        var (sleeper, _) = await organization.AddUser(Role.Member);
        await organization.Execute("UPDATE organization_members SET status = 'suspended' WHERE user_id = $1", sleeper);
        async Task<HttpResponseMessage> Transfer(HttpClient client, Guid to, string password) => await client.PostAsJsonAsync("/v1/organization/transfer-ownership", new { userId = to, password });
        await (await Transfer(organization.Owner, heirId, "wrong")).Problem(ProblemType.InvalidCredentials);
        foreach (var nobody in new[] { sleeper, organization.OwnerId, Guid.NewGuid(), (await app.NewOrganization()).OwnerId })
        {
            Assert.Equal(["/userId"], (await (await Transfer(organization.Owner, nobody, TestOrganization.Password)).Problem(ProblemType.Validation)).Fields());
        }
        Assert.Equal(HttpStatusCode.NoContent, (await Transfer(organization.Owner, heirId, TestOrganization.Password)).StatusCode);
        var heir = await organization.SignIn(heirEmail);
        Assert.Equal("owner", (await (await heir.GetAsync($"/v1/members/{heirId}")).Json()).Text("role"));
        Assert.Equal("admin", (await (await heir.GetAsync($"/v1/members/{organization.OwnerId}")).Json()).Text("role"));
        await Eventually.Holds(async () => (await Transfer(organization.Owner, heirId, TestOrganization.Password)).StatusCode == HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_member_who_leaves_is_signed_out()
    {
        var organization = await app.NewOrganization();
        var member = await organization.Member(Role.Viewer);
        Assert.Equal(HttpStatusCode.NoContent, (await member.PostAsync("/v1/organization/leave", null)).StatusCode);
        await Eventually.Holds(async () => (await member.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Sessions_of_a_member_end_when_an_admin_says_so()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var clients = new[] { await organization.SignIn(email), await organization.SignIn(email) };
        Assert.Equal(2, (await (await organization.Owner.PostAsync($"/v1/members/{id}/end-sessions", null)).Json())["ended"]!.GetValue<int>());
        foreach (var client in clients)
        {
            await Eventually.Holds(async () => (await client.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        }
        await (await organization.Owner.GetAsync("/v1/me")).Json();
    }

    private Task<HttpResponseMessage> Refresh(string token) => app.Anonymous.PostAsJsonAsync("/v1/auth/refresh", new { refreshToken = token });

    private static async Task Change(HttpClient client, Guid member, object body) => await (await client.Patch($"/v1/members/{member}", body, await Version(client, member))).Json();

    private static async Task<string> Version(HttpClient client, Guid member) => (await client.GetAsync($"/v1/members/{member}")).Headers.ETag!.Tag;
}
