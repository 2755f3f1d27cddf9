using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Migrations;
using AgentPlatform.Data.Secrets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Data;

/// <summary>Registration of everything that reaches Postgres.</summary>
public static class DataServices
{
    /// <summary>
    /// Adds <see cref="DataOptions"/>, <see cref="EngineDataSource"/>, <see cref="ApiDataSource"/>, <see cref="Migrator"/>, <see cref="SecretBox"/> and
    /// <see cref="ConfigurationChanges"/>. May be called more than once. Settings are read when first used, so that a missing one is reported at start, by name.
    /// </summary>
    public static IServiceCollection AddData(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => DataOptions.From(configuration));
        services.TryAddSingleton(provider => new EngineDataSource(provider.GetRequiredService<DataOptions>()));
        services.TryAddSingleton(provider => new ApiDataSource(provider.GetRequiredService<DataOptions>()));
        services.TryAddSingleton<Migrator>();
        services.TryAddSingleton(_ => SecretBox.From(configuration));
        services.TryAddSingleton<ConfigurationChanges>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ConfigurationChangesListener>());
        return services;
    }
}
