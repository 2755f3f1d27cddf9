using System.Net;
using AgentPlatform.Data.Connections;
using Orleans.Configuration;

namespace AgentPlatform.Silo.Hosting;

/// <summary>Orleans as this product uses it: clustered, persisted and reminded through Postgres.</summary>
internal static class OrleansSetup
{
    private const string Invariant = "Npgsql";

    public static void ConfigureSilo(this ISiloBuilder silo, SiloSettings settings, IConfiguration configuration)
    {
        var connectionString = DataOptions.From(configuration).EngineConnectionString;
        silo.Configure<ClusterOptions>(options =>
        {
            options.ClusterId = settings.ClusterId;
            options.ServiceId = settings.ServiceId;
        });
        switch (settings.Clustering)
        {
            case "postgres":
                silo.UseAdoNetClustering(options =>
                {
                    options.Invariant = Invariant;
                    options.ConnectionString = connectionString;
                });
                if (settings.AdvertisedIp is { } advertised)
                {
                    silo.ConfigureEndpoints(IPAddress.Parse(advertised), settings.SiloPort, settings.GatewayPort);
                }
                else
                {
                    silo.ConfigureEndpoints(settings.SiloPort, settings.GatewayPort);
                }
                if (settings.ListenIp is { } listen)
                {
                    silo.Configure<EndpointOptions>(options =>
                    {
                        options.SiloListeningEndpoint = new IPEndPoint(IPAddress.Parse(listen), settings.SiloPort);
                        options.GatewayListeningEndpoint = new IPEndPoint(IPAddress.Parse(listen), settings.GatewayPort);
                    });
                }
                break;
            case "localhost":
                silo.UseLocalhostClustering(settings.SiloPort, settings.GatewayPort, serviceId: settings.ServiceId, clusterId: settings.ClusterId);
                break;
            default:
                throw new InvalidOperationException($"ORLEANS_CLUSTERING is '{settings.Clustering}'; expected postgres or localhost.");
        }
        silo.AddAdoNetGrainStorageAsDefault(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = connectionString;
        });
        silo.UseAdoNetReminderService(options =>
        {
            options.Invariant = Invariant;
            options.ConnectionString = connectionString;
        });
        silo.AddActivityPropagation();
        silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = TimeSpan.FromMinutes(settings.CollectionMinutes));
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(settings.ResponseTimeoutSeconds));
    }
}
