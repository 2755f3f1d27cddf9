using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.RateLimiting;

namespace AgentPlatform.Api.Limits;

/// <summary>How many requests one caller may make, and which proxies are believed about where a request comes from.</summary>
internal static class ApiLimits
{
    private static readonly TimeSpan Replenishment = TimeSpan.FromSeconds(1);

    public static void AddApiLimits(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddRateLimiter(options =>
        {
            options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(Partition);
            options.OnRejected = Refuse;
        });
        var proxies = ApiOptions.From(configuration).TrustedProxies.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = proxies.Length == 0 ? ForwardedHeaders.None : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            options.KnownIPNetworks.Clear();
            options.KnownProxies.Clear();
            foreach (var proxy in proxies)
            {
                if (proxy.Contains('/', StringComparison.Ordinal))
                {
                    options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(proxy));
                }
                else
                {
                    options.KnownProxies.Add(IPAddress.Parse(proxy));
                }
            }
        });
    }

    public static void UseApiProxies(this WebApplication app) => app.UseForwardedHeaders();

    public static void UseApiLimits(this WebApplication app) => app.UseRateLimiter();

    /// <summary>Only routes with an <see cref="Operation"/> are limited here; webhooks and widgets have limits of their own.</summary>
    private static RateLimitPartition<string> Partition(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Operation>() is not { RateLimit: not RateLimits.Own } operation)
        {
            return RateLimitPartition.GetNoLimiter("none");
        }
        var options = context.RequestServices.GetRequiredService<ApiOptions>();
        return context.Features.Get<Caller>() is { } caller && operation.RateLimit == RateLimits.Default
            ? Bucket($"session {caller.SessionId:N}", options.RequestsPerMinute)
            : operation.RateLimit == RateLimits.SignIn
                ? Bucket($"sign-in {context.Connection.RemoteIpAddress}", options.SignInsPerMinute)
                : Bucket($"address {context.Connection.RemoteIpAddress}", options.RequestsPerMinute);
    }

    private static RateLimitPartition<string> Bucket(string key, int perMinute) => RateLimitPartition.GetTokenBucketLimiter(key, _ => new TokenBucketRateLimiterOptions
    {
        TokenLimit = Math.Max(1, perMinute * 2),
        TokensPerPeriod = Math.Max(1, perMinute / 60),
        ReplenishmentPeriod = Replenishment,
        QueueLimit = 0,
        AutoReplenishment = true,
    });

    private static async ValueTask Refuse(OnRejectedContext rejected, CancellationToken cancellationToken)
    {
        var options = rejected.HttpContext.RequestServices.GetRequiredService<ApiOptions>();
        var isSignIn = rejected.HttpContext.GetEndpoint()?.Metadata.GetMetadata<Operation>()?.RateLimit == RateLimits.SignIn;
        var limit = isSignIn
            ? string.Create(CultureInfo.InvariantCulture, $"API_SIGN_INS_PER_MINUTE is {options.SignInsPerMinute}")
            : string.Create(CultureInfo.InvariantCulture, $"API_REQUESTS_PER_MINUTE is {options.RequestsPerMinute}");
        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? retryAfter : Replenishment;
        await new Problem(ProblemType.TooManyRequests, $"{limit}.") { RetryAfter = wait }.ExecuteAsync(rejected.HttpContext);
    }
}
