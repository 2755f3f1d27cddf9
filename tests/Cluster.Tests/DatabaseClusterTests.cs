using System.Net;
using AgentPlatform.Fakes;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace AgentPlatform.Cluster.Tests;

/// <summary>Silos and a client as they run in production: they find each other through the tables of sql/orleans, and talk TCP.</summary>
public sealed class DatabaseClusterTests : IAsyncLifetime
{
    private readonly List<IHost> _silos = [];
    private TestDatabase _database = null!;
    private IHost _client = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        await AddSiloAsync();
        await AddSiloAsync();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleansClient(client =>
        {
            client.UseAdoNetClustering(options =>
            {
                options.Invariant = "Npgsql";
                options.ConnectionString = _database.EngineConnectionString;
            });
            client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(4));
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(1));
        });
        _client = builder.Build();
        await _client.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _client.StopAsync();
        _client.Dispose();
        foreach (var silo in _silos)
        {
            await silo.StopAsync();
            silo.Dispose();
        }

        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Silos_find_each_other_through_the_database_and_nothing_acknowledged_is_lost_when_one_is_killed()
    {
        Assert.Equal(2, await ActiveSilosAsync());
        await using var traffic = new Traffic(_client.Services.GetRequiredService<IClusterClient>());
        await traffic.AcknowledgesAsync(300);

        // Stopping without any patience is what a crash looks like to the others: no leave-taking, no hand-over.
        await _silos[1].StopAsync(new CancellationToken(canceled: true));
        await traffic.AcknowledgesAsync(300);
        await AddSiloAsync();
        await traffic.AcknowledgesAsync(300);

        await traffic.AssertNothingIsLostAsync();
        Assert.Equal(2, await ActiveSilosAsync());
    }

    private Task<long> ActiveSilosAsync() => _database.ScalarAsAdminAsync<long>("select count(*) from orleans_silos where status = 3");

    private async Task AddSiloAsync()
    {
        var ports = TestPorts.Pair();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.UseOrleans(silo =>
        {
            silo.AddTestSettings(_database);
            silo.ConfigureEndpoints(IPAddress.Loopback, ports.First, ports.Second);
            silo.UseAdoNetClustering(options =>
            {
                options.Invariant = "Npgsql";
                options.ConnectionString = _database.EngineConnectionString;
            });
        });
        var host = builder.Build();
        await host.StartAsync();
        _silos.Add(host);
    }

}
