using System.Text.Json;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Grains.Privacy;

/// <summary>Deletes what an organization keeps for a while only and is older, in small batches: each one and the place after it are one transaction.</summary>
internal sealed class RetentionWork(EngineDataSource database, TimeProvider clock) : IJobWork
{
    public const string WorkName = "retention";

    /// <summary>Rows of a batch.</summary>
    public const int BatchRows = 1000;

    /// <summary>Messages in the order of their last change, which is nearly that of their age, by the index that the live feed has. $1 organization, $2 older than, $3 and $4 after.</summary>
    private const string Messages = """
        WITH page AS MATERIALIZED (
            SELECT m.id, m.changed_in, m.created_at < $2 AND m.status NOT IN ('pending', 'sending') AS is_old
            FROM messages m WHERE m.organization_id = $1 AND (m.changed_in, m.id) > ($3, $4) ORDER BY m.changed_in, m.id LIMIT 1000),
        gone AS (DELETE FROM messages m USING page p WHERE m.id = p.id AND p.is_old RETURNING 1)
        SELECT (SELECT count(*) FROM page), (SELECT count(*) FROM gone), p.changed_in, p.id FROM page p ORDER BY p.changed_in DESC, p.id DESC LIMIT 1
        """;

    /// <summary>
    /// What is deleted (or blanked) by age alone, after the messages: the column that says how long, and the statement. $1 organization, $2 older than. What is found is an
    /// array, each value of which is looked up by the key: a subquery could be joined with the whole table.
    /// </summary>
    private static readonly (string Name, string KeptDays, string Statement)[] Steps =
    [
        ("previews", "messages_kept_days",
            "UPDATE contacts SET last_message_preview = NULL, unread_count = 0 WHERE id = ANY (ARRAY(SELECT k.id FROM contacts k WHERE k.organization_id = $1 AND k.last_interaction_at < $2 AND k.last_message_preview IS NOT NULL LIMIT 1000))"),
        ("turns", "turns_kept_days",
            "DELETE FROM turns WHERE id = ANY (ARRAY(SELECT t.id FROM turns t WHERE t.organization_id = $1 AND t.created_at < $2 AND t.state IN ('completed', 'failed', 'cancelled') ORDER BY t.created_at LIMIT 1000))"),
        ("activityLogs", "activity_logs_kept_days", "DELETE FROM activity_logs WHERE id = ANY (ARRAY(SELECT t.id FROM activity_logs t WHERE t.organization_id = $1 AND t.created_at < $2 ORDER BY t.created_at LIMIT 1000))"),
        ("idempotencyKeys", "idempotency_keys_kept_days", "DELETE FROM idempotency_keys WHERE organization_id = $1 AND key IN (SELECT t.key FROM idempotency_keys t WHERE t.organization_id = $1 AND t.created_at < $2 LIMIT 1000)"),
        // A document of the knowledge base stays for as long as its source does.
        ("files", "files_kept_days", "DELETE FROM files WHERE id = ANY (ARRAY(SELECT t.id FROM files t WHERE t.organization_id = $1 AND t.created_at < $2 AND NOT EXISTS (SELECT FROM knowledge_sources s WHERE s.file_id = t.id OFFSET 0) ORDER BY t.created_at LIMIT 1000))"),
        // From where a job was asked for is what the log says too, so it is kept no longer. Last, since runs under way count the steps.
        ("jobOrigins", "activity_logs_kept_days",
            "UPDATE jobs SET ip_address = NULL, user_agent = NULL, api_key_id = NULL WHERE id = ANY (ARRAY(SELECT t.id FROM jobs t WHERE t.organization_id = $1 AND t.created_at < $2 AND num_nonnulls(t.ip_address, t.user_agent, t.api_key_id) > 0 LIMIT 1000))"),
    ];

    public string Name => WorkName;

    public bool IsForSomebody => false;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        var reached = run.Position<Reached>() ?? new Reached(0, 0, Guid.Empty, []);
        var kept = await Kept(connection, run.Job.OrganizationId, cancellationToken).ConfigureAwait(false);
        if (reached.Step == 0)
        {
            reached = kept.TryGetValue("messages_kept_days", out var days) ? await DeleteMessages(run, connection, reached, Before(days), cancellationToken).ConfigureAwait(false) : reached with { Step = 1 };
        }
        for (; reached.Step <= Steps.Length; reached = reached with { Step = reached.Step + 1 })
        {
            var (name, column, statement) = Steps[reached.Step - 1];
            if (kept.TryGetValue(column, out var days))
            {
                reached = await Delete(run, connection, reached, name, statement, Before(days), cancellationToken).ConfigureAwait(false);
            }
        }
        await using var old = new NpgsqlCommand("DELETE FROM jobs WHERE organization_id = $1 AND work = 'retention' AND created_at < now() - interval '30 days'", connection) { Parameters = { new() { Value = run.Job.OrganizationId } } };
        await old.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Serialize(new { deleted = reached.Deleted }, JsonSerializerOptions.Web);
    }

    /// <param name="Step">0 for messages, then <see cref="Steps"/> from 1.</param>
    private sealed record Reached(int Step, ulong ChangedIn, Guid MessageId, Dictionary<string, long> Deleted);

    private DateTimeOffset Before(int days) => clock.GetUtcNow() - TimeSpan.FromDays(days);

    private static async Task<Dictionary<string, int>> Kept(NpgsqlConnection connection, Guid organizationId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            "SELECT s.key, s.value::text::integer FROM organizations o, jsonb_each(to_jsonb(o)) s WHERE o.id = $1 AND s.key LIKE '%\\_kept\\_days' AND s.value <> 'null'", connection)
        {
            Parameters = { new() { Value = organizationId } },
        };
        await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var kept = new Dictionary<string, int>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            kept[rows.GetString(0)] = rows.GetInt32(1);
        }
        return kept;
    }

    private static async Task<Reached> DeleteMessages(JobRun run, NpgsqlConnection connection, Reached reached, DateTimeOffset before, CancellationToken cancellationToken)
    {
        while (reached.Step == 0)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            long deleted = 0;
            await using (var command = new NpgsqlCommand(Messages, connection, transaction)
            {
                Parameters = { new() { Value = run.Job.OrganizationId }, new() { Value = before }, new() { Value = reached.ChangedIn, NpgsqlDbType = NpgsqlDbType.Xid8 }, new() { Value = reached.MessageId } },
            })
            await using (var row = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
            {
                if (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    deleted = row.GetInt64(1);
                    // A page without an old message: those that follow are younger still.
                    reached = row.GetInt64(0) < BatchRows || deleted == 0 ? reached with { Step = 1 } : reached with { ChangedIn = row.GetFieldValue<ulong>(2), MessageId = row.GetGuid(3) };
                }
                else
                {
                    reached = reached with { Step = 1 };
                }
            }
            reached = await Commit(run, transaction, reached, "messages", deleted, cancellationToken).ConfigureAwait(false);
        }
        return reached;
    }

    private static async Task<Reached> Delete(JobRun run, NpgsqlConnection connection, Reached reached, string name, string statement, DateTimeOffset before, CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (var command = new NpgsqlCommand(statement, connection, transaction) { Parameters = { new() { Value = run.Job.OrganizationId }, new() { Value = before } } })
            {
                deleted = await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            reached = await Commit(run, transaction, reached, name, deleted, cancellationToken).ConfigureAwait(false);
        }
        while (deleted >= BatchRows);
        return reached;
    }

    private static async Task<Reached> Commit(JobRun run, NpgsqlTransaction transaction, Reached reached, string name, long deleted, CancellationToken cancellationToken)
    {
        var after = reached with { Deleted = new(reached.Deleted) { [name] = reached.Deleted.GetValueOrDefault(name) + deleted } };
        var processed = run.Progress.Processed + deleted;
        await run.Commit(transaction, after, new JobProgress { Processed = processed, Succeeded = processed, Phase = "deleting" }, cancellationToken).ConfigureAwait(false);
        return after;
    }
}
