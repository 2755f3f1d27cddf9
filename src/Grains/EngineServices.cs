using AgentPlatform.Data.Billing;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Data.Crm;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Grains.Archives;
using AgentPlatform.Grains.Billing;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Conversations;
using AgentPlatform.Grains.Crm;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Grains.Jobs;
using AgentPlatform.Grains.Live;
using AgentPlatform.Grains.Maintenance;
using AgentPlatform.Grains.Privacy;
using AgentPlatform.Grains.Turns;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Grains;

/// <summary>Registration of the engine: what conversations need beside their grains.</summary>
public static class EngineServices
{
    /// <summary>
    /// Adds the batching writer, the turn scheduler, delivery, live signals, jobs, the instance's heartbeat and the sweep. Register it before Orleans,
    /// so that the writer starts before the first grain and stops after the last. May be called more than once.
    /// Options are bound from the sections <c>Engine:Writer</c>, <c>Engine:Turns</c>, <c>Engine:Delivery</c>, <c>Engine:Instance</c>, <c>Engine:Usage</c> and <c>Engine:Analytics</c>.
    /// </summary>
    public static IServiceCollection AddEngine(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<ConversationWriterOptions>().Bind(configuration.GetSection("Engine:Writer"))
            .Validate(static options => options is { Lanes: > 0, MaxBatchSize: > 0, MaxQueueLength: > 0 }, "Engine:Writer: Lanes, MaxBatchSize and MaxQueueLength must be positive.").ValidateOnStart();
        services.AddOptions<TurnSchedulerOptions>().Bind(configuration.GetSection("Engine:Turns"))
            .Validate(static options => options is { MaxTurns: > 0, MaxTurnsPerOrganization: > 0, TokensPerMinutePerOrganization: >= 0 }, "Engine:Turns: MaxTurns and MaxTurnsPerOrganization must be positive.").ValidateOnStart();
        services.AddOptions<DeliveryOptions>().Bind(configuration.GetSection("Engine:Delivery"))
            .Validate(static options => options.MaxAttempts > 0 && options.FirstRetry > TimeSpan.Zero, "Engine:Delivery: MaxAttempts and FirstRetry must be positive.").ValidateOnStart();
        services.AddOptions<EngineInstanceOptions>().Bind(configuration.GetSection("Engine:Instance"))
            .Validate(static options => options.DeadAfter > options.HeartbeatInterval, "Engine:Instance: DeadAfter must be longer than HeartbeatInterval.").ValidateOnStart();
        services.AddOptions<AnalyticsOptions>().Bind(configuration.GetSection("Engine:Analytics"))
            .Validate(static options => options.RefreshInterval >= AnalyticsOptions.ShortestInterval && options.RefreshTimeout > TimeSpan.Zero, "Engine:Analytics: RefreshInterval must be a minute or more, RefreshTimeout positive.").ValidateOnStart();

        services.AddOptions<UsageOptions>().Bind(configuration.GetSection("Engine:Usage"))
            .Validate(static options => options is { RenewalBatch: > 0, WakeLimit: >= 0 } && options.ReportInterval > TimeSpan.Zero && options.RefreshInterval > TimeSpan.Zero && options.RenewalInterval > TimeSpan.Zero,
                "Engine:Usage: ReportInterval, RefreshInterval, RenewalInterval and RenewalBatch must be positive.").ValidateOnStart();

        services.TryAddSingleton<ConversationWriter>();
        services.TryAddSingleton<ConversationStore>();
        services.TryAddSingleton<AnalyticsStore>();
        services.TryAddSingleton<TurnScheduler>();
        services.TryAddSingleton<ChannelConnectors>();
        services.TryAddSingleton<ChannelChanges>();
        services.TryAddSingleton<EarlyReceipts>();
        services.TryAddSingleton<Receipts>();
        services.TryAddSingleton<MessageDelivery>();
        services.TryAddSingleton<LiveSignals>();
        services.TryAddSingleton<UsageStore>();
        services.TryAddSingleton<UsageGate>();
        services.TryAddSingleton<EngineInstance>();
        services.TryAddSingleton(_ => JobOptions.From(configuration));
        services.TryAddSingleton<JobStore>();
        services.TryAddSingleton<JobRunner>();
        services.TryAddSingleton(_ => FileLimits.From(configuration));
        services.TryAddSingleton<FileStore>();
        services.TryAddSingleton(_ => ArchiveLimits.From(configuration));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, ConversationsOfMemberWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, ErasureWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, PersonalDataWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, RetentionWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, FinetuningDatasetWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, OrganizationExportWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, OrganizationImportWork>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IJobWork, OrganizationDeletionWork>());
        services.TryAddSingleton<ConversationServices>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ConversationWriter>(static provider => provider.GetRequiredService<ConversationWriter>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, EngineInstance>(static provider => provider.GetRequiredService<EngineInstance>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, SweepStarter>());
        return services;
    }
}
