using System.Net;
using AgentPlatform.Api.Hosting;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace AgentPlatform.Silo.Hosting;

/// <summary>Orleans as this product uses it: clustered, persisted and reminded through Postgres.</summary>
internal static class OrleansSetup
{
    private const string Invariant = "Npgsql";

    public static void ConfigureSilo(this ISiloBuilder silo, SiloSettings settings, IConfiguration configuration)
    {
        silo.Services.AddSingleton(services => ClusterDataSource.OfSilo(services.GetRequiredService<DataOptions>()));
        silo.Configure<ClusterOptions>(options =>
        {
            options.ClusterId = settings.ClusterId;
            options.ServiceId = settings.ServiceId;
        });
        switch (settings.Clustering)
        {
            case "postgres":
                silo.UseAdoNetClustering(options => options.Configure<ClusterDataSource>(static (options, database) => (options.Invariant, options.DataSource) = (Invariant, database.Source)));
                if (settings.AdvertisedIp is { } advertised)
                {
                    silo.ConfigureEndpoints(Address("ORLEANS_ADVERTISED_IP", advertised), settings.SiloPort, settings.GatewayPort);
                }
                else
                {
                    silo.ConfigureEndpoints(settings.SiloPort, settings.GatewayPort);
                }
                if (settings.ListenIp is { } listen)
                {
                    silo.Configure<EndpointOptions>(options =>
                    {
                        options.SiloListeningEndpoint = new IPEndPoint(Address("ORLEANS_LISTEN_IP", listen), settings.SiloPort);
                        options.GatewayListeningEndpoint = new IPEndPoint(Address("ORLEANS_LISTEN_IP", listen), settings.GatewayPort);
                    });
                }
                break;
            case "localhost":
                silo.UseLocalhostClustering(settings.SiloPort, settings.GatewayPort, serviceId: settings.ServiceId, clusterId: settings.ClusterId);
                break;
            default:
                throw new SettingException($"ORLEANS_CLUSTERING is '{settings.Clustering}'; expected postgres or localhost.");
        }
        if (ClusterTls.From(configuration) is { } tls)
        {
            silo.UseTls(tls.Apply);
        }
        else if (settings.Clustering == "postgres")
        {
            silo.AddStartupTask(static (services, _) =>
            {
                OrleansLog.ClearPorts(services.GetRequiredService<ILogger<SiloSettings>>(), services.GetRequiredService<IOptions<EndpointOptions>>().Value.AdvertisedIPAddress);
                return Task.CompletedTask;
            });
        }
        silo.AddAdoNetGrainStorageAsDefault(options => options.Configure<ClusterDataSource>(static (options, database) => (options.Invariant, options.DataSource) = (Invariant, database.Source)));
        silo.UseAdoNetReminderService(options => options.Configure<ClusterDataSource>(static (options, database) => (options.Invariant, options.DataSource) = (Invariant, database.Source)));
        silo.AddActivityPropagation();
        silo.Configure<GrainCollectionOptions>(options => options.CollectionAge = TimeSpan.FromMinutes(settings.CollectionMinutes));
        silo.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(settings.ResponseTimeoutSeconds));
    }

    private static IPAddress Address(string setting, string text) =>
        IPAddress.TryParse(text, out var address) ? address : throw new SettingException($"{setting} is {text}; it must be an IP address.");
}

internal static partial class OrleansLog
{
    [LoggerMessage(1, LogLevel.Warning, "The ports of the cluster at {Address} are neither encrypted nor guarded: whoever reaches them is one of the silos. Set ORLEANS_TLS_CERTIFICATE and ORLEANS_TLS_KEY, or keep them in a network of their own")]
    public static partial void ClearPorts(ILogger logger, IPAddress? address);
}
