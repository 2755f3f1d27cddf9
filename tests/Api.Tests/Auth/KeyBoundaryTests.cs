using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Auth;

/// <summary>Every way out has its role and scope, and a key is its maker's.</summary>
public sealed class KeyBoundaryTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task A_file_is_read_by_whoever_may_read_what_it_holds()
    {
        var organization = await app.NewOrganization();
        var client = await organization.Create("clients", new { firstName = "Secret" });
        var files = await Key(organization, "files:read", "jobs:read");
        var both = await Key(organization, "files:read", "clients:read");
        var all = await Key(organization, "read");
        foreach (var (path, body, forBoth) in new (string, object?, bool)[]
        {
            ("/v1/jobs/exports", new { resource = "clients" }, true),
            ($"/v1/clients/{client.Id()}/data-export", null, true),
            ("/v1/jobs/exports", new { resource = "deals" }, false),
            ("/v1/jobs/finetuning-datasets", new { }, false),
        })
        {
            var job = await organization.Owner.Job(path, body!);
            var content = $"/v1/files/{job["result"]!["fileId"]!.GetValue<Guid>()}/content";
            await (await files.GetAsync(content)).Problem(ProblemType.Forbidden);
            Assert.Equal(HttpStatusCode.Forbidden, (await files.SendAsync(new HttpRequestMessage(HttpMethod.Head, content))).StatusCode);
            Assert.Equal((path, forBoth), (path, (await both.GetAsync(content)).StatusCode == HttpStatusCode.OK));
            Assert.Equal(HttpStatusCode.OK, (await all.GetAsync(content)).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await organization.Owner.GetAsync(content)).StatusCode);
        }
        var archive = await organization.Owner.Job("/v1/organization/export", new { });
        var whole = $"/v1/files/{archive["result"]!["fileId"]!.GetValue<Guid>()}/content";
        await (await all.GetAsync(whole)).Problem(ProblemType.Forbidden);
        Assert.Equal(HttpStatusCode.OK, (await organization.Owner.GetAsync(whole)).StatusCode);
        var upload = await organization.Owner.Upload("firstName\nBob\n"u8.ToArray());
        foreach (var key in new[] { files, both, all })
        {
            await (await key.GetAsync($"/v1/files/{upload}/content")).Problem(ProblemType.NotFound);
        }
    }

    [Fact]
    public async Task The_stream_tells_each_reader_what_lists_would()
    {
        var organization = await app.NewOrganization();
        var viewer = await organization.Member(Role.Viewer);
        var readers = new Dictionary<string, HttpClient>
        {
            ["owner"] = organization.Owner,
            ["viewer"] = viewer,
            ["jobs"] = await Key(organization, "events:read", "jobs:read"),
            ["conversations"] = await Key(organization, "events:read", "conversations:read"),
            ["none"] = await Key(organization, "events:read"),
            ["all"] = await Key(organization, "read"),
        };
        var streams = new Dictionary<string, EventReader>();
        foreach (var (name, reader) in readers)
        {
            streams[name] = await EventReader.Open(reader);
            await streams[name].Next("ready");
        }
        var job = await JobApp.Step(organization, 1);
        SteppingWork.Gates[job].Release();
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE id = '{job}' AND status = 'completed'") == 1);
        // Of the conversation all hear at last who may: what came before it has been told by then.
        var conversation = await SeededConversation.Create(organization, "Ann", "+15550001111", "Hello");
        await organization.Execute("UPDATE conversations SET status = 'completed', ended_at = now(), version = version + 1, changed_in = pg_current_xact_id() WHERE id = $1", conversation.Id);
        foreach (var name in new[] { "owner", "viewer", "conversations", "all" })
        {
            var types = new List<string>();
            do
            {
                types.Add((await streams[name].Next())!.Type);
            }
            while (types[^1] != "conversation.updated");
            Assert.Equal((name, name is "owner" or "all"), (name, types.Contains("job.updated")));
        }
        Assert.Equal("job.updated", (await streams["jobs"].Next())!.Type);
        await organization.Execute("UPDATE api_keys SET revoked_at = now() WHERE organization_id = $1 AND scopes = '{events:read}'", organization.Id);
        Assert.Equal("ended", (await streams["none"].Next())!.Type);
        foreach (var stream in streams.Values)
        {
            stream.Dispose();
        }
    }

    [Theory]
    [InlineData("demoted")]
    [InlineData("narrowed")]
    public async Task An_open_stream_tells_what_its_reader_may_read_now(string what)
    {
        var organization = await app.NewOrganization();
        var (memberId, email) = await organization.AddUser(Role.Manager);
        var made = await (await organization.Owner.PostAsJsonAsync("/v1/api-keys", new { name = "k", role = "owner", scopes = new[] { "read" } })).Json(HttpStatusCode.Created);
        var reader = what == "demoted" ? await organization.SignIn(email) : app.Client(made.Text("key"));
        using var stream = await EventReader.Open(reader);
        await stream.Next("ready");
        await (what == "demoted" ? organization.Owner.Patch($"/v1/members/{memberId}", new { role = "viewer" }, "*") : organization.Owner.Patch($"/v1/api-keys/{made.Id()}", new { scopes = new[] { "events:read", "conversations:read" } }, "*"));
        var job = await JobApp.Step(organization, 1);
        SteppingWork.Gates[job].Release();
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE id = '{job}' AND status = 'completed'") == 1);
        var conversation = await SeededConversation.Create(organization, "Ann", "+15550001111", "Hello");
        await organization.Execute("UPDATE conversations SET status = 'completed', ended_at = now(), version = version + 1, changed_in = pg_current_xact_id() WHERE id = $1", conversation.Id);
        var types = new List<string>();
        do
        {
            types.Add((await stream.Next())!.Type);
        }
        while (types[^1] != "conversation.updated");
        Assert.DoesNotContain("job.updated", types);
        if (what == "narrowed")
        {
            await (await organization.Owner.Patch($"/v1/api-keys/{made.Id()}", new { scopes = new[] { "conversations:read" } }, "*")).Json();
            Assert.Equal("ended", (await stream.Next())!.Type);
        }
    }

    [Fact]
    public async Task A_busy_stream_ends_with_its_key()
    {
        var organization = await app.NewOrganization();
        var made = await (await organization.Owner.PostAsJsonAsync("/v1/api-keys", new { name = "k", role = "owner", scopes = new[] { "read" }, expiresAt = DateTimeOffset.UtcNow.AddSeconds(3) })).Json(HttpStatusCode.Created);
        using var stream = await EventReader.Open(app.Client(made.Text("key")));
        await stream.Next("ready");
        var job = await JobApp.Step(organization, 1000);
        using var busy = new CancellationTokenSource();
        var steps = Task.Run(async () =>
        {
            while (!busy.IsCancellationRequested)
            {
                SteppingWork.Gates[job].Release();
                await organization.Execute("UPDATE jobs SET version = version + 1, changed_in = pg_current_xact_id() WHERE id = $1", job);
            }
        });
        ServerEvent? told;
        do
        {
            told = await stream.Next();
        }
        while (told!.Type != "ended");
        await busy.CancelAsync();
        await steps;
        await (await organization.Owner.PostAsync($"/v1/jobs/{job}/cancel", null)).Json();
    }

    [Fact]
    public async Task A_key_makes_no_people_and_raises_none()
    {
        var organization = await app.NewOrganization();
        var key = await Key(organization, "read", "write");
        var (memberId, _) = await organization.AddUser(Role.Member);
        await (await key.PostAsJsonAsync("/v1/invitations", new { email = "mallory@example.com", role = "viewer" })).Problem(ProblemType.Forbidden);
        await (await key.Patch($"/v1/members/{memberId}", new { role = "manager" }, "*")).Problem(ProblemType.Forbidden);
        await (await key.Patch($"/v1/members/{memberId}", new { role = "viewer" }, "*")).Json();
        await (await key.Patch($"/v1/members/{memberId}", new { status = "suspended" }, "*")).Json();
        await (await key.Patch($"/v1/members/{memberId}", new { status = "active" }, "*")).Problem(ProblemType.Forbidden);
        await (await organization.Owner.Patch($"/v1/members/{memberId}", new { role = "manager", status = "active" }, "*")).Json();
    }

    [Fact]
    public async Task Only_its_maker_rotates_or_widens_a_key()
    {
        var organization = await app.NewOrganization();
        var made = await (await organization.Owner.PostAsJsonAsync("/v1/api-keys", new { name = "k", role = "member", scopes = new[] { "clients:read", "write" }, expiresAt = DateTimeOffset.UtcNow.AddDays(10) })).Json(HttpStatusCode.Created);
        var path = $"/v1/api-keys/{made.Id()}";
        var (_, email) = await organization.AddUser(Role.Owner);
        foreach (var other in new[] { await organization.Member(Role.Admin), await organization.SignIn(email) })
        {
            await (await other.PostAsJsonAsync($"{path}/rotate", new { })).Problem(ProblemType.Forbidden);
            foreach (var wider in new object[] { new { role = "manager" }, new { scopes = new[] { "clients:read", "deals:read" } }, new { scopes = new[] { "read" } }, new { expiresAt = (DateTimeOffset?)null }, new { expiresAt = DateTimeOffset.UtcNow.AddDays(11) } })
            {
                await (await other.Patch(path, wider, "*")).Problem(ProblemType.Forbidden);
            }
            foreach (var narrower in new object[] { new { name = "n" }, new { role = "viewer" }, new { scopes = new[] { "clients:read", "clients:write" } }, new { expiresAt = DateTimeOffset.UtcNow.AddDays(9) }, new { scopes = new[] { "clients:read" } } })
            {
                await (await other.Patch(path, narrower, "*")).Json();
            }
            await (await organization.Owner.Patch(path, new { role = "member", scopes = new[] { "clients:read", "write" }, expiresAt = DateTimeOffset.UtcNow.AddDays(10) }, "*")).Json();
        }
        await (await organization.Owner.PostAsJsonAsync($"{path}/rotate", new { })).Json();
    }

    [Fact]
    public async Task A_key_tells_of_its_own_organization_only()
    {
        var (one, other) = (await app.NewOrganization(), await app.NewOrganization());
        await one.Execute("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, 'owner')", other.Id, one.OwnerId);
        Assert.Equal(2, (await (await one.Owner.GetAsync("/v1/me")).Json())["memberships"]!.AsArray().Count);
        var me = await (await (await Key(one, "read")).GetAsync("/v1/me")).Json();
        Assert.Equal([one.Id], me["memberships"]!.AsArray().Select(membership => membership!["organizationId"]!.GetValue<Guid>()));
        Assert.DoesNotContain(other.Id.ToString(), me.ToJsonString(), StringComparison.Ordinal);
    }

    private async Task<HttpClient> Key(TestOrganization organization, params string[] scopes) =>
        app.Client((await (await organization.Owner.PostAsJsonAsync("/v1/api-keys", new { name = "k", role = "owner", scopes })).Json(HttpStatusCode.Created)).Text("key"));
}
