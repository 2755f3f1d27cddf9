using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Grains.Archives;

/// <summary>An import under way: whose it is, what it reads, and the one transaction that it writes in.</summary>
internal sealed record Restore(
    Guid OrganizationId, Guid Importer, Guid JobId, ArchiveReader Archive, NpgsqlConnection Connection, NpgsqlTransaction Transaction, TenantCatalog Catalog, ArchiveIds Ids)
{
    /// <summary>SQL: a row, called <c>t</c>, came in with this import, and was not here before.</summary>
    public const string CameIn = "t.xmin = pg_current_xact_id()::xid";

    public NpgsqlCommand Command(string sql, params object[] values)
    {
        // An organization takes what it takes; whoever cancels the job ends it.
        var command = new NpgsqlCommand(sql, Connection, Transaction) { CommandTimeout = 0 };
        foreach (var value in values)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
        }
        return command;
    }

    public async Task<int> Execute(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<T?> Scalar<T>(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is T value ? value : default;
    }
}
