using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds a silo to a host.</summary>
public static class OrleansSiloGenericHostExtensions
{
    /// <summary>Adds a silo with its defaults.</summary>
    public static IHostApplicationBuilder UseOrleans(this IHostApplicationBuilder hostAppBuilder) => hostAppBuilder.UseOrleans(_ => { });

    /// <summary>Adds a silo.</summary>
    public static IHostApplicationBuilder UseOrleans(this IHostApplicationBuilder hostAppBuilder, Action<ISiloBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(hostAppBuilder);
        ArgumentNullException.ThrowIfNull(configureDelegate);
        configureDelegate(AddSilo(hostAppBuilder.Services, hostAppBuilder.Configuration));
        return hostAppBuilder;
    }

    /// <summary>Adds a silo with its defaults.</summary>
    public static HostApplicationBuilder UseOrleans(this HostApplicationBuilder hostAppBuilder) => hostAppBuilder.UseOrleans(_ => { });

    /// <summary>Adds a silo.</summary>
    public static HostApplicationBuilder UseOrleans(this HostApplicationBuilder hostAppBuilder, Action<ISiloBuilder> configureDelegate)
    {
        ((IHostApplicationBuilder)hostAppBuilder).UseOrleans(configureDelegate);
        return hostAppBuilder;
    }

    /// <summary>Adds a silo.</summary>
    public static IHostBuilder UseOrleans(this IHostBuilder hostBuilder, Action<ISiloBuilder> configureDelegate) =>
        hostBuilder.UseOrleans((_, builder) => configureDelegate(builder));

    /// <summary>Adds a silo.</summary>
    public static IHostBuilder UseOrleans(this IHostBuilder hostBuilder, Action<HostBuilderContext, ISiloBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(hostBuilder);
        ArgumentNullException.ThrowIfNull(configureDelegate);
        return hostBuilder.ConfigureServices((context, services) => configureDelegate(context, AddSilo(services, context.Configuration)));
    }

    /// <summary>Adds a silo.</summary>
    public static IServiceCollection AddOrleans(this IServiceCollection services, Action<ISiloBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(configureDelegate);
        configureDelegate(AddSilo(services, new ConfigurationBuilder().Build()));
        return services;
    }

    private static ISiloBuilder AddSilo(IServiceCollection services, IConfiguration configuration)
    {
        if (services.FirstOrDefault(descriptor => descriptor.ServiceType == typeof(ISiloBuilder))?.ImplementationInstance is ISiloBuilder known)
        {
            return known;
        }

        var builder = new SiloBuilder(services, configuration);
        services.AddSingleton<ISiloBuilder>(builder);
        services.AddSingleton(new RegisteredServices(services));
        services.TryAddSingleton(TimeProvider.System);
        // As Orleans does: its clocks are asked for by key, so that an application's clock and a silo's can differ.
        services.TryAddKeyedSingleton<TimeProvider>(KeyedService.AnyKey, static (provider, _) => provider.GetRequiredService<TimeProvider>());
        services.AddSingleton<LocalSiloDetails>();
        services.AddSingleton<ILocalSiloDetails>(provider => provider.GetRequiredService<LocalSiloDetails>());
        services.AddSingleton<SiloRuntime>();
        services.AddSingleton<IClusterClient>(provider => provider.GetRequiredService<SiloRuntime>().Factory);
        services.AddSingleton<IGrainFactory>(provider => provider.GetRequiredService<SiloRuntime>().Factory);
        services.AddSingleton<IGrainContextAccessor, GrainContextAccessor>();
        services.AddSingleton<IConfigurationValidator, SiloOptionsValidator>();
        services.AddSingleton<StateSerializer>();
        services.AddHostedService<SiloHostedService>();
        return builder;
    }
}

/// <summary>Clients need a cluster, and the embedded runtime is one process: a host with a client fails at its start and says so.</summary>
public static class OrleansClientGenericHostExtensions
{
    /// <summary>Accepted, and fails when the host starts.</summary>
    public static IHostApplicationBuilder UseOrleansClient(this IHostApplicationBuilder hostAppBuilder, Action<IClientBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(hostAppBuilder);
        ArgumentNullException.ThrowIfNull(configureDelegate);
        configureDelegate(AddClient(hostAppBuilder.Services, hostAppBuilder.Configuration));
        return hostAppBuilder;
    }

    /// <summary>Accepted, and fails when the host starts.</summary>
    public static IHostApplicationBuilder UseOrleansClient(this IHostApplicationBuilder hostAppBuilder) => hostAppBuilder.UseOrleansClient(_ => { });

    /// <summary>Accepted, and fails when the host starts.</summary>
    public static HostApplicationBuilder UseOrleansClient(this HostApplicationBuilder hostAppBuilder, Action<IClientBuilder> configureDelegate)
    {
        ((IHostApplicationBuilder)hostAppBuilder).UseOrleansClient(configureDelegate);
        return hostAppBuilder;
    }

    /// <summary>Accepted, and fails when the host starts.</summary>
    public static HostApplicationBuilder UseOrleansClient(this HostApplicationBuilder hostAppBuilder) => hostAppBuilder.UseOrleansClient(_ => { });

    /// <summary>Accepted, and fails when the host starts.</summary>
    public static IHostBuilder UseOrleansClient(this IHostBuilder hostBuilder, Action<IClientBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(hostBuilder);
        ArgumentNullException.ThrowIfNull(configureDelegate);
        return hostBuilder.ConfigureServices((context, services) => configureDelegate(AddClient(services, context.Configuration)));
    }

    /// <summary>Accepted, and fails when the host starts.</summary>
    public static IServiceCollection AddOrleansClient(this IServiceCollection services, Action<IClientBuilder> configureDelegate)
    {
        ArgumentNullException.ThrowIfNull(configureDelegate);
        configureDelegate(AddClient(services, new ConfigurationBuilder().Build()));
        return services;
    }

    private static ClientBuilder AddClient(IServiceCollection services, IConfiguration configuration)
    {
        services.AddHostedService<NoClient>();
        services.TryAddSingleton<IClusterClient>(_ => throw NoClient.Reason());
        services.TryAddSingleton<IGrainFactory>(_ => throw NoClient.Reason());
        return new ClientBuilder(services, configuration);
    }

    private sealed class NoClient : IHostedService
    {
        public static OrleansConfigurationException Reason() => new(
            "This build has the embedded Orleans runtime, which is one process: the API must run inside the silo. Start the silo with its API, or build with the Orleans packages (OrleansRuntime=packages).");

        public Task StartAsync(CancellationToken cancellationToken) => throw Reason();

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
