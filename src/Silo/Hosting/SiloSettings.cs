using AgentPlatform.Data;

namespace AgentPlatform.Silo.Hosting;

/// <summary>How this process runs. Each property names its environment variable; docs/operations.md lists them all.</summary>
public sealed record SiloSettings
{
    /// <summary><c>PORT</c>: where HTTP is served.</summary>
    public int Port { get; init; } = 8080;

    /// <summary><c>BIND_ADDRESS</c>: the address that HTTP is served on; all by default.</summary>
    public string BindAddress { get; init; } = "0.0.0.0";

    /// <summary><c>API_IN_SILO</c>: serve the API in this process too. Off where API processes of their own run.</summary>
    public bool ServesApi { get; init; } = true;

    /// <summary><c>MIGRATE_ON_START</c>: bring the database up to date before serving.</summary>
    public bool MigratesOnStart { get; init; }

    /// <summary><c>ORLEANS_CLUSTERING</c>: <c>postgres</c> for several silos, <c>localhost</c> for one.</summary>
    public string Clustering { get; init; } = "localhost";

    /// <summary><c>ORLEANS_CLUSTER_ID</c> and <c>ORLEANS_SERVICE_ID</c>.</summary>
    public string ClusterId { get; init; } = "agentplatform";
    public string ServiceId { get; init; } = "agentplatform";

    /// <summary><c>ORLEANS_SILO_PORT</c>: silo to silo.</summary>
    public int SiloPort { get; init; } = 11111;

    /// <summary><c>ORLEANS_GATEWAY_PORT</c>: API processes to silo.</summary>
    public int GatewayPort { get; init; } = 30000;

    /// <summary><c>ORLEANS_ADVERTISED_IP</c>: the address by which other processes reach this silo; found by itself when not set.</summary>
    public string? AdvertisedIp { get; init; }

    /// <summary><c>ORLEANS_LISTEN_IP</c>: the address that both ports listen on; the advertised one when not set, and <c>0.0.0.0</c> for all, where that is the address of something in front.</summary>
    public string? ListenIp { get; init; }

    /// <summary><c>ORLEANS_COLLECTION_MINUTES</c>: minutes without a call after which a grain leaves memory.</summary>
    public int CollectionMinutes { get; init; } = 10;

    /// <summary><c>ORLEANS_RESPONSE_TIMEOUT_SECONDS</c>: how long a grain call may take.</summary>
    public int ResponseTimeoutSeconds { get; init; } = 15;

    public static SiloSettings From(IConfiguration configuration) => new()
    {
        Port = configuration.Setting("PORT", 8080),
        BindAddress = configuration["BIND_ADDRESS"] ?? "0.0.0.0",
        ServesApi = configuration.Setting("API_IN_SILO", true),
        MigratesOnStart = configuration.Setting("MIGRATE_ON_START", false),
        Clustering = configuration["ORLEANS_CLUSTERING"] ?? "localhost",
        ClusterId = configuration["ORLEANS_CLUSTER_ID"] ?? "agentplatform",
        ServiceId = configuration["ORLEANS_SERVICE_ID"] ?? "agentplatform",
        SiloPort = configuration.Setting("ORLEANS_SILO_PORT", 11111),
        GatewayPort = configuration.Setting("ORLEANS_GATEWAY_PORT", 30000),
        AdvertisedIp = configuration["ORLEANS_ADVERTISED_IP"],
        ListenIp = configuration["ORLEANS_LISTEN_IP"],
        CollectionMinutes = configuration.Setting("ORLEANS_COLLECTION_MINUTES", 10),
        ResponseTimeoutSeconds = configuration.Setting("ORLEANS_RESPONSE_TIMEOUT_SECONDS", 15),
    };
}
