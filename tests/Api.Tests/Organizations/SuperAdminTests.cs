using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.Auth;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace AgentPlatform.Api.Tests.Organizations;

/// <summary>Who looks after the installation: what he sees of organizations, how he suspends them, and how he enters one.</summary>
public sealed class SuperAdminTests(PeopleApp app) : IClassFixture<PeopleApp>
{
    [Fact]
    public async Task A_super_admin_sees_all_organizations_with_plan_and_usage_and_nobody_else_sees_any()
    {
        var (root, _, _) = await Root();
        var organization = await app.NewOrganization();
        var mark = $"Mark {Guid.NewGuid():N}";
        await organization.Execute("UPDATE organizations SET name = $2, country = 'ES' WHERE id = $1", organization.Id, mark);
        await organization.Execute("INSERT INTO pricing_plans (code, tier, name) VALUES ('listed', 'scale', 'Listed') ON CONFLICT DO NOTHING");
        await organization.Execute("INSERT INTO subscriptions (organization_id, plan_id, status) SELECT $1, id, 'active' FROM pricing_plans WHERE code = 'listed'", organization.Id);
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        await organization.Execute("INSERT INTO usage_daily (organization_id, usage_date, conversations, tokens_consumed) VALUES ($1, $2, 3, 4200), ($1, $3, 1, 100)", organization.Id, today, today.AddMonths(-1));
        await organization.Create("agents", new { name = "Guide" });

        var listed = Assert.Single((await (await root.GetAsync($"/v1/organizations?q={mark}&status=active&plan=listed&sort=-tokens")).Json()).Items());
        Assert.Equal((organization.Id, "listed", "active", 3, 4200L),
            (listed.Id(), listed.Text("plan"), listed.Text("subscriptionStatus"), listed["conversations"]!.GetValue<int>(), listed["tokens"]!.GetValue<long>()));
        Assert.Null(listed["members"]);
        var one = await (await root.GetAsync($"/v1/organizations/{organization.Id}")).Json();
        Assert.Equal((mark, 1L, 1L, 0L), (one.Text("name"), one["members"]!.GetValue<long>(), one["agents"]!.GetValue<long>(), one["clients"]!.GetValue<long>()));
        Assert.Equal(4200, (await (await root.GetAsync($"/v1/organizations/{organization.Id}/usage")).Json())["tokens"]!["used"]!.GetValue<long>());
        Assert.Equal([4200L], (await (await root.GetAsync($"/v1/organizations/{organization.Id}/usage/daily")).Json()).Items().Select(day => day["tokens"]!.GetValue<long>()));
        Assert.Equal(2, (await (await root.GetAsync($"/v1/organizations/{organization.Id}/usage/monthly?months=2")).Json()).Items().Length);
        Assert.Empty((await (await root.GetAsync($"/v1/organizations/{organization.Id}/usage-alerts")).Json()).Items());
        Assert.Empty((await (await root.GetAsync($"/v1/organizations/{organization.Id}/billing-invoices?status=paid")).Json()).Items());
        await (await root.GetAsync($"/v1/organizations/{Guid.NewGuid()}")).Problem(ProblemType.NotFound);
        await (await root.GetAsync($"/v1/organizations/{Guid.NewGuid()}/usage")).Problem(ProblemType.NotFound);

        // Pages reach every organization once.
        var (seen, cursor) = (new List<Guid>(), "");
        do
        {
            var page = await (await root.GetAsync($"/v1/organizations?limit=2&sort=name{cursor}")).Json();
            seen.AddRange(page.Items().Select(item => item.Id()));
            cursor = page["nextCursor"]?.GetValue<string>() is { } next ? $"&cursor={next}" : "";
        }
        while (cursor.Length > 0);
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Contains(organization.Id, seen);

        foreach (var path in new[] { "/v1/organizations", $"/v1/organizations/{organization.Id}", $"/v1/organizations/{organization.Id}/usage" })
        {
            await (await organization.Owner.GetAsync(path)).Problem(ProblemType.Forbidden);
        }
        await (await organization.Owner.PostAsJsonAsync("/v1/jobs/exports", new { resource = "organizations" })).Problem(ProblemType.Validation);
    }

    [Fact]
    public async Task In_SQL_as_the_role_of_the_API_an_owner_learns_nothing_of_others_and_can_not_change_his_own_status()
    {
        var organization = await app.NewOrganization();
        await app.NewOrganization();
        Assert.Equal(0, await Scalar<long>(organization, "SELECT count(*) FROM organizations_of_installation"));
        Assert.Equal(0, await Scalar<long>(organization, $"SELECT count(*) FROM organization_size('{organization.Id}') WHERE members IS NOT NULL"));
        foreach (var sql in new[]
        {
            "UPDATE organizations SET status = 'suspended', suspended_at = now()", "UPDATE organizations SET suspended_reason = 'mine'",
            "SELECT enter_organization(gen_random_uuid(), 'owner', 'why', '\\x00', null, null, now() + interval '1 hour')",
        })
        {
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => Scalar<object>(organization, sql))).SqlState);
        }
        var (_, rootId, home) = await Root();
        Assert.True(await Scalar<long>(home, "SELECT count(*) FROM organizations_of_installation", rootId) >= 3);
        // Row level security shows a super admin no more than his own organization, as everybody else.
        Assert.Equal(1, await Scalar<long>(home, "SELECT count(*) FROM organizations", rootId));
    }

    [Fact]
    public async Task A_suspended_organization_is_shut_at_once_for_people_streams_and_keys_and_open_again_when_it_is_reactivated()
    {
        var (root, rootId, home) = await Root();
        var organization = await app.NewOrganization();
        var tokens = await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Json();
        var key = app.Client((await organization.Create("api-keys", new { name = "Key", role = "admin", scopes = new[] { "read" } })).Text("key"));
        var invitation = (await organization.Create("invitations", new { email = $"late-{Guid.NewGuid():N}@example.com", role = "member" })).Text("token");
        using var events = await EventReader.Open(organization.Owner);
        Assert.Equal("ready", (await events.Next())!.Type);

        Assert.Equal(["/reason"], (await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/suspend", new { })).Problem(ProblemType.Validation)).Fields());
        var suspended = await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/suspend", new { reason = "Spam" })).Json();
        Assert.Equal(("suspended", "Spam"), (suspended.Text("status"), suspended.Text("suspendedReason")));
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/suspend", new { reason = "Again" })).Problem(ProblemType.Conflict);
        Assert.Equal("ended", (await events.Next("ended")).Type);
        await Eventually.Holds(async () => (await organization.Owner.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        await Eventually.Holds(async () => (await key.GetAsync("/v1/members")).StatusCode == HttpStatusCode.Unauthorized);
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/refresh", new { refreshToken = tokens.Text("refreshToken") })).Problem(ProblemType.SessionEnded);
        // Told to whoever knows the password, to nobody else.
        Assert.Contains("suspended", (await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Problem(ProblemType.Forbidden)).Text("detail"), StringComparison.Ordinal);
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, "a wrong password")).Problem(ProblemType.InvalidCredentials);
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/invitation", new { token = invitation })).Problem(ProblemType.LinkEnded);

        // Somebody who is in another organization too goes on there.
        await home.Execute("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, 'viewer')", home.Id, organization.OwnerId);
        var elsewhere = await organization.SignIn(organization.OwnerEmail);
        var me = await (await elsewhere.GetAsync("/v1/me")).Json();
        Assert.Equal(home.Id, me["organization"]!["organizationId"]!.GetValue<Guid>());
        Assert.Equal("suspended", me["memberships"]!.AsArray().Single(membership => membership!["organizationId"]!.GetValue<Guid>() == organization.Id)!["status"]!.GetValue<string>());
        Assert.Equal(["/organizationId"], (await (await elsewhere.PostAsJsonAsync("/v1/auth/switch", new { organizationId = organization.Id })).Problem(ProblemType.Validation)).Fields());

        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/reactivate", new { reason = "Settled" })).Json();
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/reactivate", new { reason = "Settled" })).Problem(ProblemType.Conflict);
        await Eventually.Holds(async () => (await key.GetAsync("/v1/members")).StatusCode == HttpStatusCode.OK);
        await (await organization.Owner.GetAsync("/v1/me")).Problem(ProblemType.Unauthenticated);
        var owner = app.Client((await (await elsewhere.PostAsJsonAsync("/v1/auth/switch", new { organizationId = organization.Id })).Json()).Text("accessToken"));
        var log = (await (await owner.GetAsync($"/v1/activity-logs?entityId={organization.Id}&sort=createdAt")).Json()).Items();
        Assert.Equal([("organization.suspended", "Spam"), ("organization.reactivated", "Settled")], log.Select(row => (row.Text("actionType"), row["after"]!["reason"]!.GetValue<string>())));
        Assert.All(log, row => Assert.Equal((rootId, Email(rootId)), (row["userId"]!.GetValue<Guid>(), row["metadata"]!["superAdmin"]!.GetValue<string>())));
        await (await root.PostAsJsonAsync($"/v1/organizations/{home.Id}/suspend", new { reason = "Mine" })).Problem(ProblemType.Conflict);
    }

    [Fact]
    public async Task Whoever_enters_an_organization_works_in_it_alone_in_the_role_he_named_and_its_log_says_who_and_why()
    {
        var (root, rootId, _) = await Root();
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var foreign = (await other.Create("personas", new { name = "Other" })).Id();
        var enter = $"/v1/organizations/{organization.Id}/enter";
        await (await organization.Owner.PostAsJsonAsync(enter, new { reason = "Curious" })).Problem(ProblemType.Forbidden);
        await (await root.GetAsync($"/v1/personas/{foreign}")).Problem(ProblemType.NotFound);

        var viewer = app.Client((await (await root.PostAsJsonAsync(enter, new { reason = "A look" })).Json(HttpStatusCode.Created)).Text("accessToken"));
        await (await viewer.GetAsync("/v1/agents")).Json();
        await (await viewer.PostAsJsonAsync("/v1/personas", new { name = "A" })).Problem(ProblemType.Forbidden);

        var tokens = await (await root.PostAsJsonAsync(enter, new { reason = "Ticket 7", role = "admin" })).Json(HttpStatusCode.Created);
        var admin = app.Client(tokens.Text("accessToken"));
        // One stay at a time: so that its reason is that of all that is done.
        await Eventually.Holds(async () => (await viewer.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        var me = await (await admin.GetAsync("/v1/me")).Json();
        Assert.Equal((organization.Id, "admin", "Ticket 7"), (me["organization"]!["organizationId"]!.GetValue<Guid>(), me["organization"]!["role"]!.GetValue<string>(), me.Text("enteredReason")));
        Assert.DoesNotContain(me["memberships"]!.AsArray(), membership => membership!["organizationId"]!.GetValue<Guid>() == organization.Id);
        var persona = await (await admin.PostAsJsonAsync("/v1/personas", new { name = "Helped" })).Json(HttpStatusCode.Created);
        await (await admin.GetAsync($"/v1/personas/{foreign}")).Problem(ProblemType.NotFound);
        await (await admin.GetAsync("/v1/conversations")).Json();
        await (await admin.GetAsync("/v1/notifications")).Json();
        using (var events = await EventReader.Open(admin))
        {
            Assert.Equal("ready", (await events.Next())!.Type);
        }
        // What hangs on a membership is for members.
        await (await admin.PostAsJsonAsync("/v1/api-keys", new { name = "K", role = "viewer", scopes = new[] { "read" } })).Problem(ProblemType.Forbidden);
        await (await admin.PostAsJsonAsync("/v1/organization/leave", new { })).Problem(ProblemType.Forbidden);
        await (await admin.PutAsJsonAsync("/v1/notification-preferences", new { type = "mention", inApp = true, email = false })).Problem(ProblemType.Forbidden);
        // An organization that lost its people gets new ones.
        var invitation = await (await admin.PostAsJsonAsync("/v1/invitations", new { email = $"new-{Guid.NewGuid():N}@example.com", role = "admin" })).Json(HttpStatusCode.Created);
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/accept-invitation", new { token = invitation.Text("token"), password = TestOrganization.Password })).Json(HttpStatusCode.Created);

        var log = (await (await organization.Owner.GetAsync($"/v1/activity-logs?userId={rootId}&sort=createdAt")).Json()).Items();
        Assert.Equal(["organization.entered", "organization.entered", "persona.created", "invitation.created"], log.Select(row => row.Text("actionType")));
        Assert.Equal(("Ticket 7", "admin"), (log[1]["after"]!["reason"]!.GetValue<string>(), log[1]["after"]!["role"]!.GetValue<string>()));
        Assert.Equal(persona.Id(), log[2]["entityId"]!.GetValue<Guid>());
        Assert.Equal((Email(rootId), "Ticket 7"), (log[2]["metadata"]!["superAdmin"]!.GetValue<string>(), log[2]["metadata"]!["reason"]!.GetValue<string>()));
        Assert.All(log, row => Assert.NotNull(row["ipAddress"]));
        // A member's own rows carry no such mark.
        await organization.Create("personas", new { name = "Own" });
        Assert.Empty((await (await organization.Owner.GetAsync($"/v1/activity-logs?userId={organization.OwnerId}")).Json()).Items()[0]["metadata"]!.AsObject());

        Assert.Equal(HttpStatusCode.NoContent, (await admin.PostAsync("/v1/auth/logout", null)).StatusCode);
        await Eventually.Holds(async () => (await admin.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        Assert.Equal("organization.left", (await (await organization.Owner.GetAsync($"/v1/activity-logs?userId={rootId}")).Json()).Items()[0].Text("actionType"));
    }

    [Fact]
    public async Task A_stay_ends_with_its_time_and_at_once_with_the_power_of_a_super_admin()
    {
        var (root, rootId, home) = await Root();
        var organization = await app.NewOrganization();
        async Task<JsonObject> Enter() =>
            await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/enter", new { reason = "A look" })).Json(HttpStatusCode.Created);

        // A refresh gives new tokens, not more time.
        var tokens = await Enter();
        var end = await organization.Query<DateTime>("SELECT expires_at FROM user_sessions WHERE user_id = $1 AND entered_as IS NOT NULL", rootId);
        Assert.InRange(end - DateTime.UtcNow, TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(60));
        var refreshed = await (await app.Anonymous.PostAsJsonAsync("/v1/auth/refresh", new { refreshToken = tokens.Text("refreshToken") })).Json();
        Assert.Equal(end, await organization.Query<DateTime>("SELECT expires_at FROM user_sessions WHERE user_id = $1 AND entered_as IS NOT NULL", rootId));
        var inside = app.Client(refreshed.Text("accessToken"));
        await (await inside.GetAsync("/v1/me")).Json();

        // Also where the organization is suspended: somebody has to be able to look.
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/suspend", new { reason = "Spam" })).Json();
        await (await inside.GetAsync("/v1/agents")).Json();
        await (await root.PostAsJsonAsync($"/v1/organizations/{home.Id}/enter", new { reason = "Mine" })).Problem(ProblemType.Conflict);

        await organization.Execute("UPDATE users SET is_super_admin = false WHERE id = $1", rootId);
        await Eventually.Holds(async () => (await inside.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        await Eventually.Holds(async () => (await root.GetAsync("/v1/organizations")).StatusCode == HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task The_first_super_admin_is_made_on_the_servers_command_line()
    {
        var organization = await app.NewOrganization();
        var commands = app.Services.GetRequiredService<AccountCommands>();
        Assert.Contains("Nobody", await commands.Run(["--super-admin", "nobody@example.com"], CancellationToken.None), StringComparison.Ordinal);
        await (await organization.Owner.GetAsync("/v1/organizations")).Problem(ProblemType.Forbidden);
        Assert.Contains(organization.OwnerEmail, await commands.Run(["--super-admin", organization.OwnerEmail.ToUpperInvariant()], CancellationToken.None), StringComparison.Ordinal);
        await Eventually.Holds(async () => (await organization.Owner.GetAsync("/v1/organizations")).StatusCode == HttpStatusCode.OK);
        await commands.Run(["--no-super-admin", organization.OwnerEmail], CancellationToken.None);
        await Eventually.Holds(async () => (await organization.Owner.GetAsync("/v1/organizations")).StatusCode == HttpStatusCode.Forbidden);
    }

    private static string Email(Guid rootId) => $"viewer-{rootId:N}@example.com";

    private async Task<(HttpClient Client, Guid Id, TestOrganization Home)> Root()
    {
        var home = await app.NewOrganization();
        var (id, email) = await home.AddUser(Role.Viewer);
        await home.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", id);
        return (await home.SignIn(email), id, home);
    }

    /// <summary>As the role of the API, bound to the organization.</summary>
    private async Task<T?> Scalar<T>(TestOrganization organization, string sql, Guid? person = null)
    {
        await using var session = await TenantSession.OpenAsync(app.Services.GetRequiredService<ApiDataSource>(), new(organization.Id, person ?? organization.OwnerId, "owner"));
        return await session.ScalarAsync<T>(sql, CancellationToken.None);
    }
}
