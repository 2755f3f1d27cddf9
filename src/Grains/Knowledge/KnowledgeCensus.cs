using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Llm;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>What there is to search in an organization.</summary>
/// <param name="HasChunks">False: a search would find nothing.</param>
/// <param name="EmbeddingModel">The model whose vectors are compared (<c>knowledge_settings.embedding_model</c>).</param>
internal sealed record KnowledgeHoldings(bool HasChunks, string EmbeddingModel);

/// <summary>Remembers what each organization holds, so that a turn without knowledge costs no query.</summary>
internal sealed class KnowledgeCensus : IDisposable
{
    private readonly EngineDataSource _database;
    private readonly OrganizationCache<KnowledgeHoldings> _cache;

    public KnowledgeCensus(EngineDataSource database, ConfigurationChanges changes, IOptions<KnowledgeOptions> options)
    {
        _database = database;
        _cache = new OrganizationCache<KnowledgeHoldings>(
            changes, ["organizations", "knowledge_articles", "knowledge_sources", "knowledge_settings"], options.Value.CachedOrganizations, Load);
    }

    /// <summary>What the organization holds.</summary>
    public ValueTask<KnowledgeHoldings> Get(Guid organizationId, CancellationToken cancellationToken) => _cache.Get(organizationId, cancellationToken);

    /// <inheritdoc />
    public void Dispose() => _cache.Dispose();

    private async Task<KnowledgeHoldings> Load(Guid organizationId)
    {
        await using var command = _database.CreateCommand("SELECT exists (SELECT FROM knowledge_chunks WHERE organization_id = $1), knowledge_embedding_model($1)");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = organizationId });
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        return await reader.ReadAsync().ConfigureAwait(false)
            ? new KnowledgeHoldings(reader.GetBoolean(0), reader.GetString(1))
            : new KnowledgeHoldings(false, BuiltInEmbedder.ModelName);
    }
}
