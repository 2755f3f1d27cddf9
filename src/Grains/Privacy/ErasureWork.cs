using System.Text.Json;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Grains.Privacy;

/// <summary>
/// Erases a person: every text, list and JSON in every row that belongs to him or her. What counts stays: rows, states, times, amounts. Table by table, each with
/// the place after it in one transaction; doing one twice does no harm.
/// </summary>
internal sealed class ErasureWork(EngineDataSource database) : IJobWork
{
    public const string WorkName = "erasure";

    /// <summary>What a text that can't be absent becomes.</summary>
    public const string Erased = "[erased]";

    /// <summary>Columns that say what kind of thing a row is, or in which unit: they tell nothing about a person.</summary>
    private static readonly HashSet<string> Kept = new(StringComparer.Ordinal)
    {
        "currency", "time_zone", "content_type", "action_type", "entity_type", "platform", "provider", "model", "type", "kind", "status", "state", "stage", "role", "work",
    };

    /// <summary>Tables whose rows are nothing but personal: they go as a whole.</summary>
    private static readonly HashSet<string> Removed = new(StringComparer.Ordinal) { "contact_identities", "former_identities", "message_search", "agent_memories" };

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        var person = await PersonRows.Find(connection, run.Job.OrganizationId, run.Payload<PersonOrder>(), cancellationToken).ConfigureAwait(false);
        if (person.Clients.Length + person.Contacts.Length == 0)
        {
            throw new JobFailedException("There is no such client or contact any more.");
        }
        await ForgetTags(run, connection, person, cancellationToken).ConfigureAwait(false);
        var rows = run.Progress.Succeeded;
        for (var index = run.Position<Reached>()?.Tables ?? 0; index < person.Tables.Count; index++)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            if (Statement(person.Tables[index]) is { } sql)
            {
                await using var erase = person.Command(sql, connection, transaction, run.Job.OrganizationId);
                rows += await erase.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            await run.Commit(
                transaction, new Reached(index + 1), new JobProgress { Processed = index + 1, Total = person.Tables.Count, Succeeded = rows, Phase = "erasing" }, cancellationToken).ConfigureAwait(false);
        }
        await Finish(run, connection, person, cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Serialize(new { clients = person.Clients.Length, contacts = person.Contacts.Length, rows }, JsonSerializerOptions.Web);
    }

    private sealed record Reached(int Tables);

    /// <summary>A tag that came about by use, and that nobody else bears, may be the person's name. While the person's rows still tell which these are.</summary>
    private static async Task ForgetTags(JobRun run, NpgsqlConnection connection, PersonRows person, CancellationToken cancellationToken)
    {
        var bearers = person.Tables.Where(table => table.Table.Columns.Any(column => column is { Name: "tags", Type: "text[]" })).ToArray();
        var own = string.Join(" UNION ALL ", bearers.Select(bearer => $"SELECT unnest(t.tags) {bearer.Rows()}"));
        var others = string.Concat(bearers.Select(bearer => $" AND NOT EXISTS (SELECT FROM {bearer.Table.Name} t WHERE {PersonTable.OfOrganization} AND t.tags @> ARRAY[g.name] AND t.tags <> '{{}}' AND ({bearer.Condition}) IS NOT TRUE)"));
        await using var command = person.Command($"DELETE FROM tags g WHERE g.organization_id = $1 AND g.version = 1 AND g.category IS NULL AND g.name IN ({own}){others}", connection, null, run.Job.OrganizationId);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kept answers to requests hold what was created; and the audit log tells that somebody was erased, and who did it.</summary>
    private static async Task Finish(JobRun run, NpgsqlConnection connection, PersonRows person, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            DELETE FROM idempotency_keys k WHERE k.organization_id = $1 AND EXISTS (SELECT FROM unnest($2 || $3) AS person (id) WHERE strpos(k.response_body, person.id::text) > 0)
            """, connection)
        {
            Parameters = { new() { Value = run.Job.OrganizationId }, new() { Value = person.Clients }, new() { Value = person.Contacts } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await using var log = new NpgsqlCommand(
            """
            INSERT INTO activity_logs (organization_id, user_id, action_type, entity_type, entity_id, metadata, ip_address, user_agent, api_key_id)
            SELECT j.organization_id, j.user_id, erased.entity || '.erased', erased.entity, erased.id, jsonb_build_object('jobId', j.id), j.ip_address, j.user_agent, j.api_key_id
            FROM jobs j, (SELECT 'client' AS entity, unnest($2) AS id UNION ALL SELECT 'contact', unnest($3)) erased
            WHERE j.id = $1
            """, connection)
        {
            Parameters = { new() { Value = run.Job.Id }, new() { Value = person.Clients }, new() { Value = person.Contacts } },
        };
        await log.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What to do with a person's rows of a table; null where nothing in them is personal.</summary>
    internal static string? Statement(PersonTable person)
    {
        var table = person.Table;
        if (Removed.Contains(table.Name))
        {
            return $"DELETE {person.Rows()}";
        }
        var changes = table.Columns.Where(column => !column.IsGenerated && !column.IsChoice && !Kept.Contains(column.Name) && !table.Key.Contains(column.Name))
            .Select(column => (column.Name, Value: Blank(column))).Where(change => change.Value is not null).Select(change => $"{change.Name} = {change.Value}").ToList();
        if (table.Has("version"))
        {
            // Whoever holds an older version in memory can't write it back.
            changes.Add("version = t.version + 1");
        }
        return changes.Count == 0 ? null : $"UPDATE {table.Name} t SET {string.Join(", ", changes)} WHERE {PersonTable.OfOrganization} AND {person.Condition}";
    }

    /// <summary>Texts that may be missing, but not in every state of their row: a won deal keeps that it had a reason.</summary>
    private static readonly HashSet<string> NeededAtTimes = new(StringComparer.Ordinal) { "won_reason" };

    private static string? Blank(TenantColumn column) => column.Type switch
    {
        "text" when NeededAtTimes.Contains(column.Name) => $"CASE WHEN {column.Name} IS NOT NULL THEN '{Erased}' END",
        "text" or "citext" or "inet" or "tsvector" when !column.IsRequired => "NULL",
        "jsonb" or "json" or "text[]" or "inet" when !column.IsRequired => "NULL",
        "text" when column.IsUnique => "'erased-' || gen_random_uuid()",
        "text" => $"'{Erased}'",
        "jsonb" => $"CASE WHEN jsonb_typeof({column.Name}) = 'array' THEN '[]'::jsonb ELSE '{{}}'::jsonb END",
        "text[]" => "'{}'",
        "tsvector" => "''::tsvector",
        var type when type.StartsWith("character varying", StringComparison.Ordinal) || type.StartsWith("vector", StringComparison.Ordinal) => column.IsRequired ? null : "NULL",
        _ => null,
    };
}
