using System.Net.Http.Headers;
using AgentPlatform.Data.Http;

namespace AgentPlatform.Grains.Channels;

/// <summary>
/// Asks a platform, or posts JSON to it, and tells apart what certainly didn't arrive (it may be sent again) from what may have.
/// </summary>
internal sealed class PlatformHttp(IHttpClientFactory clients, EndpointPolicy policy, TimeProvider clock)
{
    /// <summary>An answer of the platform, or how the call ended without one.</summary>
    /// <param name="Status">HTTP status; 0 when there is no answer.</param>
    /// <param name="RetryAfter">How long the platform asks to wait, in its own words: see <see cref="PlatformWait"/>.</param>
    /// <param name="Failure">Set when there is no answer.</param>
    internal readonly record struct Answer(int Status, byte[] Body, TimeSpan? RetryAfter = null, SendResult? Failure = null);

    /// <summary>Sends one request.</summary>
    /// <exception cref="OperationCanceledException">Only when <paramref name="cancellationToken"/> is cancelled.</exception>
    public Task<Answer> Post(string client, Uri url, ReadOnlyMemory<byte> json, string? bearer, CancellationToken cancellationToken) =>
        Send(client, HttpMethod.Post, url, new ReadOnlyMemoryContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } }, bearer, cancellationToken);

    /// <summary>Reads something.</summary>
    /// <exception cref="OperationCanceledException">Only when <paramref name="cancellationToken"/> is cancelled.</exception>
    public Task<Answer> Get(string client, Uri url, string? bearer, CancellationToken cancellationToken) => Send(client, HttpMethod.Get, url, null, bearer, cancellationToken);

    private async Task<Answer> Send(string client, HttpMethod method, Uri url, HttpContent? content, string? bearer, CancellationToken cancellationToken)
    {
        if (policy.Check(url) is { } refusal)
        {
            return Failed(SendOutcome.ChannelBroken, "endpoint_refused", $"The channel's base URL can't be used: {refusal}");
        }

        using var request = new HttpRequestMessage(method, url) { Content = content };
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        try
        {
            using var response = await clients.CreateClient(client).SendAsync(request, cancellationToken).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return new Answer((int)response.StatusCode, body, RetryAfter(response));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(SendOutcome.Doubtful, "timeout", "The platform did not answer in time.");
        }
        catch (HttpRequestException failure) when (failure.InnerException is EndpointRefusedException refused)
        {
            return Failed(SendOutcome.ChannelBroken, "endpoint_refused", refused.Message);
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError)
        {
            return Failed(SendOutcome.Passing, "not_connected", $"The platform can't be reached ({failure.HttpRequestError}).");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return Failed(SendOutcome.Doubtful, "connection_broken", "The connection broke before the platform had answered.");
        }
    }

    private static Answer Failed(SendOutcome outcome, string code, string error) => new(0, [], null, new SendResult(outcome, ErrorCode: code, Error: error));

    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        // A moment that has passed asks for nothing: the usual pauses hold.
        return wait <= TimeSpan.Zero ? null : wait;
    }
}
