using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgentPlatform.Data.Http;

/// <summary>
/// HTTP to addresses that tenants name. Each connection resolves the name, refuses what <see cref="EndpointPolicy"/> refuses, and connects to the very address
/// that was judged. No redirects, cookies or proxies; answers are limited in size.
/// </summary>
public sealed class GuardedHttp(EndpointPolicy policy, EndpointOptions options)
{
    /// <summary>A handler for one named client. It keeps its own connections.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5), // names are resolved, and judged, again
        MaxResponseHeadersLength = 64,
        // No trace of the request either: its URL may hold a token, and our trace ids are nobody else's business.
        ActivityHeadersPropagator = null,
        ConnectCallback = ConnectAsync,
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).ConfigureAwait(false);
        var allowed = addresses.Where(policy.IsAllowed).ToArray();
        if (allowed.Length == 0)
        {
            throw new EndpointRefusedException(host);
        }

        Exception? failure = null;
        foreach (var address in allowed)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(options.ConnectTimeout);
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), limit.Token).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (Exception broken) when (broken is SocketException or OperationCanceledException)
            {
                socket.Dispose();
                cancellationToken.ThrowIfCancellationRequested();
                failure = broken is SocketException ? broken : new SocketException((int)SocketError.TimedOut);
            }
        }

        throw failure!;
    }
}

/// <summary>The name points to nothing but private addresses.</summary>
public sealed class EndpointRefusedException(string host)
    : Exception($"{host} points to a private address, which is refused unless {EndpointOptions.AllowPrivateEndpointsSetting} is true.");

/// <summary>Registration of guarded HTTP.</summary>
public static class GuardedHttpServices
{
    /// <summary>Adds <see cref="EndpointOptions"/>, <see cref="EndpointPolicy"/> and <see cref="GuardedHttp"/>. May be called more than once.</summary>
    public static IServiceCollection AddGuardedHttp(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(_ => EndpointOptions.From(configuration));
        services.TryAddSingleton<EndpointPolicy>();
        services.TryAddSingleton<GuardedHttp>();
        return services;
    }

    /// <summary>
    /// A named client behind the guard. It writes no request logs: some platforms put their token into the URL.
    /// </summary>
    /// <param name="services">Where <see cref="AddGuardedHttp"/> was called.</param>
    /// <param name="name">Name for <see cref="IHttpClientFactory"/>.</param>
    /// <param name="timeout">From the first byte sent to the last byte received.</param>
    public static IServiceCollection AddGuardedHttpClient(this IServiceCollection services, string name, TimeSpan timeout)
    {
        services.AddHttpClient(name)
            .ConfigureHttpClient((provider, client) =>
            {
                client.Timeout = timeout;
                client.MaxResponseContentBufferSize = provider.GetRequiredService<EndpointOptions>().MaxResponseBytes;
            })
            .ConfigurePrimaryHttpMessageHandler(provider => provider.GetRequiredService<GuardedHttp>().CreateHandler())
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // the handler renews its connections itself
            .RemoveAllLoggers();
        return services;
    }
}
