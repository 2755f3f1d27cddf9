using System.Net;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Jobs;

public sealed class JobTests(JobApp app, ITestOutputHelper output) : IClassFixture<JobApp>
{
    [Fact]
    public async Task A_job_runs_and_its_progress_is_told_live()
    {
        var organization = await app.NewOrganization();
        using var events = await EventReader.Open(organization.Owner);
        await events.Next("ready");
        var id = await JobApp.Step(organization, 2);
        SteppingWork.Gates[id].Release(1);
        ServerEvent told;
        do
        {
            told = await events.Next("job.updated");
        }
        while (told.Data["progress"]!["processed"]?.GetValue<int>() != 1);
        Assert.Equal((id, "processing"), (told.Data.Id(), told.Data.Text("status")));

        SteppingWork.Gates[id].Release(1);
        while (told.Data.Text("status") != "completed")
        {
            told = await events.Next("job.updated");
        }
        var job = await Read(organization, id);
        Assert.True(job["result"]!["done"]!.GetValue<bool>());
        Assert.True(job["duration"]!.GetValue<int>() >= 0);
        var notification = Assert.Single((await (await organization.Owner.GetAsync("/v1/notifications?type=job_finished")).Json()).Items());
        Assert.Equal((id, "job"), (notification["entityId"]!.GetValue<Guid>(), notification.Text("entityType")));
        Assert.Equal(2, await Partners(organization));
    }

    [Fact]
    public async Task A_cancelled_job_keeps_what_it_did_and_a_retry_goes_on_from_there()
    {
        var organization = await app.NewOrganization();
        var id = await JobApp.Step(organization, 3);
        SteppingWork.Gates[id].Release(1);
        await Eventually.Holds(async () => await Partners(organization) == 1);
        Assert.Equal(HttpStatusCode.OK, (await organization.Owner.PostAsync($"/v1/jobs/{id}/cancel", null)).StatusCode);
        await Until(organization, id, "cancelled");
        await (await organization.Owner.PostAsync($"/v1/jobs/{id}/cancel", null)).Problem(ProblemType.Conflict);

        SteppingWork.Gates[id].Release(2);
        Assert.Equal(HttpStatusCode.OK, (await organization.Owner.PostAsync($"/v1/jobs/{id}/retry", null)).StatusCode);
        await Until(organization, id, "completed");
        Assert.Equal(3, await Partners(organization));
    }

    [Fact]
    public async Task A_failed_job_says_why_and_can_be_run_again()
    {
        var organization = await app.NewOrganization();
        var id = await JobApp.Step(organization, 2);
        SteppingWork.Failing[id] = 1;
        SteppingWork.Gates[id].Release(2);
        await Until(organization, id, "failed");
        Assert.Equal("This step can't be taken.", (await Read(organization, id)).Text("error"));
        SteppingWork.Failing.TryRemove(id, out _);
        SteppingWork.Gates[id].Release(1);
        await (await organization.Owner.PostAsync($"/v1/jobs/{id}/retry", null)).Json();
        await Until(organization, id, "completed");
        await (await organization.Owner.PostAsync($"/v1/jobs/{id}/retry", null)).Problem(ProblemType.Conflict);
        Assert.Equal(2, await Partners(organization));
    }

    [Fact]
    public async Task No_more_jobs_of_an_organization_run_than_its_limit()
    {
        var organization = await app.NewOrganization();
        var limit = app.Services.GetRequiredService<JobOptions>().PerOrganization;
        var jobs = new List<Guid>();
        for (var index = 0; index < limit + 1; index++)
        {
            jobs.Add(await JobApp.Step(organization, 1));
        }
        await Eventually.Holds(async () => await Count(organization, "processing") == limit);
        var other = await JobApp.Step(await app.NewOrganization(), 1);
        SteppingWork.Gates[other].Release();
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<string>($"SELECT status FROM jobs WHERE id = '{other}'") == "completed");
        Assert.Equal(1, await Count(organization, "pending"));
        foreach (var job in jobs)
        {
            SteppingWork.Gates[job].Release();
        }
        await Eventually.Holds(async () => await Count(organization, "completed") == limit + 1);
    }

    [Fact]
    public async Task A_member_ends_only_jobs_of_his_own_and_nobody_those_above_his_role()
    {
        var organization = await app.NewOrganization();
        var id = await JobApp.Step(organization, 1);
        var member = await organization.Member(Role.Member);
        await (await member.PostAsync($"/v1/jobs/{id}/cancel", null)).Problem(ProblemType.Forbidden);
        await organization.Execute("UPDATE jobs SET minimum_role = 'owner' WHERE id = $1", id);
        var manager = await organization.Member(Role.Manager);
        await (await manager.PostAsync($"/v1/jobs/{id}/cancel", null)).Problem(ProblemType.Forbidden);
        await (await organization.Owner.PostAsync($"/v1/jobs/{id}/cancel", null)).Json();
        await Until(organization, id, "cancelled");
    }

    [Fact]
    public async Task Every_chunk_is_done_once_wherever_silos_die()
    {
        const int Steps = 12;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var organization = await app.NewOrganization();
        var id = Guid.CreateVersion7();
        SteppingWork.Gates[id] = new SemaphoreSlim(1000);
        // Not due for the product's own sweep: only the silos of this test, which die, may run it.
        await organization.Execute(
            "INSERT INTO jobs (id, organization_id, type, work, payload, status, started_at, instance_id) VALUES ($1, $2, 'bulk_processing', 'stepping', '{\"steps\": 12}', 'processing', now(), $3)", id, organization.Id, await Silo());
        var store = app.Services.GetRequiredService<JobStore>();
        var work = new SteppingWork(app.Services.GetRequiredService<ApiDataSource>());
        var runs = 0;
        for (var isDone = false; !isDone; runs++)
        {
            await organization.Execute("UPDATE engine_instances SET heartbeat_at = now() - interval '1 hour' WHERE id = (SELECT instance_id FROM jobs WHERE id = $1)", id);
            var silo = await Silo();
            if (await store.Claim(id, silo, new JobOptions { PerOrganization = 10 }, TimeSpan.FromMinutes(1), CancellationToken.None) is not { } job)
            {
                // The product's own sweep was quicker; it finishes what is left.
                break;
            }
            var left = random.Next(1, 5);
            var run = new JobRun(job, silo, new JobOptions { ProgressInterval = TimeSpan.Zero }, TimeProvider.System, () =>
            {
                if (--left == 0)
                {
                    throw new InvalidOperationException("The silo dies.");
                }
            });
            try
            {
                await work.Run(run, CancellationToken.None);
                isDone = await store.End(run, silo, JobStatuses.Completed, null, null, CancellationToken.None);
            }
            catch (InvalidOperationException)
            {
                // A run that was thought dead commits nothing any more.
                var late = new JobRun(job with { Attempt = job.Attempt - 1 }, silo, new JobOptions(), TimeProvider.System, static () => { });
                await using var session = await TenantSession.OpenAsync(app.Services.GetRequiredService<ApiDataSource>(), new Tenant(organization.Id));
                await Assert.ThrowsAsync<JobLeaseLostException>(() => late.Commit(session, new { step = 99 }, new JobProgress(), CancellationToken.None));
            }
        }
        await Until(organization, id, "completed");
        Assert.Equal(Steps, await Partners(organization));
        Assert.Equal(Steps, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(DISTINCT name) FROM partners WHERE organization_id = '{organization.Id}'"));
        output.WriteLine($"{runs} runs");

        async Task<Guid> Silo()
        {
            var silo = Guid.CreateVersion7();
            await organization.Execute("INSERT INTO engine_instances (id, host, heartbeat_at) VALUES ($1, 'test', now() + interval '1 hour')", silo);
            return silo;
        }
    }

    private static async Task<JsonObject> Read(TestOrganization organization, Guid id) => await (await organization.Owner.GetAsync($"/v1/jobs/{id}")).Json();

    private static Task Until(TestOrganization organization, Guid id, string status) => Eventually.Holds(async () => (await Read(organization, id)).Text("status") == status);

    private Task<long> Partners(TestOrganization organization) => app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM partners WHERE organization_id = '{organization.Id}'");

    private Task<long> Count(TestOrganization organization, string status) =>
        app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM jobs WHERE organization_id = '{organization.Id}' AND status = '{status}'");
}
