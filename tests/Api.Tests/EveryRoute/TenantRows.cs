using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>All rows of an organization, looked at behind row security.</summary>
internal static class TenantRows
{
    /// <summary>What a job of the product writes by itself, whenever it likes.</summary>
    private static readonly string[] WrittenByJobs = ["message_search", "message_search_positions", "knowledge_chunks", "knowledge_settings"];

    /// <summary>Columns of articles that say when they were cut into passages.</summary>
    private const string IndexColumns = "{indexed_at,indexed_version,updated_at}";

    /// <summary>Names of the tables with an organization's rows.</summary>
    public static async Task<string[]> Tables(ApiApp app)
    {
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            """
            SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id'
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
            """, connection);
        return (string[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Changes when any row of the organization does.</summary>
    public static async Task<string> Fingerprint(ApiApp app, Guid organizationId)
    {
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        var fingerprint = new List<string>();
        foreach (var table in (await Tables(app)).Except(WrittenByJobs))
        {
            await using var command = new NpgsqlCommand($"SELECT count(*) || ' ' || coalesce(md5(string_agg(r.row, '|' ORDER BY r.row)), '') FROM (SELECT (to_jsonb(t) - '{IndexColumns}'::text[])::text AS row FROM {table} t WHERE organization_id = $1) r", connection);
            command.Parameters.Add(new() { Value = organizationId });
            fingerprint.Add($"{table} {await command.ExecuteScalarAsync()}");
        }
        return string.Join(Environment.NewLine, fingerprint);
    }
}
