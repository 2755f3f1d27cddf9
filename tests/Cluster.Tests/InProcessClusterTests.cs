using AgentPlatform.Fakes.Postgres;
using Orleans.Configuration;
using Orleans.TestingHost;

namespace AgentPlatform.Cluster.Tests;

public sealed class InProcessClusterTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private InProcessTestCluster _cluster = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        var builder = new InProcessTestClusterBuilder(2);
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((_, silo) => silo.AddTestSettings(_database));
        builder.ConfigureClient(client => client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(4)));
        _cluster = builder.Build();
        await _cluster.DeployAsync();
    }

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_when_a_silo_is_killed_and_another_one_joins()
    {
        await using var traffic = new Traffic(_cluster.Client);
        await traffic.AcknowledgesAsync(300);

        await _cluster.KillSiloAsync(_cluster.Silos[1]);
        await traffic.AcknowledgesAsync(300);

        await _cluster.StartAdditionalSiloAsync();
        await traffic.AcknowledgesAsync(300);

        await traffic.AssertNothingIsLostAsync();
        Assert.Equal(2, _cluster.GetActiveSilos().Count());
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_when_silos_leave_one_by_one()
    {
        await using var traffic = new Traffic(_cluster.Client);
        await traffic.AcknowledgesAsync(200);
        var old = _cluster.Silos.ToList();

        await _cluster.StartAdditionalSiloAsync();
        foreach (var silo in old)
        {
            await _cluster.StopSiloAsync(silo);
            await traffic.AcknowledgesAsync(200);
        }

        await traffic.AssertNothingIsLostAsync();
        Assert.Single(await traffic.SilosAsync());
    }
}
