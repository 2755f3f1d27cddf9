namespace AgentPlatform.Grains.Llm;

/// <summary>Why a call to a model gave no answer.</summary>
internal enum LlmErrorKind
{
    /// <summary>The server or the way to it failed: refused, broken or 5xx. Another try can succeed.</summary>
    Unavailable,

    /// <summary>Nothing came for longer than a time-out. Another try can succeed.</summary>
    Timeout,

    /// <summary>Too many requests or tokens a minute. Another try can succeed, later.</summary>
    RateLimited,

    /// <summary>The answer is not what the protocol says: not JSON, no choice, cut off, too long. Another try can succeed.</summary>
    BadAnswer,

    /// <summary>The account has no credit left or met its spending limit. Another try can't succeed.</summary>
    Quota,

    /// <summary>The key is wrong or may not use the model.</summary>
    Auth,

    /// <summary>The prompt is longer than the model can read.</summary>
    ContextLength,

    /// <summary>The provider's filter refused prompt or answer.</summary>
    ContentFiltered,

    /// <summary>The request is wrong otherwise: an unknown model, an unknown parameter.</summary>
    InvalidRequest,

    /// <summary>The provider failed so often that it isn't asked for a while.</summary>
    CircuitOpen,

    /// <summary>The address may not be called.</summary>
    EndpointRefused,
}

/// <summary>A call to a model that gave no answer. The message is fit for a turn's record: it holds no key and no customer's text.</summary>
internal sealed class LlmException(LlmErrorKind kind, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What went wrong.</summary>
    public LlmErrorKind Kind { get; } = kind;

    /// <summary>How long the provider asked to wait; null when it didn't.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What the provider said about trying again (<c>x-should-retry</c>); null when it didn't.</summary>
    public bool? ShouldRetry { get; init; }

    /// <summary>Whether the same request can succeed when sent again.</summary>
    public bool IsRetryable => ShouldRetry ?? Kind is LlmErrorKind.Unavailable or LlmErrorKind.Timeout or LlmErrorKind.RateLimited or LlmErrorKind.BadAnswer;
}
