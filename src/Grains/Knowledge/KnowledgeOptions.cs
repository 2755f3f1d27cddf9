namespace AgentPlatform.Grains.Knowledge;

/// <summary>Settings of indexing and retrieval (section <c>Engine:Knowledge</c>).</summary>
public sealed record KnowledgeOptions
{
    /// <summary>Longest piece of an article, in estimated tokens. Default 300.</summary>
    public int MaxChunkTokens { get; init; } = 300;

    /// <summary>Longest article or source that is indexed, in characters; what is beyond is not found. Default 1,000,000.</summary>
    public int MaxDocumentLength { get; init; } = 1_000_000;

    /// <summary>Pieces taken from each of the searches (by meaning, by words) before they are fused. Default 24.</summary>
    public int Candidates { get; init; } = 24;

    /// <summary>Passages that a model is shown and a turn's record keeps. Default 5.</summary>
    public int Passages { get; init; } = 5;

    /// <summary>Longest question that is searched for, in characters; the rest is left out. Default 2,000.</summary>
    public int MaxQuestionLength { get; init; } = 2000;

    /// <summary>Least cosine similarity of a piece found with a provider's vectors. Default 0.3.</summary>
    public double SimilarityThreshold { get; init; } = 0.3;

    /// <summary>Least cosine similarity of a piece found with the built-in embedder, whose vectors of a question and a long text are further apart. Default 0.08.</summary>
    public double BuiltInSimilarityThreshold { get; init; } = 0.08;

    /// <summary>How long a turn waits for a provider's vector of a question before it goes on with words alone. Default 3 s.</summary>
    public TimeSpan QuestionEmbeddingTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the indexer looks for work of its own accord; changes wake it at once. Default 1 minute.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Organizations whose census is kept in memory. Default 10,000.</summary>
    public int CachedOrganizations { get; init; } = 10_000;

    /// <summary>Organizations whose vocabulary is kept in memory, some 100 KB each. Default 200.</summary>
    public int CachedVocabularies { get; init; } = 200;

    /// <summary>Chunks of an organization that its vocabulary is counted from. Default 3,000.</summary>
    public int VocabularyChunks { get; init; } = 3000;

    /// <summary>Null when the settings can be used, else what is wrong.</summary>
    public string? Problem() =>
        MaxChunkTokens < 20 ? "Engine:Knowledge:MaxChunkTokens must be at least 20."
        : MaxDocumentLength <= 0 || Candidates <= 0 || Passages <= 0 || MaxQuestionLength <= 0 || CachedOrganizations <= 0 || CachedVocabularies <= 0 || VocabularyChunks <= 0
            ? "Engine:Knowledge: MaxDocumentLength, Candidates, Passages, MaxQuestionLength, CachedOrganizations, CachedVocabularies and VocabularyChunks must be positive."
        : QuestionEmbeddingTimeout <= TimeSpan.Zero || SweepInterval <= TimeSpan.Zero
            ? "Engine:Knowledge: QuestionEmbeddingTimeout and SweepInterval must be positive."
        : null;
}
