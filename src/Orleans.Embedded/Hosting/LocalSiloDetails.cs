using System.Net;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Orleans.Runtime;

/// <summary>What the silo of this process is called.</summary>
public interface ILocalSiloDetails
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>Its cluster.</summary>
    string ClusterId { get; }

    /// <summary>Its machine.</summary>
    string DnsHostName { get; }

    /// <summary>Its address for silos.</summary>
    SiloAddress SiloAddress { get; }

    /// <summary>Its address for clients.</summary>
    SiloAddress GatewayAddress { get; }
}

/// <inheritdoc />
internal sealed class LocalSiloDetails : ILocalSiloDetails
{
    private static readonly DateTimeOffset Epoch = new(2022, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public LocalSiloDetails(IOptions<ClusterOptions> cluster, IOptions<SiloOptions> silo, IOptions<EndpointOptions> endpoints, TimeProvider timeProvider)
    {
        DnsHostName = Dns.GetHostName();
        Name = silo.Value.SiloName ?? $"Silo_{DnsHostName}";
        ClusterId = cluster.Value.ClusterId;
        var address = endpoints.Value.AdvertisedIPAddress ?? IPAddress.Loopback;
        var generation = (int)(timeProvider.GetUtcNow() - Epoch).TotalSeconds;
        SiloAddress = SiloAddress.New(new IPEndPoint(address, endpoints.Value.SiloPort), generation);
        GatewayAddress = SiloAddress.New(new IPEndPoint(address, endpoints.Value.GatewayPort), generation);
    }

    public string Name { get; }

    public string ClusterId { get; }

    public string DnsHostName { get; }

    public SiloAddress SiloAddress { get; }

    public SiloAddress GatewayAddress { get; }
}
