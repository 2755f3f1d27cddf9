using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Texts;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Knowledge.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Pgvector;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>What is looked for, and on whose behalf.</summary>
/// <param name="OrganizationId">Only its knowledge is searched.</param>
/// <param name="AgentId">Only what this agent may know is found.</param>
/// <param name="Text">The customer's words.</param>
/// <param name="Context">What the customer said before, when <paramref name="Text"/> alone says too little; else null.</param>
/// <param name="Language">ISO 639-1, or null when unknown.</param>
internal sealed record KnowledgeQuestion(Guid OrganizationId, Guid AgentId, string Text, string? Context, string? Language);

/// <summary>Finds passages by meaning and by words, in one round trip, and fuses what both found.</summary>
internal sealed partial class KnowledgeSearch(
    EngineDataSource database, AgentDirectory agents, KnowledgeCensus census, KnowledgeVocabularies vocabularies, KnowledgeEmbedders embedders, IOptions<KnowledgeOptions> options, TimeProvider time, ILogger<KnowledgeSearch> logger)
{
    private readonly KnowledgeOptions _options = options.Value;

    /// <summary>All that the searches found, best first; none when the organization holds no knowledge. A model is shown the first <see cref="KnowledgeOptions.Passages"/>.</summary>
    public async Task<IReadOnlyList<Passage>> Search(KnowledgeQuestion question, CancellationToken cancellationToken)
    {
        var holdings = await census.Get(question.OrganizationId, cancellationToken).ConfigureAwait(false);
        var text = (question.Text.Length > _options.MaxQuestionLength ? question.Text[.._options.MaxQuestionLength] : question.Text).Replace('\0', ' ');
        if (!holdings.HasChunks || ComparableText.IsBlank(text))
        {
            return [];
        }

        var asked = question.Context is null ? text : $"{text}\n{question.Context.Replace('\0', ' ')}";
        var vector = await Embed(question, holdings, asked, cancellationToken).ConfigureAwait(false);
        var found = await Query(question, asked, holdings, vector, cancellationToken).ConfigureAwait(false);
        var vocabulary = await vocabularies.Get(question.OrganizationId, cancellationToken).ConfigureAwait(false);
        return PassageRanking.Rank(found, QuestionTerms.Read(text, question.Context, question.Language), vocabulary);
    }

    /// <summary>Null when the vector can't be had in time: words alone find much, and an answer late is worse.</summary>
    private async Task<float[]?> Embed(KnowledgeQuestion question, KnowledgeHoldings holdings, string text, CancellationToken cancellationToken)
    {
        var organization = await agents.Get(question.OrganizationId, cancellationToken).ConfigureAwait(false);
        var embedder = embedders.For(organization, holdings.EmbeddingModel);
        if (embedder is null)
        {
            return null;
        }

        using var limit = new CancellationTokenSource(_options.QuestionEmbeddingTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            var vectors = await embedder.Embed([(text, question.Language)], linked.Token).ConfigureAwait(false);
            return vectors[0];
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            LogNoVector(question.OrganizationId, holdings.EmbeddingModel, failure.GetType().Name, failure.Message);
            return null;
        }
    }

    private async Task<Dictionary<Guid, Passage>.ValueCollection> Query(
        KnowledgeQuestion question, string text, KnowledgeHoldings holdings, float[]? vector, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        if (vector is not null)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(ByMeaning)
            {
                Parameters =
                {
                    new() { Value = new Vector(vector) },
                    new() { Value = question.OrganizationId },
                    new() { Value = question.AgentId },
                    new() { Value = _options.Candidates },
                    new() { Value = holdings.EmbeddingModel == Llm.BuiltInEmbedder.ModelName ? _options.BuiltInSimilarityThreshold : _options.SimilarityThreshold },
                },
            });
        }

        batch.BatchCommands.Add(new NpgsqlBatchCommand(ByWords)
        {
            Parameters =
            {
                new() { Value = question.OrganizationId },
                new() { Value = question.AgentId },
                new() { Value = (object?)question.Language ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
                new() { Value = TextWords.ForFullText(text, question.Language) },
                new() { Value = TextWords.Plain(text, question.Language) },
                new() { Value = _options.Candidates },
            },
        });
        var found = new Dictionary<Guid, Passage>();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (vector is not null)
        {
            for (var rank = 1; await reader.ReadAsync(cancellationToken).ConfigureAwait(false); rank++)
            {
                var passage = Read(reader) with { VectorRank = rank, Similarity = reader.GetDouble(7) };
                found[passage.ChunkId] = passage;
            }

            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
        }

        for (var rank = 1; await reader.ReadAsync(cancellationToken).ConfigureAwait(false); rank++)
        {
            var passage = Read(reader);
            found[passage.ChunkId] = found.GetValueOrDefault(passage.ChunkId, passage) with { TextRank = rank };
        }

        return found.Values;
    }

    private static Passage Read(NpgsqlDataReader reader)
    {
        var content = reader.GetString(4);
        var metadata = ChunkMetadata.Parse(reader.GetString(6));
        var heading = metadata.Heading;
        return new Passage
        {
            ChunkId = reader.GetGuid(0),
            ArticleId = reader.IsDBNull(1) ? null : reader.GetGuid(1),
            SourceId = reader.IsDBNull(2) ? null : reader.GetGuid(2),
            Title = reader.GetString(3),
            Tags = metadata.Tags,
            Heading = heading,
            Text = heading is not null && content.StartsWith(heading + "\n", StringComparison.Ordinal) ? content[(heading.Length + 1)..] : content,
            Language = reader.IsDBNull(5) ? null : reader.GetString(5),
        };
    }

    /// <summary>A typed vector parameter: a cast beside the operator would run for every row.</summary>
    private const string ByMeaning = """
        SELECT m.id, m.article_id, c.source_id, coalesce(a.title, s.name, ''), m.content, c.language, m.metadata::text, m.similarity
        FROM match_knowledge_chunks($1, $2, $3, NULL, $4, $5) WITH ORDINALITY AS m (id, org_id, agent_id, article_id, content, metadata, embedding, similarity, place)
        JOIN knowledge_chunks c ON c.id = m.id AND c.organization_id = $2
        LEFT JOIN knowledge_articles a ON a.id = m.article_id
        LEFT JOIN knowledge_sources s ON s.id = c.source_id
        ORDER BY m.place
        """;

    private const string ByWords = """
        WITH question AS MATERIALIZED (SELECT knowledge_question($3, $4, $5) AS words)
        SELECT c.id, c.article_id, c.source_id, coalesce(a.title, s.name, ''), c.content, c.language, c.metadata::text
        FROM knowledge_chunks c
        LEFT JOIN knowledge_articles a ON a.id = c.article_id
        LEFT JOIN knowledge_sources s ON s.id = c.source_id
        WHERE c.organization_id = $1
          AND c.search @@ (SELECT words FROM question)
          AND (c.agent_id IS NULL OR c.agent_id = $2)
          AND (c.article_id IS NULL OR (a.is_published AND (a.agent_id IS NULL OR a.agent_id = $2)))
        ORDER BY ts_rank(c.search, (SELECT words FROM question), 1) DESC, c.id
        LIMIT $6
        """;

    [LoggerMessage(2501, LogLevel.Warning, "A question of organization {OrganizationId} got no vector of {Model} ({Exception}: {Reason}); it is searched by words alone")]
    private partial void LogNoVector(Guid organizationId, string model, string exception, string reason);
}
