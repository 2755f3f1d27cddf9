using System.Net.Http.Headers;
using AgentPlatform.Data.Http;
using Microsoft.Extensions.Options;
using Polly.CircuitBreaker;

namespace AgentPlatform.Grains.Llm.OpenAi;

/// <summary>
/// Sends requests to servers that speak OpenAI's protocol: within time-outs, through the guard against private addresses and a circuit breaker
/// for each organization and address, again when a failure passes. Whatever goes wrong is an <see cref="LlmException"/>.
/// </summary>
internal sealed class OpenAiTransport(IHttpClientFactory clients, EndpointPolicy policy, ModelCircuits circuits, IOptions<LlmOptions> options, TimeProvider time)
{
    /// <summary>Of a refusal, more than enough to find its code.</summary>
    private const int MaxErrorBytes = 64 * 1024;

    public LlmOptions Options => options.Value;

    /// <summary>Sends, reads the whole answer, and does so again as long as the failure passes and time is left.</summary>
    /// <param name="read">Reads the answer's body; it may be called once for each try.</param>
    /// <exception cref="LlmException">No try gave an answer.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<T> Send<T>(ModelEndpoint endpoint, string path, byte[] body, Func<OpenAiAnswer, CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        if (policy.Check(endpoint.BaseUrl) is { } refusal)
        {
            throw new LlmException(LlmErrorKind.EndpointRefused, $"The model's base URL can't be used. {refusal}");
        }

        var started = time.GetTimestamp();
        using var total = new CancellationTokenSource(Options.TotalTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, total.Token);
        var circuit = circuits.For(endpoint);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await circuit.ExecuteAsync(async _ => await Try(endpoint, path, body, read, limit.Token).ConfigureAwait(false), limit.Token).ConfigureAwait(false);
            }
            catch (BrokenCircuitException)
            {
                throw new LlmException(LlmErrorKind.CircuitOpen, $"{endpoint.BaseUrl.Host} failed too often and isn't asked for {Options.CircuitBreak.TotalSeconds:0.#} s (Engine:Llm:CircuitBreak).");
            }
            catch (OperationCanceledException) when (total.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new LlmException(LlmErrorKind.Timeout, $"The model did not finish within Engine:Llm:TotalTimeout ({Options.TotalTimeout.TotalSeconds:0.#} s).");
            }
            catch (LlmException failure) when (failure.IsRetryable && attempt < Options.MaxRetries)
            {
                var pause = RetryPause.Before(attempt, failure.RetryAfter, Options, Random.Shared.NextDouble());
                if (time.GetElapsedTime(started) + pause >= Options.TotalTimeout)
                {
                    // The answer would come too late to be waited for.
                    throw;
                }

                await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<T> Try<T>(ModelEndpoint endpoint, string path, byte[] body, Func<OpenAiAnswer, CancellationToken, Task<T>> read, CancellationToken limit)
    {
        using var silence = new CancellationTokenSource(Options.IdleTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit, silence.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint.BaseUrl, path))
            {
                Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", endpoint.ApiKey);
            if (endpoint.BaseUrl.Host.EndsWith(".azure.com", StringComparison.OrdinalIgnoreCase))
            {
                request.Headers.TryAddWithoutValidation("api-key", endpoint.ApiKey);
            }

            using var response = await clients.CreateClient(LlmOptions.HttpClient).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            await using var stream = new WatchedStream(
                await response.Content.ReadAsStreamAsync(either.Token).ConfigureAwait(false), Options.MaxResponseBytes, () => silence.CancelAfter(Options.IdleTimeout));
            if (!response.IsSuccessStatusCode)
            {
                throw OpenAiErrors.FromResponse((int)response.StatusCode, response.Headers, await ReadError(stream, either.Token).ConfigureAwait(false), time.GetUtcNow());
            }

            return await read(new OpenAiAnswer(stream, response.Content.Headers.ContentType?.MediaType), either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (silence.IsCancellationRequested && !limit.IsCancellationRequested)
        {
            throw new LlmException(LlmErrorKind.Timeout, $"The model sent nothing for Engine:Llm:IdleTimeout ({Options.IdleTimeout.TotalSeconds:0.#} s).");
        }
        catch (HttpRequestException failure) when (failure.InnerException is EndpointRefusedException refused)
        {
            throw new LlmException(LlmErrorKind.EndpointRefused, refused.Message);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            var reason = failure is HttpRequestException { HttpRequestError: var error and not HttpRequestError.Unknown } ? error.ToString() : failure.GetType().Name;
            throw new LlmException(LlmErrorKind.Unavailable, $"The connection to the model's server failed ({reason}).", failure);
        }
    }

    private static async Task<byte[]> ReadError(Stream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxErrorBytes];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return buffer[..length];
    }
}

/// <summary>An answer whose status is success.</summary>
/// <param name="Body">Limited in size, watched for silence.</param>
/// <param name="MediaType">Of its content, if told.</param>
internal sealed record OpenAiAnswer(Stream Body, string? MediaType);

/// <summary>How long to wait before another try.</summary>
internal static class RetryPause
{
    /// <summary>The provider's wish if it is not too long, else our own pause: doubling, with some chance in it so that many callers don't come back together.</summary>
    /// <param name="attempt">Tries that failed before this one, from 0.</param>
    /// <param name="wish">What the provider asked for.</param>
    /// <param name="chance">Between 0 and 1.</param>
    public static TimeSpan Before(int attempt, TimeSpan? wish, LlmOptions options, double chance)
    {
        if (wish is { } wanted && wanted <= options.LongestRetryAfter)
        {
            return wanted;
        }

        var pause = options.FirstRetryDelay * Math.Pow(2, attempt);
        return (pause > options.LongestRetryDelay ? options.LongestRetryDelay : pause) * (1 - (0.25 * chance));
    }
}
