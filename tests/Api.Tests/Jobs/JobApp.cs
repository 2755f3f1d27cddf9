using System.Collections.Concurrent;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>The product with a kind of job that a test holds in its hands.</summary>
public sealed class JobApp : EngineApp
{
    protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["JOB_PROGRESS_MILLISECONDS"] = "0", ["JOB_SLICE_SECONDS"] = "0", ["FILE_MAX_BYTES"] = "4194304" };

    protected override void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IJobWork, SteppingWork>();
        base.Configure(builder);
    }

    /// <summary>A job of so many steps, each of which adds a partner.</summary>
    public static async Task<Guid> Step(TestOrganization organization, int steps)
    {
        var id = Guid.CreateVersion7();
        SteppingWork.Gates[id] = new SemaphoreSlim(0);
        await organization.Execute(
            "INSERT INTO jobs (id, organization_id, user_id, type, work, payload) VALUES ($1, $2, $3, 'bulk_processing', 'stepping', jsonb_build_object('steps', $4))", id, organization.Id, organization.OwnerId, steps);
        return id;
    }
}

/// <summary>Takes a step whenever its gate lets it; a step that a test chose fails.</summary>
internal sealed class SteppingWork(ApiDataSource database) : IJobWork
{
    public static readonly ConcurrentDictionary<Guid, SemaphoreSlim> Gates = new();
    public static readonly ConcurrentDictionary<Guid, int> Failing = new();

    public string Name => "stepping";

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        var steps = run.Payload<Wanted>().Steps;
        for (var step = run.Position<Reached>()?.Step ?? 0; step < steps; step++)
        {
            await Gates[run.Job.Id].WaitAsync(cancellationToken);
            if (Failing.TryGetValue(run.Job.Id, out var failing) && failing == step)
            {
                throw new JobFailedException("This step can't be taken.");
            }
            await using var session = await TenantSession.OpenAsync(database, new Tenant(run.Job.OrganizationId), cancellationToken);
            await session.ExecuteAsync("INSERT INTO partners (organization_id, name) VALUES ($1, $2)", cancellationToken, run.Job.OrganizationId, $"step {step}");
            await run.Commit(session, run.Payload<Wanted>().KeepsNoPlace ? null : new Reached(step + 1), new JobProgress { Processed = step + 1, Total = steps, Succeeded = step + 1 }, cancellationToken);
        }
        return "{\"done\":true}";
    }

    private sealed record Wanted(int Steps, bool KeepsNoPlace = false);

    private sealed record Reached(int Step);
}
