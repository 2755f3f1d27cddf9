using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using Orleans.Configuration;

namespace AgentPlatform.Api.Hosting;

/// <summary>The API in a process of its own: a client of the silos, which it finds through Postgres.</summary>
internal static class OrleansClientSetup
{
    /// <summary>Reads <c>ORLEANS_TLS_…</c>, <c>ORLEANS_CLUSTER_ID</c>, <c>ORLEANS_SERVICE_ID</c> and <c>ORLEANS_RESPONSE_TIMEOUT_SECONDS</c>, as the silos do.</summary>
    public static void ConfigureClient(this IClientBuilder client, IConfiguration configuration)
    {
        client.Services.AddSingleton(services => ClusterDataSource.OfClient(services.GetRequiredService<DataOptions>()));
        client.UseAdoNetClustering(options => options.Configure<ClusterDataSource>(static (options, database) => (options.Invariant, options.DataSource) = ("Npgsql", database.Source)));
        client.Configure<ClusterOptions>(options =>
        {
            options.ClusterId = configuration["ORLEANS_CLUSTER_ID"] ?? "agentplatform";
            options.ServiceId = configuration["ORLEANS_SERVICE_ID"] ?? "agentplatform";
        });
        client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(configuration.Setting("ORLEANS_RESPONSE_TIMEOUT_SECONDS", 15)));
        if (ClusterTls.From(configuration) is { } tls)
        {
            client.UseTls(tls.Apply);
        }
        client.AddActivityPropagation();
    }
}
