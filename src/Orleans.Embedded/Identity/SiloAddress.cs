using System.Net;

namespace Orleans.Runtime;

/// <summary>The address of a silo: its endpoint and the number of its start.</summary>
public sealed class SiloAddress : IEquatable<SiloAddress>
{
    private SiloAddress(IPEndPoint endpoint, int generation)
    {
        Endpoint = endpoint;
        Generation = generation;
    }

    /// <summary>The endpoint.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>Seconds since 2022 at the silo's start.</summary>
    public int Generation { get; }

    /// <summary>Makes an address.</summary>
    public static SiloAddress New(IPEndPoint ep, int gen) => new(ep, gen);

    /// <summary>The form <c>address:port@generation</c>.</summary>
    public string ToParsableString() => $"{Endpoint}@{Generation}";

    /// <inheritdoc />
    public bool Equals(SiloAddress? other) => other is not null && Generation == other.Generation && Endpoint.Equals(other.Endpoint);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as SiloAddress);

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Endpoint, Generation);

    /// <inheritdoc />
    public override string ToString() => ToParsableString();
}
