using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Data.Http;

/// <summary>Which addresses this server calls on a tenant's word.</summary>
public sealed record EndpointOptions
{
    /// <summary>Name of the setting.</summary>
    public const string AllowPrivateEndpointsSetting = "ALLOW_PRIVATE_ENDPOINTS";

    /// <summary>
    /// True lets tenants name plain HTTP, this machine and its private network: for emulators, gateways in the same network and tests.
    /// Setting <c>ALLOW_PRIVATE_ENDPOINTS</c>, default false.
    /// </summary>
    public bool AllowPrivateEndpoints { get; init; }

    /// <summary>How long connecting to one address may take before the next is tried. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Most bytes of an answer that are read; a longer one is an error. Default 1 MiB.</summary>
    public int MaxResponseBytes { get; init; } = 1024 * 1024;

    /// <summary>Reads the setting.</summary>
    public static EndpointOptions From(IConfiguration configuration) => new()
    {
        AllowPrivateEndpoints = configuration.Setting(AllowPrivateEndpointsSetting, false),
    };
}

/// <summary>
/// Decides whether an address that a tenant named may be called. Names are judged again after they were resolved, by <see cref="GuardedHttp"/>:
/// what a name points to can change between the two.
/// </summary>
public sealed class EndpointPolicy(EndpointOptions options)
{
    /// <summary>Longest address accepted, in characters.</summary>
    public const int MaxUrlLength = 2048;

    /// <summary>True when this machine and its private network may be called.</summary>
    public bool AllowsPrivateEndpoints => options.AllowPrivateEndpoints;

    /// <summary>Null when the address may be called, as far as can be told without resolving its name; else what is wrong, as the end of a sentence: "it must …".</summary>
    public string? Check(Uri url)
    {
        if (!url.IsAbsoluteUri || url.Host.Length == 0)
        {
            return "it must be an absolute URL, such as https://api.example.com.";
        }

        if (url.OriginalString.Length > MaxUrlLength)
        {
            return $"it must have at most {MaxUrlLength} characters.";
        }

        if (url.Scheme != Uri.UriSchemeHttps && !(options.AllowPrivateEndpoints && url.Scheme == Uri.UriSchemeHttp))
        {
            return options.AllowPrivateEndpoints ? "it must be an http or https URL." : "it must be an https URL.";
        }

        if (url.UserInfo.Length > 0)
        {
            return "it must not hold a user name or password.";
        }

        if (options.AllowPrivateEndpoints)
        {
            return null;
        }

        var isPrivate = IPAddress.TryParse(url.IdnHost.Trim('[', ']'), out var address) ? !IsPublic(address) : IsPrivateName(url.IdnHost);
        return isPrivate ? $"it must not point to a private address (unless {EndpointOptions.AllowPrivateEndpointsSetting} is true)." : null;
    }

    /// <summary>Whether a resolved address may be connected to.</summary>
    public bool IsAllowed(IPAddress address) => options.AllowPrivateEndpoints || IsPublic(address);

    /// <summary>Whether an address is reachable on the public internet: not loopback, private, link-local, multicast, reserved, or a wrapping of such an IPv4 address.</summary>
    public static bool IsPublic(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork when length == 4 => IsPublicV4(bytes[..4]),
            AddressFamily.InterNetworkV6 when length == 16 => IsPublicV6(bytes),
            _ => false,
        };
    }

    private static bool IsPrivateName(string host)
    {
        host = host.TrimEnd('.');
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".local", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".internal", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".home.arpa", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The special-purpose registry of IPv4 (RFC 6890 and its successors).</summary>
    private static bool IsPublicV4(ReadOnlySpan<byte> b) => b[0] switch
    {
        0 or 10 or 127 => false,
        100 => b[1] is < 64 or > 127, // shared address space of carriers
        169 => b[1] != 254, // link-local, and the metadata services of clouds
        172 => b[1] is < 16 or > 31,
        192 => !(b[1] == 168 || (b[1] == 0 && b[2] is 0 or 2) || (b[1] == 88 && b[2] == 99)),
        198 => !(b[1] is 18 or 19 || (b[1] == 51 && b[2] == 100)),
        203 => !(b[1] == 0 && b[2] == 113),
        >= 224 => false, // multicast, reserved, broadcast
        _ => true,
    };

    private static bool IsPublicV6(ReadOnlySpan<byte> b)
    {
        if (b[..12].SequenceEqual(MappedPrefix) || b[..12].SequenceEqual(TranslatedPrefix))
        {
            return IsPublicV4(b[12..]);
        }

        if (b[0] == 0x20 && b[1] == 0x02)
        {
            return IsPublicV4(b[2..6]); // 6to4 wraps an IPv4 address
        }

        // Only global unicast, 2000::/3, without 2001::/23 (Teredo and other protocols), documentation, and the segment routing block.
        return (b[0] & 0xE0) == 0x20
            && !(b[0] == 0x20 && b[1] == 0x01 && (b[2] & 0xFE) == 0)
            && !(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0D && b[3] == 0xB8)
            && !(b[0] == 0x3F && b[1] == 0xFF && (b[2] & 0xF0) == 0);
    }

    /// <summary>::ffff:0:0/96.</summary>
    private static ReadOnlySpan<byte> MappedPrefix => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];

    /// <summary>64:ff9b::/96.</summary>
    private static ReadOnlySpan<byte> TranslatedPrefix => [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0];
}
