using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Orleans.Hosting;

/// <summary>Configures the silo of this process.</summary>
public interface ISiloBuilder
{
    /// <summary>The services of the process.</summary>
    IServiceCollection Services { get; }

    /// <summary>The configuration of the process.</summary>
    IConfiguration Configuration { get; }
}

/// <summary>Configures a client of a cluster. The embedded runtime has none and says so at the start.</summary>
public interface IClientBuilder
{
    /// <summary>The services of the process.</summary>
    IServiceCollection Services { get; }

    /// <summary>The configuration of the process.</summary>
    IConfiguration Configuration { get; }
}

internal sealed class SiloBuilder(IServiceCollection services, IConfiguration configuration) : ISiloBuilder
{
    public IServiceCollection Services => services;

    public IConfiguration Configuration => configuration;
}

internal sealed class ClientBuilder(IServiceCollection services, IConfiguration configuration) : IClientBuilder
{
    public IServiceCollection Services => services;

    public IConfiguration Configuration => configuration;
}
