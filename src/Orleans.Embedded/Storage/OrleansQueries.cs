using System.Data.Common;
using Npgsql;
using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>
/// The statements of the table <c>OrleansQuery</c>, by which the ADO.NET providers of clustered Orleans work. This runtime runs the
/// same ones with the same parameters, so that both see the same tables.
/// </summary>
internal sealed class OrleansQueries
{
    private readonly DbDataSource _source;
    private readonly Dictionary<string, string> _queries;

    private OrleansQueries(DbDataSource source, Dictionary<string, string> queries)
    {
        _source = source;
        _queries = queries;
    }

    /// <summary>Reads the statements; throws <see cref="OrleansConfigurationException"/> where some are missing.</summary>
    public static async Task<OrleansQueries> LoadAsync(DbDataSource source, string[] keys, CancellationToken cancellationToken)
    {
        var queries = new Dictionary<string, string>();
        await using var command = source.CreateCommand("SELECT querykey, querytext FROM orleansquery");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            queries[reader.GetString(0)] = reader.GetString(1);
        }

        var missing = keys.Except(queries.Keys).ToList();
        return missing.Count == 0
            ? new OrleansQueries(source, queries)
            : throw new OrleansConfigurationException($"The table OrleansQuery lacks {string.Join(", ", missing)}: run the migrations (sql/orleans).");
    }

    /// <summary>The data source that options name; <paramref name="owned"/> says whether it was made here.</summary>
    public static DbDataSource Source(string options, string? invariant, string? connectionString, DbDataSource? source, out bool owned)
    {
        owned = source is null;
        if (invariant != "Npgsql")
        {
            throw new OrleansConfigurationException($"{options}.Invariant is '{invariant}'; the embedded runtime knows only 'Npgsql'.");
        }

        if (string.IsNullOrWhiteSpace(connectionString) == (source is null))
        {
            throw new OrleansConfigurationException($"{options} needs either a ConnectionString or a DataSource.");
        }

        return source ?? NpgsqlDataSource.Create(connectionString!);
    }

    /// <summary>Runs a statement and reads its rows.</summary>
    public async Task<List<T>> ReadAsync<T>(string key, Func<DbDataReader, T> row, params (string Name, object? Value)[] parameters)
    {
        await using var command = _source.CreateCommand(_queries[key]);
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }

        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(row(reader));
        }

        return rows;
    }
}
