using AgentPlatform.Data.Connections;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Llm;
using Microsoft.Extensions.Logging;
using Npgsql;
using Pgvector;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>
/// Keeps each organization's vectors those of the model that it is configured for. New chunks get theirs; a change of the model makes all of them again and takes effect
/// in one transaction, so that questions are compared with the old vectors until the new ones are there, and never with a mixture.
/// </summary>
internal sealed partial class VectorKeeper(EngineDataSource database, AgentDirectory agents, KnowledgeEmbedders embedders, ILogger<VectorKeeper> logger)
{
    /// <summary>Chunks that are worked on at a time, without a change of model.</summary>
    private const int BatchSize = 64;

    /// <summary>Brings organizations up to date. Returns those whose model failed: they are worth another try.</summary>
    /// <param name="changed">Organizations to look at beside those with chunks that wait for a vector; null for all that have, or had, a choice of model.</param>
    public async Task<IReadOnlyList<Guid>> Run(IReadOnlyCollection<Guid>? changed, CancellationToken cancellationToken)
    {
        var failed = new List<Guid>();
        foreach (var organizationId in await Organizations(changed, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await Keep(organizationId, cancellationToken).ConfigureAwait(false);
            }
            catch (LlmException failure)
            {
                LogFailed(organizationId, failure.Kind, failure.Message);
                failed.Add(organizationId);
            }
        }

        return failed;
    }

    private async Task<List<Guid>> Organizations(IReadOnlyCollection<Guid>? changed, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            SELECT o.id FROM organizations o WHERE o.id = ANY ($1)
            UNION SELECT organization_id FROM knowledge_chunks WHERE embedding IS NULL
            UNION SELECT organization_id FROM llm_credentials WHERE $2
            UNION SELECT organization_id FROM knowledge_settings WHERE $2
            """);
        command.Parameters.Add(new() { Value = (changed ?? []).ToArray() });
        command.Parameters.Add(new() { Value = changed is null });
        var found = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(reader.GetGuid(0));
        }

        return found;
    }

    private async Task Keep(Guid organizationId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        if (!await TryLock(connection, organizationId, cancellationToken).ConfigureAwait(false))
        {
            return; // another silo is at it
        }

        try
        {
            var wanted = embedders.Wanted(await agents.Get(organizationId, cancellationToken).ConfigureAwait(false));
            var current = await Current(connection, organizationId, cancellationToken).ConfigureAwait(false);
            if (wanted.Model != current)
            {
                await Change(connection, organizationId, current, wanted, cancellationToken).ConfigureAwait(false);
            }

            // After a change too: what was indexed meanwhile still has the old model's vectors.
            await Fill(connection, organizationId, wanted, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await Unlock(connection, organizationId).ConfigureAwait(false);
        }
    }

    private static async Task Fill(NpgsqlConnection connection, Guid organizationId, IKnowledgeEmbedder embedder, CancellationToken cancellationToken)
    {
        while (await Read(connection, organizationId, embedder.Model, BatchSize, cancellationToken).ConfigureAwait(false) is { Count: > 0 } chunks)
        {
            await Write(connection, chunks, await Embed(chunks, embedder, cancellationToken).ConfigureAwait(false), embedder.Model, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task Change(NpgsqlConnection connection, Guid organizationId, string current, IKnowledgeEmbedder wanted, CancellationToken cancellationToken)
    {
        var chunks = await Read(connection, organizationId, wanted.Model, int.MaxValue, cancellationToken).ConfigureAwait(false);
        var vectors = await Embed(chunks, wanted, cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var settings = new NpgsqlCommand(SettingsSql, connection) { Parameters = { new() { Value = organizationId }, new() { Value = wanted.Model } } };
        await settings.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await Write(connection, chunks, vectors, wanted.Model, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        LogChanged(organizationId, current, wanted.Model, chunks.Count);
    }

    private static async Task<float[][]> Embed(List<ChunkText> chunks, IKnowledgeEmbedder embedder, CancellationToken cancellationToken) => chunks.Count == 0
        ? []
        : await embedder.Embed(chunks.ConvertAll(chunk => (ArticleIndexer.Embeddable(chunk.Title, chunk.Content), chunk.Language)), cancellationToken).ConfigureAwait(false);

    private static async Task<List<ChunkText>> Read(NpgsqlConnection connection, Guid organizationId, string model, int limit, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(ChunksSql, connection) { Parameters = { new() { Value = organizationId }, new() { Value = model }, new() { Value = limit } } };
        var chunks = new List<ChunkText>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            chunks.Add(new ChunkText(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3)));
        }

        return chunks;
    }

    private static async Task Write(NpgsqlConnection connection, List<ChunkText> chunks, float[][] vectors, string model, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(WriteSql, connection)
        {
            Parameters =
            {
                new() { Value = chunks.ConvertAll(chunk => chunk.Id).ToArray() },
                new() { Value = Array.ConvertAll(vectors, vector => new Vector(vector)) },
                new() { Value = model },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    private static async Task<string> Current(NpgsqlConnection connection, Guid organizationId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT knowledge_embedding_model($1)", connection) { Parameters = { new() { Value = organizationId } } };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as string ?? BuiltInEmbedder.ModelName;
    }

    private static async Task<bool> TryLock(NpgsqlConnection connection, Guid organizationId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtextextended('vectors of ' || $1::text, 0))", connection) { Parameters = { new() { Value = organizationId } } };
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }

    /// <summary>The lock belongs to the connection, which goes back to the pool: it must not take the lock with it.</summary>
    private static async Task Unlock(NpgsqlConnection connection, Guid organizationId)
    {
        if (connection.FullState.HasFlag(System.Data.ConnectionState.Open))
        {
            await using var command = new NpgsqlCommand("SELECT pg_advisory_unlock(hashtextextended('vectors of ' || $1::text, 0))", connection) { Parameters = { new() { Value = organizationId } } };
            await command.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private sealed record ChunkText(Guid Id, string Title, string Content, string? Language);

    // Asked after each change of an article: "not this model" is what an index has on either side of it, so that the chunks that are as they should be aren't read.
    private const string ChunksSql = """
        SELECT c.id, coalesce(a.title, s.name, ''), c.content, c.language
        FROM unnest(ARRAY(
            SELECT w.id FROM (
                SELECT n.id FROM knowledge_chunks n WHERE n.organization_id = $1 AND n.embedding IS NULL
                UNION SELECT n.id FROM knowledge_chunks n WHERE n.organization_id = $1 AND n.embedding_model IS NULL
                UNION SELECT l.id FROM knowledge_chunks l WHERE l.organization_id = $1 AND l.embedding_model < $2
                UNION SELECT g.id FROM knowledge_chunks g WHERE g.organization_id = $1 AND g.embedding_model > $2) w
            ORDER BY w.id LIMIT $3)) wanted (id)
        JOIN knowledge_chunks c ON c.id = wanted.id LEFT JOIN knowledge_articles a ON a.id = c.article_id LEFT JOIN knowledge_sources s ON s.id = c.source_id
        ORDER BY c.id
        """;

    private const string WriteSql = """
        UPDATE knowledge_chunks c SET embedding = v.embedding, embedding_model = $3
        FROM unnest($1::uuid[], $2::vector[]) AS v (id, embedding) WHERE c.id = v.id
        """;

    private const string SettingsSql = """
        INSERT INTO knowledge_settings (organization_id, embedding_model) VALUES ($1, $2)
        ON CONFLICT (organization_id) DO UPDATE SET embedding_model = excluded.embedding_model
        """;

    [LoggerMessage(2531, LogLevel.Information, "The knowledge of organization {OrganizationId} is compared by {Wanted} instead of {Current}: {Count} vectors made")]
    private partial void LogChanged(Guid organizationId, string current, string wanted, int count);

    [LoggerMessage(2532, LogLevel.Warning, "Vectors of organization {OrganizationId} can't be made ({Kind}: {Reason}); words still find its knowledge")]
    private partial void LogFailed(Guid organizationId, LlmErrorKind kind, string reason);
}
