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
            options.GlobalLimiter = PartitionedRateLimiter.CreateChained(
                PartitionedRateLimiter.Create<HttpContext, string>(OfCaller), PartitionedRateLimiter.Create<HttpContext, string>(OfPerson), PartitionedRateLimiter.Create<HttpContext, string>(OfOrganization),
                PartitionedRateLimiter.Create<HttpContext, string>(Transfers), PartitionedRateLimiter.Create<HttpContext, string>(TransfersOfOrganization));
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

    /// <summary>
    /// Only routes with an <see cref="Operation"/> are limited here; webhooks and widgets have limits of their own. Whoever has signed in counts by session, the others by network: a
    /// household or a server has a whole /64 of IPv6.
    /// </summary>
    private static RateLimitPartition<string> OfCaller(HttpContext context)
    {
        if (Limited(context) is not { } operation)
        {
            return RateLimitPartition.GetNoLimiter("none");
        }
        var options = context.RequestServices.GetRequiredService<ApiOptions>();
        return context.Features.Get<Caller>() is { } caller && operation.RateLimit == RateLimits.Default
            ? Bucket($"session {caller.SessionId:N}", options.RequestsPerMinute)
            : operation.RateLimit == RateLimits.SignIn
                ? Bucket($"sign-in {SignInThrottle.Network(context.Connection.RemoteIpAddress)}", options.SignInsPerMinute)
                : Bucket($"network {SignInThrottle.Network(context.Connection.RemoteIpAddress)}", options.RequestsPerMinute);
    }

    /// <summary>All sessions and keys of a person together: half of what the organization has, so that nobody leaves his colleagues none. What is refused here isn't counted there.</summary>
    private static RateLimitPartition<string> OfPerson(HttpContext context) => Limited(context) is not null && context.Features.Get<Caller>() is { } caller
        ? Bucket($"person {caller.UserId:N} {caller.OrganizationId:N}", context.RequestServices.GetRequiredService<ApiOptions>().RequestsPerMinuteOfOrganization / 2)
        : RateLimitPartition.GetNoLimiter("none");

    /// <summary>All sessions and keys of an organization together: sessions can be had without end.</summary>
    private static RateLimitPartition<string> OfOrganization(HttpContext context) => Limited(context) is not null && context.Features.Get<Caller>() is { } caller
        ? Bucket($"organization {caller.OrganizationId:N}", context.RequestServices.GetRequiredService<ApiOptions>().RequestsPerMinuteOfOrganization)
        : RateLimitPartition.GetNoLimiter("none");

    /// <summary>Transfers go on for as long as their other end likes: somebody's must not be all of them.</summary>
    private static RateLimitPartition<string> Transfers(HttpContext context) => IsTransfer(context) is { } caller ? ConcurrencyLimit.Of($"transfers of {caller.UserId:N}", ApiOptions.TransfersAtOnceOfPerson) : RateLimitPartition.GetNoLimiter("none");

    private static RateLimitPartition<string> TransfersOfOrganization(HttpContext context) =>
        IsTransfer(context) is { } caller ? ConcurrencyLimit.Of($"transfers {caller.OrganizationId:N}", ApiOptions.TransfersAtOnceOfOrganization) : RateLimitPartition.GetNoLimiter("none");

    private static Caller? IsTransfer(HttpContext context) => Limited(context) is { } operation && (operation.TakesContent || operation.AnswersContent) ? context.Features.Get<Caller>() : null;

    private static Operation? Limited(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<Operation>() is { RateLimit: not RateLimits.Own } operation ? operation : null;

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
            : string.Create(CultureInfo.InvariantCulture, $"API_REQUESTS_PER_MINUTE is {options.RequestsPerMinute} for one of you, API_REQUESTS_PER_MINUTE_OF_ORGANIZATION {options.RequestsPerMinuteOfOrganization} for all of an organization and half of it for a person; {ApiOptions.TransfersAtOnceOfPerson} uploads and downloads of a person go on at once");
        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? retryAfter : Replenishment;
        await new Problem(ProblemType.TooManyRequests, $"{limit}.") { RetryAfter = wait }.ExecuteAsync(rejected.HttpContext);
    }
}
