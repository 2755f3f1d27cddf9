using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// Deletes everything of an organization. First its doors: members, sessions, keys and channels, and the people who belong to no other organization. Then its rows in small
/// batches, then the organization itself, and with it this job.
/// </summary>
internal sealed class OrganizationDeletionWork(EngineDataSource database) : IJobWork
{
    public const string WorkName = "organization_deletion";

    /// <summary>Rows deleted in one transaction.</summary>
    public const int BatchRows = 2000;

    /// <summary>What lets somebody in, but for the owners: an organization never is without one.</summary>
    private const string CloseDoors = """
        DELETE FROM users u USING organization_members m
            WHERE m.organization_id = $1 AND m.user_id = u.id AND m.role <> 'owner' AND NOT u.is_super_admin
                AND NOT EXISTS (SELECT FROM organization_members o WHERE o.user_id = u.id AND o.organization_id <> $1);
        DELETE FROM organization_members WHERE organization_id = $1 AND role <> 'owner';
        DELETE FROM api_keys WHERE organization_id = $1;
        DELETE FROM user_sessions WHERE organization_id = $1;
        UPDATE channels SET is_active = false, credentials = NULL, version = version + 1 WHERE organization_id = $1
        """;

    /// <summary>People who belong to no other organization.</summary>
    private const string OwnPeople = """
        SELECT coalesce(array_agg(u.id), '{}') FROM organization_members m JOIN users u ON u.id = m.user_id AND NOT u.is_super_admin
        WHERE m.organization_id = $1 AND NOT EXISTS (SELECT FROM organization_members o WHERE o.user_id = u.id AND o.organization_id <> $1)
        """;

    /// <summary>This job is needed to the end, and what hangs on it goes with it.</summary>
    private static readonly HashSet<string> GoLast = new(StringComparer.Ordinal) { "jobs", "organization_members", "user_sessions", "channels" };

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.Read(connection, cancellationToken).ConfigureAwait(false);
        var tables = InOrder(catalog);
        if (run.Position<Reached>() is null)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            foreach (var statement in CloseDoors.Split(';'))
            {
                await using var close = Command(statement, connection, transaction, run);
                await close.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            await run.Commit(transaction, new Reached(0), new JobProgress { Total = tables.Count, Phase = "deleting" }, cancellationToken).ConfigureAwait(false);
        }
        for (var index = run.Position<Reached>()?.Tables ?? 0; index < tables.Count; index++)
        {
            await Empty(run, connection, tables[index], index, tables.Count, cancellationToken).ConfigureAwait(false);
        }
        await End(run, connection, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private static async Task End(JobRun run, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var find = Command(OwnPeople, connection, transaction, run);
        var people = (Guid[])(await find.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        await using var end = Command("DELETE FROM organizations WHERE id = $1", connection, transaction, run);
        await end.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await using var forget = new NpgsqlCommand("DELETE FROM users WHERE id = ANY ($1)", connection, transaction) { Parameters = { new() { Value = people } } };
        await forget.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    private sealed record Reached(int Tables);

    /// <summary>What refers to others before what is referred to, so that no deletion sets off a large one.</summary>
    private static List<TenantTable> InOrder(TenantCatalog catalog)
    {
        var left = catalog.Tables.Where(table => !GoLast.Contains(table.Name)).ToDictionary(table => table.Name, StringComparer.Ordinal);
        var order = new List<TenantTable>();
        while (left.Count > 0)
        {
            var free = left.Values.Where(table => !catalog.References.Any(reference => reference.Target == table.Name && reference.Table != table.Name && left.ContainsKey(reference.Table))).ToArray();
            // Tables that refer to each other: any of them may begin.
            foreach (var table in free.Length > 0 ? free : [left.Values.First()])
            {
                order.Add(table);
                left.Remove(table.Name);
            }
        }
        return order;
    }

    private static async Task Empty(JobRun run, NpgsqlConnection connection, TenantTable table, int index, int total, CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await using (var delete = Command($"DELETE FROM {table.Name} WHERE ctid IN (SELECT t.ctid FROM {table.Name} t WHERE t.organization_id = $1 LIMIT {BatchRows})", connection, transaction, run))
            {
                deleted = await delete.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            var isEmpty = deleted < BatchRows;
            await run.Commit(
                transaction, new Reached(isEmpty ? index + 1 : index),
                run.Progress with { Processed = isEmpty ? index + 1 : index, Total = total, Succeeded = run.Progress.Succeeded + deleted, Phase = "deleting" }, cancellationToken).ConfigureAwait(false);
        }
        while (deleted >= BatchRows);
    }

    private static NpgsqlCommand Command(string sql, NpgsqlConnection connection, NpgsqlTransaction? transaction, JobRun run) =>
        new(sql, connection, transaction) { Parameters = { new() { Value = run.Job.OrganizationId } } };
}
