namespace AgentPlatform.Grains.Llm;

/// <summary>Settings of calls to models (section <c>Engine:Llm</c>).</summary>
public sealed record LlmOptions
{
    /// <summary>Name of the HTTP client that models are called through (it refuses private addresses, see <c>ALLOW_PRIVATE_ENDPOINTS</c>).</summary>
    public const string HttpClient = "llm";

    /// <summary>How long one model may take for an answer, all tries and pauses together. Default 120 s.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>How long a model may send nothing: before its first byte, and between two. Default 45 s.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>Tries after the first that failed in a way that passes. Default 2.</summary>
    public int MaxRetries { get; init; } = 2;

    /// <summary>Pause before the first retry; it doubles with each, and is shortened by chance by up to a quarter. Default 0.5 s.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Longest pause that isn't the provider's own wish. Default 8 s.</summary>
    public TimeSpan LongestRetryDelay { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Longest wish of a provider (<c>Retry-After</c>) that is followed; a longer one is replaced by our own pause. Default 120 s.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Most bytes of an answer, streamed or not. Default 4 MiB.</summary>
    public int MaxResponseBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Share of failed calls to one provider, by one organization, from which it isn't asked any more for a while. Default 0.7.</summary>
    public double CircuitFailureRatio { get; init; } = 0.7;

    /// <summary>Calls within <see cref="CircuitWindow"/> from which the share is looked at. Default 10.</summary>
    public int CircuitMinimumCalls { get; init; } = 10;

    /// <summary>The time in which calls are counted. Default 60 s.</summary>
    public TimeSpan CircuitWindow { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a provider isn't asked. Default 15 s.</summary>
    public TimeSpan CircuitBreak { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Texts in one request for vectors. Default 64.</summary>
    public int EmbeddingBatch { get; init; } = 64;

    /// <summary>Null when the settings can be used, else what is wrong.</summary>
    public string? Problem() =>
        TotalTimeout <= TimeSpan.Zero || IdleTimeout <= TimeSpan.Zero || FirstRetryDelay < TimeSpan.Zero || LongestRetryDelay < TimeSpan.Zero || LongestRetryAfter < TimeSpan.Zero
            ? "Engine:Llm: TotalTimeout and IdleTimeout must be positive, the pauses not negative."
        : MaxRetries is < 0 or > 10 ? "Engine:Llm:MaxRetries must be between 0 and 10."
        : MaxResponseBytes < 1024 || EmbeddingBatch is < 1 or > 2048 ? "Engine:Llm: MaxResponseBytes must be at least 1024, EmbeddingBatch between 1 and 2048."
        : CircuitFailureRatio is <= 0 or > 1 || CircuitMinimumCalls < 2 || CircuitWindow < TimeSpan.FromMilliseconds(500) || CircuitBreak < TimeSpan.FromMilliseconds(500)
            ? "Engine:Llm: CircuitFailureRatio must be between 0 and 1, CircuitMinimumCalls at least 2, CircuitWindow and CircuitBreak at least 0.5 s."
        : null;
}
