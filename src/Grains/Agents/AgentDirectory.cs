using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Secrets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AgentPlatform.Grains.Agents;

/// <summary>The organizations' agents as configured, remembered in this process; a committed change is seen as soon as Postgres has announced it.</summary>
internal sealed partial class AgentDirectory : IDisposable
{
    private static readonly string[] Tables = ["organizations", "agents", "personas", "llm_models", "llm_credentials", "prompt_variants", "channels"];

    private readonly EngineDataSource _database;
    private readonly SecretBox _secrets;
    private readonly ILogger<AgentDirectory> _logger;
    private readonly OrganizationCache<OrganizationAgents> _cache;

    public AgentDirectory(EngineDataSource database, SecretBox secrets, ConfigurationChanges changes, IOptions<AgentOptions> options, ILogger<AgentDirectory> logger)
    {
        _database = database;
        _secrets = secrets;
        _logger = logger;
        _cache = new OrganizationCache<OrganizationAgents>(changes, Tables, options.Value.CachedOrganizations, Load, static agents => agents.Bytes, options.Value.CachedBytes);
    }

    /// <summary>The organization's agents; none for an organization that doesn't exist.</summary>
    public ValueTask<OrganizationAgents> Get(Guid organizationId, CancellationToken cancellationToken) => _cache.Get(organizationId, cancellationToken);

    /// <inheritdoc />
    public void Dispose() => _cache.Dispose();

    private async Task<OrganizationAgents> Load(Guid organizationId)
    {
        await using var batch = _database.CreateBatch();
        foreach (var sql in (string[])[OrganizationSql, ModelsSql, CredentialsSql, VariantsSql, AgentsSql, ChannelsSql])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = organizationId } } });
        }

        await using var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        var rows = new AgentRows(organizationId);
        if (await reader.ReadAsync().ConfigureAwait(false))
        {
            rows.Name = reader.GetString(0);
            rows.TimeZone = reader.GetString(1);
        }

        await reader.NextResultAsync().ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            rows.AddModel(reader);
        }

        await reader.NextResultAsync().ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            AddCredential(rows, reader);
        }

        await reader.NextResultAsync().ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            rows.Variants[reader.GetString(1)] = new PromptVariant(reader.GetGuid(0), reader.GetString(2));
        }

        await reader.NextResultAsync().ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            rows.AddAgent(reader);
        }

        await reader.NextResultAsync().ConfigureAwait(false);
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            rows.AddChannel(reader);
        }

        return rows.Build();
    }

    private void AddCredential(AgentRows rows, NpgsqlDataReader reader)
    {
        var provider = reader.GetString(0);
        try
        {
            var key = _secrets.OpenApiKey(rows.OrganizationId, reader.GetString(2));
            rows.AddCredential(provider, reader.IsDBNull(1) ? null : reader.GetString(1), key);
        }
        catch (SecretUnreadableException failure)
        {
            rows.CredentialProblems[provider] = $"The key for {provider} can't be opened.";
            LogKeyUnreadable(rows.OrganizationId, provider, failure.Message);
        }
    }

    private const string OrganizationSql = "SELECT name, time_zone FROM organizations WHERE id = $1";

    private const string ModelsSql = """
        SELECT id, organization_id, provider, model_id, context_window, input_cost_per_1k, output_cost_per_1k, is_default, capabilities::text
        FROM llm_models WHERE organization_id = $1 OR organization_id IS NULL
        ORDER BY organization_id NULLS LAST, created_at, id
        """;

    private const string CredentialsSql = "SELECT provider, base_url, api_key FROM llm_credentials WHERE organization_id = $1 AND is_active ORDER BY provider";

    private const string VariantsSql = "SELECT id, agent_type, prompt FROM prompt_variants WHERE organization_id = $1 AND is_default AND is_active";

    private const string AgentsSql = """
        SELECT a.id, a.name, a.description, a.agent_type, a.instructions, a.system_prompt, a.goals, a.temperature, a.max_tokens,
               a.llm_model_id, a.fallback_model_id, a.default_model, p.name, p.tone, p.greeting, p.fallback_message, p.escalation_policy
        FROM agents a LEFT JOIN personas p ON p.id = a.persona_id AND p.organization_id = a.organization_id
        WHERE a.organization_id = $1
        """;

    private const string ChannelsSql = "SELECT id, ai_model, ai_temperature FROM channels WHERE organization_id = $1 AND (ai_model IS NOT NULL OR ai_temperature IS NOT NULL)";

    [LoggerMessage(2401, LogLevel.Error, "The key of organization {OrganizationId} for {Provider} can't be used: {Reason}")]
    private partial void LogKeyUnreadable(Guid organizationId, string provider, string reason);
}
