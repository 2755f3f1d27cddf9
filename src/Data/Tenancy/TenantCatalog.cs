using Npgsql;

namespace AgentPlatform.Data.Tenancy;

/// <summary>A column as the database has it.</summary>
/// <param name="Type">As <c>format_type</c> writes it.</param>
/// <param name="IsChoice">A check names its few values.</param>
/// <param name="IsUnique">Part of a unique index.</param>
public sealed record TenantColumn(string Name, string Type, bool IsRequired, bool IsGenerated, bool IsChoice, bool IsUnique);

/// <summary>A reference of one column to another table's.</summary>
/// <param name="IsSetNull">When the target goes, the reference becomes null.</param>
public sealed record TenantReference(string Table, string Column, string Target, string TargetColumn, bool IsSetNull);

/// <summary>A table with rows of organizations.</summary>
public sealed record TenantTable(string Name, IReadOnlyList<TenantColumn> Columns, IReadOnlyList<string> Key)
{
    /// <summary>Changes of its rows are told to every process (<see cref="Changes.ConfigurationChange"/>): some of them may be held in memory.</summary>
    public bool IsConfiguration { get; init; }

    public bool Has(string column) => Columns.Any(known => known.Name == column);
}

/// <summary>
/// All tables with an organization's rows, read from the database itself: what leaves, arrives or is deleted as a whole goes by this, so that a new table is
/// never forgotten.
/// </summary>
public sealed record TenantCatalog(IReadOnlyList<TenantTable> Tables, IReadOnlyList<TenantReference> References)
{
    /// <summary>The columns of <c>organizations</c>, which is no organization's table but holds each one's own row.</summary>
    public IReadOnlyList<TenantColumn> Organization { get; init; } = [];

    /// <summary>The table; null where there is none of that name.</summary>
    public TenantTable? Find(string name) => Tables.FirstOrDefault(table => table.Name == name);

    /// <summary>Reads the catalog.</summary>
    public static async Task<TenantCatalog> Read(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var columns = new Dictionary<string, List<TenantColumn>>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand(
            """
            SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated <> '',
                EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey) AND pg_get_constraintdef(k.oid) LIKE '%ANY (ARRAY[%'),
                EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey::smallint[]))
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
                AND (c.relname = 'organizations' OR EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'organization_id' AND NOT o.attisdropped))
            ORDER BY c.relname, a.attnum
            """, connection))
        await using (var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                if (!columns.TryGetValue(rows.GetString(0), out var ofTable))
                {
                    columns.Add(rows.GetString(0), ofTable = []);
                }
                ofTable.Add(new(rows.GetString(1), rows.GetString(2), rows.GetBoolean(3), rows.GetBoolean(4), rows.GetBoolean(5), rows.GetBoolean(6)));
            }
        }
        columns.Remove("organizations", out var organization);
        var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand(
            """
            SELECT c.relname::text, array_agg(a.attname::text ORDER BY array_position(k.conkey, a.attnum))
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
            WHERE k.contype = 'p' AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname
            """, connection))
        await using (var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                keys[rows.GetString(0)] = rows.GetFieldValue<string[]>(1);
            }
        }
        var references = new List<TenantReference>();
        await using (var command = new NpgsqlCommand(
            """
            SELECT c.relname::text, a.attname::text, t.relname::text, b.attname::text, k.confdeltype = 'n'
            FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
            CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair (own, other)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.own JOIN pg_attribute b ON b.attrelid = t.oid AND b.attnum = pair.other
            WHERE k.contype = 'f' AND c.relnamespace = 'public'::regnamespace AND a.attname <> 'organization_id' AND k.conparentid = 0
            ORDER BY c.relname, a.attname
            """, connection))
        await using (var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                references.Add(new(rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetBoolean(4)));
            }
        }
        var told = new HashSet<string>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand("SELECT DISTINCT c.relname::text FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid WHERE p.proname = 'notify_configuration_changed'", connection))
        await using (var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false))
        {
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                told.Add(rows.GetString(0));
            }
        }
        return new TenantCatalog(
            [.. columns.Select(table => new TenantTable(table.Key, table.Value, keys.GetValueOrDefault(table.Key) ?? []) { IsConfiguration = told.Contains(table.Key) })], [.. references.Where(reference => columns.ContainsKey(reference.Table))])
        {
            Organization = organization ?? [],
        };
    }
}
