using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AgentPlatform.Api.Hosting;

/// <summary>How HTTP is served, in an API process and in a silo alike.</summary>
public static class ApiHosting
{
    /// <summary>Bytes a second that a body must come with, or an answer be taken with, at least: slower ones hold what others wait for. The poorest mobile networks are faster.</summary>
    public const double LeastBytesPerSecond = 1000;

    /// <summary>How long it may be slower at the beginning.</summary>
    public static readonly TimeSpan SlowStart = TimeSpan.FromSeconds(15);

    /// <summary>Sets up the server.</summary>
    public static void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(LeastBytesPerSecond, SlowStart);
        kestrel.Limits.MinResponseDataRate = new MinDataRate(LeastBytesPerSecond, SlowStart);
    }
}
