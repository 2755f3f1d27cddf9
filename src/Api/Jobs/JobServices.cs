using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Transfer;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgentPlatform.Api.Jobs;

/// <summary>Registration of jobs.</summary>
public static class JobServices
{
    /// <summary>Adds what jobs do, for every process that runs or starts them: silos, whether or not they serve the API. May be called more than once.</summary>
    public static IServiceCollection AddJobWorks(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(_ => JobOptions.From(configuration));
        services.TryAddSingleton(_ => FileLimits.From(configuration));
        services.TryAddSingleton<FileStore>();
        services.TryAddSingleton<ActivityLog>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IRowRules, ResourceRowRules>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, ImportWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, ExportWork>());
        return services;
    }
}
