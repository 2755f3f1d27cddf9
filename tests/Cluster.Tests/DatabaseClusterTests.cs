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

    /// <summary>Rows of silos that are gone are removed by whoever is there, so that the table doesn't grow for ever.</summary>
    [Fact]
    public async Task Silos_that_are_long_dead_are_forgotten_and_no_other()
    {
        await AddRowAsync("long dead", 6, aliveDaysAgo: 8);
        await AddRowAsync("suspected long ago", 6, aliveDaysAgo: 8, suspectedDaysAgo: 8);
        await AddRowAsync("just dead", 6, aliveDaysAgo: 1);
        await AddRowAsync("suspected lately", 6, aliveDaysAgo: 8, suspectedDaysAgo: 1);
        await AddRowAsync("joining", 2, aliveDaysAgo: 8);

        await _silos[0].Services.GetRequiredService<IMembershipTable>().CleanupDefunctSiloEntriesAsync(DateTimeOffset.UtcNow.AddDays(-7), CancellationToken.None);

        Assert.Equal("joining, just dead, suspected lately", await _database.ScalarAsAdminAsync<string>("SELECT string_agg(silo_name, ', ' ORDER BY silo_name) FROM orleans_silos WHERE host_name = 'test'"));
        Assert.Equal(2, await ActiveSilosAsync());
    }

    private Task AddRowAsync(string name, int status, int aliveDaysAgo, int? suspectedDaysAgo = null)
    {
        var suspected = suspectedDaysAgo is { } days ? FormattableString.Invariant($"'127.0.0.1:1@1,{DateTime.UtcNow.AddDays(-days):yyyy-MM-dd HH:mm:ss.fff} GMT'") : "NULL";
        return _database.ExecuteAsAdminAsync(FormattableString.Invariant($"""
            INSERT INTO orleans_silos (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, suspect_times, started_at, alive_at)
            SELECT deployment_id, '127.0.0.1', 1, (SELECT count(*) FROM orleans_silos), '{name}', 'test', {status}, 0, {suspected},
                now() - interval '30 days', now() - interval '{aliveDaysAgo} days'
            FROM orleans_clusters
            """));
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
