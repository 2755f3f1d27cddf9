using System.Net;
using Orleans.Runtime;

namespace Orleans.Configuration;

/// <summary>The names of the cluster and of the service whose state it holds.</summary>
public class ClusterOptions
{
    /// <summary>The default of <see cref="ClusterId"/>.</summary>
    public const string DefaultClusterId = "default";

    /// <summary>The default of <see cref="ServiceId"/>.</summary>
    public const string DefaultServiceId = "default";

    /// <summary>Silos with the same id form a cluster. Default <c>default</c>.</summary>
    public string ClusterId { get; set; } = DefaultClusterId;

    /// <summary>State and reminders belong to it; it outlives clusters. Default <c>default</c>.</summary>
    public string ServiceId { get; set; } = DefaultServiceId;
}

/// <summary>How long callers wait.</summary>
public abstract class MessagingOptions
{
    /// <summary>How long a caller waits for a response. Default 30 seconds.</summary>
    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether requests are dropped that nobody waits for any more. Always so here. Default true.</summary>
    public bool DropExpiredMessages { get; set; } = true;
}

/// <summary>How long callers in the silo wait.</summary>
public class SiloMessagingOptions : MessagingOptions
{
    /// <summary>How often a request is passed on to a grain's next activation before its caller is told. Default 2, at most 255.</summary>
    public int MaxForwardCount { get; set; } = 2;

    /// <summary><see cref="MaxForwardCount"/>, or an error where a request could not count so far.</summary>
    internal int CheckedMaxForwardCount => MaxForwardCount <= byte.MaxValue
        ? MaxForwardCount
        : throw new OrleansConfigurationException($"{nameof(SiloMessagingOptions)}.{nameof(MaxForwardCount)} is {MaxForwardCount}; it must not be greater than {byte.MaxValue}.");

    /// <summary>How long the runtime waits for its own calls. Accepted; there are none. Default 30 seconds.</summary>
    public TimeSpan SystemResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>How long callers outside the silo wait. Accepted: here all callers are inside.</summary>
public class ClientMessagingOptions : MessagingOptions;

/// <summary>When idle activations end.</summary>
public class GrainCollectionOptions
{
    /// <summary>How often the runtime looks for idle activations. Default one minute.</summary>
    public TimeSpan CollectionQuantum { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long an activation may be idle; longer than <see cref="CollectionQuantum"/>. Default 15 minutes.</summary>
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>The same by full class name.</summary>
    public Dictionary<string, TimeSpan> ClassSpecificCollectionAge { get; set; } = [];

    /// <summary>How long an activation may take to begin. Default 30 seconds.</summary>
    public TimeSpan ActivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an activation may take to end. Default 30 seconds.</summary>
    public TimeSpan DeactivationTimeout { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>Where a silo listens. Accepted: this runtime doesn't listen.</summary>
public class EndpointOptions
{
    /// <summary>The default of <see cref="SiloPort"/>.</summary>
    public const int DEFAULT_SILO_PORT = 11111;

    /// <summary>The default of <see cref="GatewayPort"/>.</summary>
    public const int DEFAULT_GATEWAY_PORT = 30000;

    /// <summary>The address told to others.</summary>
    public IPAddress? AdvertisedIPAddress { get; set; }

    /// <summary>The port for other silos.</summary>
    public int SiloPort { get; set; } = DEFAULT_SILO_PORT;

    /// <summary>The port for clients.</summary>
    public int GatewayPort { get; set; } = DEFAULT_GATEWAY_PORT;

    /// <summary>Where it listens for silos, if elsewhere.</summary>
    public IPEndPoint? SiloListeningEndpoint { get; set; }

    /// <summary>Where it listens for clients, if elsewhere.</summary>
    public IPEndPoint? GatewayListeningEndpoint { get; set; }
}

/// <summary>The silo's own name.</summary>
public class SiloOptions
{
    /// <summary>The name; by default the machine's.</summary>
    public string? SiloName { get; set; }
}

/// <summary>How silos watch each other. Accepted: there is one.</summary>
public class ClusterMembershipOptions
{
    /// <summary>How many missed probes make a silo suspect.</summary>
    public int NumMissedProbesLimit { get; set; } = 3;

    /// <summary>How long a probe may take.</summary>
    public TimeSpan ProbeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the membership is read.</summary>
    public TimeSpan TableRefreshTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a vote against a silo counts.</summary>
    public TimeSpan DeathVoteExpirationTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How often a silo says that it lives.</summary>
    public TimeSpan IAmAliveTablePublishTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a silo may take to join.</summary>
    public TimeSpan MaxJoinAttemptTime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How many votes make a silo dead.</summary>
    public int NumVotesForDeathDeclaration { get; set; } = 2;

    /// <summary>How many silos watch each one.</summary>
    public int NumProbedSilos { get; set; } = 10;

    /// <summary>How long rows of dead silos are kept.</summary>
    public TimeSpan DefunctSiloExpiration { get; set; } = TimeSpan.FromDays(7);

    /// <summary>How often they are looked for; null for never.</summary>
    public TimeSpan? DefunctSiloCleanupPeriod { get; set; } = TimeSpan.FromHours(1);
}
