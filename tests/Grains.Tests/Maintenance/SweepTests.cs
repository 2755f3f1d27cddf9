using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Tests.Hosting;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Maintenance;

/// <summary>Jobs that nobody was told of are found by the sweep alone: here, jobs whose work this installation doesn't know, so that they end as soon as they begin.</summary>
public sealed class SweepTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _silo = await TestSilo.Start(_database);
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_sweep_that_went_with_its_silo_is_awake_again_before_the_reminder_comes()
    {
        await Found(1);
        // What a silo that leaves does to its grains. The reminder is a minute away.
        var management = _silo.Grains.GetGrain<IManagementGrain>(0);
        for (var next = 2; next <= 4; next++)
        {
            await management.ForceActivationCollection(TimeSpan.Zero);
            await Found(next);
        }
    }

    private async Task Found(int jobs)
    {
        await _database.ExecuteAsAdminAsync($"INSERT INTO jobs (id, organization_id, type, work) VALUES ('{Guid.CreateVersion7()}', '{Organization}', 'bulk_processing', 'unknown')");
        await _silo.Until<long>("SELECT count(*) FROM jobs WHERE status = 'failed'", count => count == jobs);
    }
}
