using System.Data;
using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Data.Tenancy;

/// <summary>
/// One transaction of the API's role, bound by row level security to one organization. The binding travels with the first statement,
/// so a session costs one round trip for each statement and one for the commit. Disposed without a commit, it leaves nothing behind.
/// </summary>
public sealed class TenantSession : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;
    private readonly Tenant _tenant;
    private bool _entered;

    private TenantSession(NpgsqlConnection connection, NpgsqlTransaction transaction, Tenant tenant)
    {
        _connection = connection;
        _transaction = transaction;
        _tenant = tenant;
    }

    /// <summary>Takes a connection and begins a transaction for the tenant. Nothing is sent yet, unless the pool has to connect.</summary>
    public static async Task<TenantSession> OpenAsync(ApiDataSource source, Tenant tenant, CancellationToken cancellationToken = default)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            return new TenantSession(connection, transaction, tenant);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// One read-only statement in one round trip: the binding and the statement share an implicit transaction. The reader owns the connection.
    /// A statement that writes works too, and is committed when the reader is disposed without an error.
    /// </summary>
    /// <param name="source">The API's connections.</param>
    /// <param name="tenant">Whose rows to see.</param>
    /// <param name="sql">One statement with parameters $1, $2 …</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="values">The parameters: values, null, or <see cref="NpgsqlParameter"/> where the type needs saying.</param>
    public static async Task<NpgsqlDataReader> ReadAsync(ApiDataSource source, Tenant tenant, string sql, CancellationToken cancellationToken, params object?[] values)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Enter(tenant), Statement(sql, values) } };
            return await batch.ExecuteReaderAsync(CommandBehavior.CloseConnection, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A batch in this transaction. The first of a session begins with the binding, which returns no rows: add statements, execute, read as usual.</summary>
    public NpgsqlBatch CreateBatch()
    {
        var batch = new NpgsqlBatch(_connection, _transaction);
        if (!_entered)
        {
            batch.BatchCommands.Add(Enter(_tenant));
            _entered = true;
        }

        return batch;
    }

    /// <summary>Runs one statement and returns its rows.</summary>
    public async Task<NpgsqlDataReader> QueryAsync(string sql, CancellationToken cancellationToken, params object?[] values)
    {
        await using var batch = CreateBatch(sql, values);
        return await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs one statement and returns how many rows it changed.</summary>
    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params object?[] values)
    {
        await using var batch = CreateBatch(sql, values);
        return await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs one statement and returns the first column of its first row, or the type's default where there is no row or it is null.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, CancellationToken cancellationToken, params object?[] values)
    {
        await using var reader = await QueryAsync(sql, cancellationToken, values).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) && !await reader.IsDBNullAsync(0, cancellationToken).ConfigureAwait(false)
            ? await reader.GetFieldValueAsync<T>(0, cancellationToken).ConfigureAwait(false)
            : default;
    }

    /// <summary>Makes all of it durable. When this throws because the connection broke, the outcome is unknown.</summary>
    public Task CommitAsync(CancellationToken cancellationToken = default) => _transaction.CommitAsync(cancellationToken);

    /// <summary>Rolls back what isn't committed and gives the connection back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync().ConfigureAwait(false);
        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private NpgsqlBatch CreateBatch(string sql, object?[] values)
    {
        var batch = CreateBatch();
        batch.BatchCommands.Add(Statement(sql, values));
        return batch;
    }

    private static NpgsqlBatchCommand Enter(Tenant tenant) => Statement(
        "call public.enter_tenant($1, $2, $3, $4)",
        [
            new NpgsqlParameter<Guid> { TypedValue = tenant.OrganizationId },
            new NpgsqlParameter { Value = (object?)tenant.UserId ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
            new NpgsqlParameter { Value = (object?)tenant.Role ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
            new NpgsqlParameter { Value = (object?)tenant.ApiKeyId ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid },
        ]);

    private static NpgsqlBatchCommand Statement(string sql, object?[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value ?? DBNull.Value });
        }

        return command;
    }
}
