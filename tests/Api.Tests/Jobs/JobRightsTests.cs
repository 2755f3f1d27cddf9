using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Organizations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>A job runs for whoever asked for it, with the role that he or she has when it runs; and one that ends its processes ends some time itself.</summary>
public sealed class JobRightsTests(JobApp app) : IClassFixture<JobApp>
{
    [Theory]
    [InlineData("removed")]
    [InlineData("suspended")]
    [InlineData("demoted")]
    [InlineData("deactivated")]
    [InlineData("deleted")]
    public async Task The_deletion_of_an_organization_that_a_former_owner_ordered_never_runs(string what)
    {
        var organization = await app.NewOrganization();
        var (otherId, email) = await organization.AddUser(Role.Owner);
        var other = await organization.SignIn(email);
        var job = await (await other.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(HttpStatusCode.Accepted);
        await organization.Create("clients", new { firstName = "a" });
        switch (what)
        {
            case "removed":
                await organization.Execute("DELETE FROM organization_members WHERE organization_id = $2 AND user_id = $1", otherId, organization.Id);
                break;
            case "suspended":
                await organization.Execute("UPDATE organization_members SET status = 'suspended' WHERE organization_id = $2 AND user_id = $1", otherId, organization.Id);
                break;
            case "demoted":
                await organization.Execute("UPDATE organization_members SET role = 'admin' WHERE organization_id = $2 AND user_id = $1", otherId, organization.Id);
                break;
            case "deactivated":
                await organization.Execute("UPDATE users SET is_active = false WHERE id = $1", otherId);
                break;
            default:
                await organization.Execute("DELETE FROM users WHERE id = $1", otherId);
                break;
        }
        await Due(organization, job.Id());
        var ended = await Ended(organization, job.Id());
        Assert.Equal("failed", ended.Text("status"));
        Assert.Contains(what == "demoted" ? "owner" : "no longer active", ended.Text("error"), StringComparison.Ordinal);
        Assert.Single((await (await organization.Owner.GetAsync("/v1/clients")).Json()).Items());
    }

    [Fact]
    public async Task All_owners_are_told_when_one_orders_the_deletion()
    {
        var organization = await app.NewOrganization();
        var other = await organization.SignIn((await organization.AddUser(Role.Owner)).Email);
        var admin = await organization.Member(Role.Admin);
        var job = await (await other.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(HttpStatusCode.Accepted);
        foreach (var owner in new[] { organization.Owner, other })
        {
            var told = Assert.Single((await (await owner.GetAsync("/v1/notifications?type=organization_deletion")).Json()).Items());
            Assert.Equal(job.Id(), told["entityId"]!.GetValue<Guid>());
            Assert.Contains(job.Text("dueAt")[..10], told.Text("title"), StringComparison.Ordinal);
        }
        Assert.Empty((await (await admin.GetAsync("/v1/notifications?type=organization_deletion")).Json()).Items());
        await (await organization.Owner.PostAsync($"/v1/jobs/{job.Id()}/cancel", null)).Json();
    }

    [Fact]
    public async Task The_deletion_of_a_suspended_organization_runs()
    {
        var organization = await app.NewOrganization();
        var job = await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(HttpStatusCode.Accepted);
        await organization.Execute("UPDATE organizations SET status = 'suspended', suspended_at = now() WHERE id = $1", organization.Id);
        await Due(organization, job.Id());
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM organizations WHERE id = '{organization.Id}'") == 0);
    }

    [Theory]
    [InlineData("/v1/organization/export", "{}", Role.Owner)]
    [InlineData("/v1/clients/{client}/erasure", null, Role.Admin)]
    [InlineData("/v1/clients/{client}/data-export", null, Role.Admin)]
    [InlineData("/v1/jobs/finetuning-datasets", "{}", Role.Admin)]
    public async Task A_job_that_waited_while_its_role_was_taken_away_fails(string path, string? body, Role role)
    {
        var organization = await app.NewOrganization();
        var client = await organization.Create("clients", new { firstName = "a" });
        var (memberId, email) = await organization.AddUser(role);
        var member = await organization.SignIn(email);
        await Crowd(organization);
        var answer = await member.PostAsync(path.Replace("{client}", client.Id().ToString(), StringComparison.Ordinal), body is null ? null : new StringContent(body, Encoding.UTF8, "application/json"));
        var job = await answer.Json(HttpStatusCode.Accepted);
        await organization.Execute("UPDATE organization_members SET role = 'viewer' WHERE organization_id = $2 AND user_id = $1", memberId, organization.Id);
        await MakeRoom(organization);
        var ended = await Ended(organization, job.Id());
        Assert.Equal(("failed", $"It needs the role {role.Name()}; the member who asked for it is viewer now."), (ended.Text("status"), ended.Text("error")));
        Assert.Equal("a", (await (await organization.Owner.GetAsync($"/v1/clients/{client.Id()}")).Json()).Text("firstName"));
    }

    [Fact]
    public async Task A_job_of_a_key_that_ended_meanwhile_fails()
    {
        var organization = await app.NewOrganization();
        var made = await Key(organization, "manager", "clients:write", "clients:read", "jobs:write", "files:write");
        var key = app.Client(made.Text("key"));
        await Crowd(organization);
        var job = await (await key.PostAsJsonAsync("/v1/jobs/exports", new { resource = "clients" })).Json(HttpStatusCode.Accepted);
        (await organization.Owner.DeleteAsync($"/v1/api-keys/{made.Id()}")).EnsureSuccessStatusCode();
        await MakeRoom(organization);
        Assert.Contains("API key", (await Ended(organization, job.Id())).Text("error"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_takes_part_in_a_job_only_as_far_as_it_could_have_asked_for_it()
    {
        var organization = await app.NewOrganization();
        var jobs = app.Client((await Key(organization, "manager", "jobs:write", "jobs:read")).Text("key"));
        var all = app.Client((await Key(organization, "owner", "write", "read")).Text("key"));
        await Crowd(organization);
        var job = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/exports", new { resource = "clients" })).Json(HttpStatusCode.Accepted);
        var deletion = await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(HttpStatusCode.Accepted);
        foreach (var command in new[] { "cancel", "retry" })
        {
            Assert.Contains("clients:read", (await (await jobs.PostAsync($"/v1/jobs/{job.Id()}/{command}", null)).Problem(ProblemType.Forbidden)).Text("detail"), StringComparison.Ordinal);
            Assert.Contains("A person", (await (await all.PostAsync($"/v1/jobs/{deletion.Id()}/{command}", null)).Problem(ProblemType.Forbidden)).Text("detail"), StringComparison.Ordinal);
        }
        await (await all.PostAsync($"/v1/jobs/{job.Id()}/cancel", null)).Json();
        await (await all.PostAsync($"/v1/jobs/{job.Id()}/retry", null)).Json();
        await MakeRoom(organization);
        Assert.Equal("completed", (await Ended(organization, job.Id())).Text("status"));
    }

    [Fact]
    public async Task A_deletion_that_was_taken_back_is_ordered_again_or_not_at_all()
    {
        var organization = await app.NewOrganization();
        var other = await organization.SignIn((await organization.AddUser(Role.Owner)).Email);
        var job = await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(HttpStatusCode.Accepted);
        await (await other.PostAsync($"/v1/jobs/{job.Id()}/cancel", null)).Json();
        foreach (var owner in new[] { organization.Owner, other })
        {
            await (await owner.PostAsync($"/v1/jobs/{job.Id()}/retry", null)).Problem(ProblemType.Conflict);
        }
        Assert.Equal("cancelled", (await (await organization.Owner.GetAsync($"/v1/jobs/{job.Id()}")).Json()).Text("status"));
    }

    [Theory]
    [InlineData("{\"scopes\": [\"jobs:write\", \"files:write\"]}")]
    [InlineData("{\"role\": \"viewer\"}")]
    public async Task A_job_of_a_key_that_was_narrowed_meanwhile_fails(string change)
    {
        var organization = await app.NewOrganization();
        var made = await Key(organization, "manager", "clients:write", "jobs:write", "files:write");
        var key = app.Client(made.Text("key"));
        var file = await key.Upload("firstName\nA\n"u8.ToArray());
        await Crowd(organization);
        var job = await (await key.PostAsJsonAsync("/v1/jobs/imports", new { resource = "clients", fileId = file })).Json(HttpStatusCode.Accepted);
        await (await organization.Owner.Patch($"/v1/api-keys/{made.Id()}", JsonNode.Parse(change)!, "*")).Json();
        await MakeRoom(organization);
        var ended = await Ended(organization, job.Id());
        Assert.Equal("failed", ended.Text("status"));
        Assert.Contains("API key", ended.Text("error"), StringComparison.Ordinal);
        Assert.Empty(await organization.Owner.All("clients"));
    }

    [Fact]
    public async Task What_one_person_asks_for_in_many_organizations_runs_a_few_at_a_time()
    {
        var first = await app.NewOrganization();
        var most = new JobOptions().PerPerson;
        var jobs = new List<Guid>();
        for (var index = 0; index <= most / 2; index++)
        {
            var organization = await app.NewOrganization();
            await organization.Execute("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, 'owner')", organization.Id, first.OwnerId);
            for (var number = 0; number < 2; number++)
            {
                var id = Guid.CreateVersion7();
                await organization.Execute("INSERT INTO jobs (id, organization_id, user_id, type, work, payload) VALUES ($1, $2, $3, 'bulk_processing', 'stepping', '{\"steps\": 1}')", id, organization.Id, first.OwnerId);
                jobs.Add(id);
                SteppingWork.Gates[id] = new SemaphoreSlim(0);
                await app.Services.GetRequiredService<IGrainFactory>().GetGrain<IJobGrain>(id).Run();
            }
        }
        Task<long> Count(string status) => app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE user_id = '{first.OwnerId}' AND status = '{status}'");
        await Eventually.Holds(async () => await Count("processing") == most);
        var store = app.Services.GetRequiredService<JobStore>();
        Assert.Null(await store.Claim(jobs[^1], Guid.NewGuid(), new JobOptions(), TimeSpan.FromMinutes(1), default));
        foreach (var job in jobs)
        {
            SteppingWork.Gates[job].Release();
        }
        await Eventually.Holds(async () => await Count("completed") == jobs.Count);
    }

    [Fact]
    public async Task Jobs_that_run_long_let_others_go_on_and_go_on_from_where_they_were()
    {
        var hogs = new List<(TestOrganization Organization, Guid Job)>();
        while (hogs.Count < new JobOptions().AtOnce)
        {
            var organization = await app.NewOrganization();
            for (var number = 0; number < new JobOptions().PerOrganization; number++)
            {
                hogs.Add((organization, await JobApp.Step(organization, 2)));
                await app.Services.GetRequiredService<IGrainFactory>().GetGrain<IJobGrain>(hogs[^1].Job).Run();
            }
        }
        Task<long> Count(string condition) => app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE id IN ({string.Join(", ", hogs.Select(hog => $"'{hog.Job}'"))}) AND {condition}");
        await Eventually.Holds(async () => await Count("status = 'processing'") == hogs.Count);
        var other = await app.NewOrganization();
        var little = await JobApp.Step(other, 1);
        SteppingWork.Gates[little].Release();
        await app.Services.GetRequiredService<IGrainFactory>().GetGrain<IJobGrain>(little).Run();
        foreach (var (_, job) in hogs)
        {
            SteppingWork.Gates[job].Release();
        }
        await Eventually.Holds(async () => (await (await other.Owner.GetAsync($"/v1/jobs/{little}")).Json()).Text("status") == "completed");
        Assert.Equal(0, await Count("status = 'completed'"));
        foreach (var (_, job) in hogs)
        {
            SteppingWork.Gates[job].Release();
        }
        await Eventually.Holds(async () => await Count("status = 'completed'") == hogs.Count);
        foreach (var organization in hogs.Select(hog => hog.Organization).Distinct())
        {
            Assert.Equal(2L * new JobOptions().PerOrganization, await organization.Query<long>("SELECT count(*) FROM partners WHERE organization_id = $1", organization.Id));
        }
    }

    [Fact]
    public async Task A_deletion_is_ordered_once_at_a_time_and_a_few_times_a_day()
    {
        var organization = await app.NewOrganization();
        Task<HttpResponseMessage> Order(string? key = null)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/v1/organization/deletion") { Content = JsonContent.Create(new { name = "Organization" }) };
            if (key is not null)
            {
                request.Headers.Add("Idempotency-Key", key);
            }
            return organization.Owner.SendAsync(request);
        }
        var orders = await Task.WhenAll(Enumerable.Range(0, 5).Select(number => Order($"key {number}")).Append(Order()));
        Assert.Equal(1, orders.Count(order => order.StatusCode == HttpStatusCode.Accepted));
        Assert.Equal(5, orders.Count(order => order.StatusCode == HttpStatusCode.Conflict));
        var first = (await orders.Single(order => order.StatusCode == HttpStatusCode.Accepted).Json(HttpStatusCode.Accepted)).Id();
        await (await organization.Owner.PostAsync($"/v1/jobs/{first}/cancel", null)).Json();
        for (var number = 1; number < LeavingEndpoints.DeletionsOfDay; number++)
        {
            var again = (await (await Order("the same")).Json(HttpStatusCode.Accepted)).Id();
            Assert.Equal(again, (await (await Order("the same")).Json(HttpStatusCode.Accepted)).Id());
            await (await organization.Owner.PostAsync($"/v1/jobs/{again}/cancel", null)).Json();
            await organization.Execute("DELETE FROM idempotency_keys WHERE organization_id = $1", organization.Id);
        }
        await (await Order()).Problem(ProblemType.TooManyRequests);
    }

    [Fact]
    public async Task Whoever_becomes_an_owner_again_is_told_that_the_organization_goes()
    {
        var organization = await app.NewOrganization();
        var (otherId, email) = await organization.AddUser(Role.Owner);
        await (await organization.Owner.Patch($"/v1/members/{otherId}", new { status = "suspended" }, "*")).Json();
        var job = await (await organization.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name = "Organization" })).Json(HttpStatusCode.Accepted);
        await (await organization.Owner.Patch($"/v1/members/{otherId}", new { status = "active" }, "*")).Json();
        var told = Assert.Single((await (await (await organization.SignIn(email)).GetAsync("/v1/notifications?type=organization_deletion")).Json()).Items());
        Assert.Equal(job.Id(), told["entityId"]!.GetValue<Guid>());
        await (await organization.Owner.Patch($"/v1/members/{otherId}", new { role = "admin" }, "*")).Json();
        await (await organization.Owner.Patch($"/v1/members/{otherId}", new { role = "owner" }, "*")).Json();
        Assert.Equal(1L, await organization.Query<long>("SELECT count(*) FROM notifications WHERE user_id = $1 AND type = 'organization_deletion'", otherId));
        await (await organization.Owner.PostAsync($"/v1/jobs/{job.Id()}/cancel", null)).Json();
    }

    [Fact]
    public async Task A_job_that_ends_its_processes_is_given_up_and_told()
    {
        var organization = await app.NewOrganization();
        var id = Guid.CreateVersion7();
        SteppingWork.Gates[id] = new SemaphoreSlim(0);
        await organization.Execute(
            "INSERT INTO jobs (id, organization_id, user_id, type, work, payload, status, started_at, attempts, lost_leases, instance_id) VALUES ($1, $2, $3, 'bulk_processing', 'stepping', '{\"steps\": 1}', 'processing', now(), 3, 2, gen_random_uuid())",
            id, organization.Id, organization.OwnerId);
        var ended = await Ended(organization, id);
        Assert.Equal("failed", ended.Text("status"));
        Assert.Contains("JOB_LOST_LEASES", ended.Text("error"), StringComparison.Ordinal);
        Assert.Equal(id, Assert.Single((await (await organization.Owner.GetAsync("/v1/notifications?type=job_finished")).Json()).Items())["entityId"]!.GetValue<Guid>());
        // Asked for again it may try again.
        SteppingWork.Gates[id].Release();
        await (await organization.Owner.PostAsync($"/v1/jobs/{id}/retry", null)).Json();
        Assert.Equal("completed", (await Ended(organization, id, "completed")).Text("status"));
    }

    [Fact]
    public async Task A_chunk_that_was_done_makes_a_lost_process_forgotten()
    {
        var organization = await app.NewOrganization();
        var id = Guid.CreateVersion7();
        SteppingWork.Gates[id] = new SemaphoreSlim(1);
        await organization.Execute(
            "INSERT INTO jobs (id, organization_id, user_id, type, work, payload, status, started_at, attempts, lost_leases, instance_id) VALUES ($1, $2, $3, 'bulk_processing', 'stepping', '{\"steps\": 2}', 'processing', now(), 2, 1, gen_random_uuid())",
            id, organization.Id, organization.OwnerId);
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE id = '{id}' AND lost_leases = 0 AND position IS NOT NULL") == 1);
        SteppingWork.Gates[id].Release();
        Assert.Equal("completed", (await Ended(organization, id)).Text("status"));
    }

    [Fact]
    public async Task A_job_that_always_begins_at_the_beginning_is_given_up_too()
    {
        var organization = await app.NewOrganization();
        var id = Guid.CreateVersion7();
        SteppingWork.Gates[id] = new SemaphoreSlim(1);
        await organization.Execute(
            "INSERT INTO jobs (id, organization_id, user_id, type, work, payload, status, started_at, attempts, lost_leases, instance_id) VALUES ($1, $2, $3, 'bulk_processing', 'stepping', '{\"steps\": 2, \"keepsNoPlace\": true}', 'processing', now(), 2, 1, gen_random_uuid())",
            id, organization.Id, organization.OwnerId);
        await Eventually.Holds(async () => await organization.Query<long>("SELECT count(*) FROM partners WHERE organization_id = $1", organization.Id) == 1);
        // The one that is there, and the one that was claimed after it.
        Assert.Equal(2, await app.Database.ScalarAsAdminAsync<int>($"SELECT lost_leases FROM jobs WHERE id = '{id}'"));
        SteppingWork.Gates[id].Release();
        Assert.Equal("completed", (await Ended(organization, id)).Text("status"));
    }

    /// <summary>All places are taken: what is asked for now waits.</summary>
    private async Task Crowd(TestOrganization organization)
    {
        for (var place = 0; place < 2; place++)
        {
            await JobApp.Step(organization, 1);
        }
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE organization_id = '{organization.Id}' AND status = 'processing'") == 2);
    }

    private static async Task<JsonObject> Key(TestOrganization organization, string role, params string[] scopes) =>
        await (await organization.Owner.PostAsJsonAsync("/v1/api-keys", new { name = "k", role, scopes })).Json(HttpStatusCode.Created);

    private async Task MakeRoom(TestOrganization organization)
    {
        var waiting = await app.Database.ScalarAsAdminAsync<Guid[]>($"SELECT array_agg(id) FROM jobs WHERE organization_id = '{organization.Id}' AND work = 'stepping'");
        foreach (var id in waiting!)
        {
            SteppingWork.Gates[id].Release();
        }
    }

    private static Task Due(TestOrganization organization, Guid job) => organization.Execute("UPDATE jobs SET due_at = now() WHERE id = $1", job);

    private static async Task<JsonObject> Ended(TestOrganization organization, Guid id, string status = "failed")
    {
        var job = new JsonObject();
        await Eventually.Holds(async () => (job = await (await organization.Owner.GetAsync($"/v1/jobs/{id}")).Json()).Text("status") is "completed" or "failed" or "cancelled" && (status == "failed" || job.Text("status") == status));
        return job;
    }
}
