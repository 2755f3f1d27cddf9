using AgentPlatform.Fakes;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace AgentPlatform.Runtime.Tests.Support;

/// <summary>A silo of whichever runtime the build has, in this process.</summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost _host;

    private TestSilo(IHost host) => _host = host;

    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();

    public IServiceProvider Services => _host.Services;

    /// <summary>Starts a silo whose state and reminders end with it.</summary>
    public static Task<TestSilo> StartAsync(Action<ISiloBuilder>? configure = null) => StartHostAsync(silo =>
    {
        silo.AddMemoryGrainStorageAsDefault();
        silo.UseInMemoryReminderService();
        configure?.Invoke(silo);
    });

    /// <summary>Starts a silo whose state and reminders are in a database.</summary>
    public static Task<TestSilo> StartOnAsync(TestDatabase database, Action<ISiloBuilder>? configure = null) => StartHostAsync(silo =>
    {
        silo.Configure<ClusterOptions>(options => options.ServiceId = "tests");
        silo.UseSystemTextJsonGrainStorageSerializer();
        silo.AddAdoNetGrainStorageAsDefault(options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.EngineConnectionString;
        });
        silo.UseAdoNetReminderService(options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.EngineConnectionString;
        });
        silo.Configure<ReminderOptions>(options => options.MinimumReminderPeriod = TimeSpan.FromMilliseconds(100));
        configure?.Invoke(silo);
    });

    /// <summary>Stops it, with all its deactivations.</summary>
    public Task StopAsync() => _host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private static async Task<TestSilo> StartHostAsync(Action<ISiloBuilder> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        var ports = TestPorts.Pair();
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(ports.First, ports.Second);
            configure(silo);
        });
        var host = builder.Build();
        await host.StartAsync();
        return new TestSilo(host);
    }

}

/// <summary>One silo with default options for all tests that need no other.</summary>
public sealed class SharedSilo : IAsyncLifetime
{
    private TestSilo? _silo;

    internal IGrainFactory Grains => _silo!.Grains;

    public async Task InitializeAsync() => _silo = await TestSilo.StartAsync();

    public async Task DisposeAsync() => await _silo!.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class SharedSiloTests : ICollectionFixture<SharedSilo>
{
    public const string Name = "shared silo";
}
