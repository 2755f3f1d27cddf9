using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Transfer;

/// <summary>Inserts many rows of a resource in one statement. A row that meets a unique constraint is left out, and the caller finds out why.</summary>
internal sealed class BulkInsert
{
    private readonly Resource _resource;
    private readonly IReadOnlyDictionary<string, string> _defaults;

    private BulkInsert(Resource resource, IReadOnlyDictionary<string, string> defaults)
    {
        _resource = resource;
        _defaults = defaults;
    }

    /// <summary>Reads what the table's columns are when they aren't given.</summary>
    public static async Task<BulkInsert> Prepare(TenantSession session, Resource resource, CancellationToken cancellationToken)
    {
        var defaults = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var columns = await session.QueryAsync(
            """
            SELECT a.attname::text, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
            WHERE a.attrelid = $1::text::regclass AND a.attgenerated = ''
            """,
            cancellationToken, $"public.{resource.Table}");
        while (await columns.ReadAsync(cancellationToken))
        {
            defaults[columns.GetString(0)] = columns.GetString(1);
        }
        return new BulkInsert(resource, defaults);
    }

    /// <summary>Inserts the rows; returns those that went in, by id.</summary>
    public async Task<Dictionary<Guid, ResourceRow>> Run(IReadOnlyList<ResourceChange> changes, CancellationToken cancellationToken)
    {
        var fields = changes.SelectMany(change => change.Values.All.Select(entry => entry.Field)).DistinctBy(field => field.Column).ToArray();
        var columns = fields.Select(field => field.Column).Append("organization_id").ToList();
        if (!columns.Contains(_resource.KeyColumn))
        {
            columns.Add(_resource.KeyColumn);
        }
        var sql = $"""
            INSERT INTO {_resource.Table} AS t ({string.Join(", ", columns)})
            SELECT {string.Join(", ", columns.Select(Value))}
            FROM jsonb_array_elements($1) WITH ORDINALITY AS given (row, place), LATERAL jsonb_populate_record(NULL::public.{_resource.Table}, given.row) AS r
            ORDER BY given.place
            ON CONFLICT DO NOTHING RETURNING {ResourceSql.Of(_resource).Returned}
            """;
        var (session, request) = (changes[0].Session, changes[0].Request);
        var inserted = new Dictionary<Guid, ResourceRow>(changes.Count);
        await using var rows = await session.QueryAsync(sql, cancellationToken, new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = BulkRows.Json(_resource, changes) });
        while (await rows.ReadAsync(cancellationToken))
        {
            var row = ResourceRow.Read(_resource, ResourceSql.Of(_resource).Readable, rows, ResourceWrites.Context(request));
            inserted[row.Id] = row;
        }
        return inserted;

        string Value(string column) => _defaults.TryGetValue(column, out var otherwise) ? $"CASE WHEN given.row ? '{column}' THEN r.{column} ELSE {otherwise} END" : $"r.{column}";
    }
}
