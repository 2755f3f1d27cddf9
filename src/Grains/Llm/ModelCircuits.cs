using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace AgentPlatform.Grains.Llm;

/// <summary>A circuit breaker for each organization and address: a provider that is down is left alone for a while, and its callers turn to the next model at once.</summary>
internal sealed class ModelCircuits(IOptions<LlmOptions> options, TimeProvider time)
{
    private readonly ConcurrentDictionary<(Guid OrganizationId, string BaseUrl), ResiliencePipeline> _circuits = new();

    /// <summary>The breaker of the endpoint's organization and address.</summary>
    public ResiliencePipeline For(ModelEndpoint endpoint) =>
        _circuits.GetOrAdd((endpoint.OrganizationId, endpoint.BaseUrl.AbsoluteUri), static (_, circuits) => circuits.Create(), this);

    private ResiliencePipeline Create() => new ResiliencePipelineBuilder { TimeProvider = time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            FailureRatio = options.Value.CircuitFailureRatio,
            MinimumThroughput = options.Value.CircuitMinimumCalls,
            SamplingDuration = options.Value.CircuitWindow,
            BreakDuration = options.Value.CircuitBreak,
            ShouldHandle = static outcome => ValueTask.FromResult(outcome.Outcome.Exception is LlmException failure && TellsAgainstProvider(failure.Kind)),
        })
        .Build();

    /// <summary>A request that is wrong itself, or one too many, says nothing about the provider's health.</summary>
    private static bool TellsAgainstProvider(LlmErrorKind kind) =>
        kind is LlmErrorKind.Unavailable or LlmErrorKind.Timeout or LlmErrorKind.BadAnswer or LlmErrorKind.Quota or LlmErrorKind.Auth;
}
