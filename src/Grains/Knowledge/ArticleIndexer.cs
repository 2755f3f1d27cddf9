using System.Collections.Concurrent;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Grains.Knowledge.Text;
using AgentPlatform.Grains.Llm;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Pgvector;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>
/// Makes the chunks of articles that are new or changed. An article's chunks are replaced in one transaction, which also says from which version
/// they come.
/// </summary>
internal sealed partial class ArticleIndexer(
    EngineDataSource database, IOptions<KnowledgeOptions> options, TimeProvider time, ILogger<ArticleIndexer> logger)
{
    private readonly KnowledgeOptions _options = options.Value;
    private readonly ConcurrentDictionary<Guid, bool> _failed = new();

    /// <summary>Lets articles that failed be tried again.</summary>
    public void ForgetFailures() => _failed.Clear();

    /// <summary>Indexes one article that waits and that no other silo has taken. Returns its organization, or null when there is none.</summary>
    public async Task<Guid?> IndexNext(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        // The lock on the row lets another silo skip this article and take the next one.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var article = await Claim(connection, cancellationToken).ConfigureAwait(false);
        if (article is null)
        {
            return null;
        }

        try
        {
            await Replace(connection, article, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException && !PostgresFailures.IsUnavailable(failure))
        {
            // One article that can't be indexed must not keep the others waiting.
            _failed[article.Id] = true;
            LogFailed(failure, article.Id, article.Version);
        }

        return article.OrganizationId;
    }

    private async Task<Article?> Claim(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ClaimSql, connection) { Parameters = { new() { Value = _failed.Keys.ToArray() } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false)
            ? new Article(
                reader.GetGuid(0),
                reader.GetGuid(1),
                reader.IsDBNull(2) ? null : reader.GetGuid(2),
                reader.GetString(3),
                reader.GetString(4),
                reader.IsDBNull(5) ? null : reader.GetString(5),
                reader.GetFieldValue<string[]>(6),
                reader.GetInt64(7),
                reader.GetString(8))
            : null;
    }

    private async Task Replace(NpgsqlConnection connection, Article article, CancellationToken cancellationToken)
    {
        var content = article.Content.Length > _options.MaxDocumentLength ? article.Content[.._options.MaxDocumentLength] : article.Content;
        if (content.Length < article.Content.Length)
        {
            LogTooLong(article.Id, article.Content.Length, _options.MaxDocumentLength);
        }

        var language = KnowledgeLanguage.Primary(article.Language) ?? LanguageDetector.Detect($"{article.Title}\n{content}");
        var chunks = Chunker.Cut(content, _options.MaxChunkTokens);
        if (chunks.Count == 0)
        {
            // An article that is only a title can still be found by it.
            chunks.Add(new Chunk(0, null, article.Title));
        }

        // A provider's vectors are made afterwards, outside of any transaction; until then the article is found by its words.
        var isBuiltIn = article.EmbeddingModel == BuiltInEmbedder.ModelName;
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM knowledge_chunks WHERE article_id = $1") { Parameters = { new() { Value = article.Id } } });
        for (var i = 0; i < chunks.Count; i++)
        {
            batch.BatchCommands.Add(Insert(article, chunks[i], language, isBuiltIn ? BuiltInEmbedder.Embed(Embeddable(article.Title, chunks[i].Content), language) : null));
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE knowledge_articles SET indexed_version = version, indexed_at = $2 WHERE id = $1")
        {
            Parameters = { new() { Value = article.Id }, new() { Value = time.GetUtcNow() } },
        });
        await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        LogIndexed(article.Id, article.Version, chunks.Count, language ?? "?");
    }

    /// <summary>What a vector stands for: the piece under the title of its document.</summary>
    public static string Embeddable(string title, string content) => $"{title}\n{content}";

    private NpgsqlBatchCommand Insert(Article article, Chunk chunk, string? language, float[]? vector) => new(InsertSql)
    {
        Parameters =
        {
            new() { Value = Uuid.New(time) },
            new() { Value = article.OrganizationId },
            new() { Value = (object?)article.AgentId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
            new() { Value = article.Id },
            new() { Value = chunk.Index },
            new() { Value = chunk.Content },
            new() { Value = (object?)language ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = new ChunkMetadata(article.Title, chunk.Heading, article.Tags).ToJson(), NpgsqlDbType = NpgsqlDbType.Jsonb },
            vector is null ? new NpgsqlParameter { Value = DBNull.Value, DataTypeName = "vector" } : new NpgsqlParameter { Value = new Vector(vector) },
            new() { Value = vector is null ? DBNull.Value : BuiltInEmbedder.ModelName, NpgsqlDbType = NpgsqlDbType.Text },
            new() { Value = TextWords.ForFullText($"{article.Title} {string.Join(' ', article.Tags)}", language) },
            new() { Value = TextWords.ForFullText(chunk.Heading ?? "", language) },
            new() { Value = TextWords.ForFullText(chunk.Text, language) },
        },
    };

    private sealed record Article(Guid Id, Guid OrganizationId, Guid? AgentId, string Title, string Content, string? Language, string[] Tags, long Version, string EmbeddingModel);

    private const string ClaimSql = """
        SELECT a.id, a.organization_id, a.agent_id, a.title, a.content, a.language, a.tags, a.version, knowledge_embedding_model(a.organization_id)
        FROM knowledge_articles a
        WHERE (a.indexed_version IS NULL OR a.indexed_version < a.version) AND NOT (a.id = ANY ($1))
        ORDER BY a.updated_at LIMIT 1
        FOR NO KEY UPDATE OF a SKIP LOCKED
        """;

    private const string InsertSql = """
        INSERT INTO knowledge_chunks (id, organization_id, agent_id, article_id, chunk_index, content, language, metadata, embedding, embedding_model, search)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
            setweight(to_tsvector(knowledge_text_config($7), $11), 'A') || setweight(to_tsvector(knowledge_text_config($7), $12), 'B')
            || to_tsvector(knowledge_text_config($7), $13))
        """;

    [LoggerMessage(2511, LogLevel.Debug, "Article {ArticleId} version {Version} was cut into {Count} chunks, language {Language}")]
    private partial void LogIndexed(Guid articleId, long version, int count, string language);

    [LoggerMessage(2512, LogLevel.Error, "Article {ArticleId} version {Version} can't be indexed; it is tried again at the next sweep")]
    private partial void LogFailed(Exception failure, Guid articleId, long version);

    [LoggerMessage(2513, LogLevel.Warning, "Article {ArticleId} has {Length} characters; what is beyond Engine:Knowledge:MaxDocumentLength ({Limit}) is not found")]
    private partial void LogTooLong(Guid articleId, int length, int limit);
}
