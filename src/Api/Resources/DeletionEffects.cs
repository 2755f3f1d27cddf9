using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Resources;

/// <summary>
/// What the deletion of a row takes with it, told before it happens (<c>?dryRun=true</c>). It is read from the foreign keys of the database, so that it says
/// what the deletion will do, whatever tables come later; what the caller may not see is told by the resource (<see cref="Resource.FurtherEffects"/>).
/// </summary>
internal static class DeletionEffects
{
    /// <summary>Name of the query parameter.</summary>
    public const string DryRun = "dryRun";

    /// <summary><c>{effects: [{resource, effect, count}]}</c>.</summary>
    public static readonly Shape Answer = new(
    [
        List("effects", new ObjectType(new Shape(
        [
            Text("resource", 100).ReadOnly().About("What it happens to: a resource's name, or that of a table which has no routes."),
            Choice("effect", "deleted", "detached", "ended", "blocks").ReadOnly().About("`deleted` with it; `detached`: stays, and no longer refers to it; `ended`: stays, and works no more; `blocks`: while these exist, the deletion is refused."),
            Long("count").ReadOnly(),
        ])), 1000).ReadOnly(),
    ]);

    /// <summary>The foreign keys of one column between tables that the caller's role may read.</summary>
    private const string ReadKeys = """
        SELECT child.relname, referring.attname, parent.relname, referred.attname, k.confdeltype
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class child ON child.oid = k.conrelid
        JOIN pg_catalog.pg_class parent ON parent.oid = k.confrelid
        JOIN pg_catalog.pg_attribute referring ON referring.attrelid = k.conrelid AND referring.attnum = k.conkey[1]
        JOIN pg_catalog.pg_attribute referred ON referred.attrelid = k.confrelid AND referred.attnum = k.confkey[1]
        WHERE k.contype = 'f' AND cardinality(k.conkey) = 1 AND k.connamespace = 'public'::regnamespace
          AND has_column_privilege(k.conrelid, referring.attnum, 'SELECT') AND has_column_privilege(k.confrelid, referred.attnum, 'SELECT')
        ORDER BY 1, 2
        """;

    /// <summary>Counts what goes with the row, and what loses its reference to it.</summary>
    public static async Task<JsonAnswer> Tell(TenantSession session, Resource resource, Guid id, CancellationToken cancelled)
    {
        var sql = $"{Statement(resource.Table, resource.KeyColumn, await Keys(session, cancelled))}{(resource.FurtherEffects is { } further ? $" UNION ALL {further}" : "")}";
        await using var rows = await session.QueryAsync(sql, cancelled, id);
        var effects = new List<(string Table, string Effect, long Count)>();
        while (await rows.ReadAsync(cancelled))
        {
            effects.Add((rows.GetString(0), rows.GetString(1), rows.GetInt64(2)));
        }
        return JsonAnswer.Of(json =>
        {
            json.WriteStartArray("effects");
            foreach (var (table, effect, count) in effects.Where(effect => effect.Count > 0).OrderBy(effect => effect.Effect, StringComparer.Ordinal).ThenByDescending(effect => effect.Count))
            {
                json.WriteStartObject();
                json.WriteString("resource", ResourceCatalog.All.FirstOrDefault(known => known.Table == table)?.Plural ?? CamelCase(table));
                json.WriteString("effect", effect);
                json.WriteNumber("count", count);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
    }

    private static async Task<ImmutableArray<ForeignKey>> Keys(TenantSession session, CancellationToken cancelled)
    {
        await using var rows = await session.QueryAsync(ReadKeys, cancelled);
        var keys = ImmutableArray.CreateBuilder<ForeignKey>();
        while (await rows.ReadAsync(cancelled))
        {
            keys.Add(new ForeignKey(rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetChar(4)));
        }
        return keys.ToImmutable();
    }

    /// <summary>One set of rows for each table that loses some, in the order in which the deletion reaches them, then the counts.</summary>
    private static string Statement(string table, string keyColumn, ImmutableArray<ForeignKey> keys)
    {
        var order = InOrder(table, keys);
        var sets = new StringBuilder();
        var counts = new List<string>();
        foreach (var gone in order)
        {
            var conditions = keys.Where(key => key.Child == gone && key.Deletes && key.Parent != gone && order.IndexOf(key.Parent) >= 0 && order.IndexOf(key.Parent) < order.IndexOf(gone))
                .Select(key => $"t.{key.Column} IN (SELECT {key.ParentColumn} FROM gone_{key.Parent})");
            var condition = gone == table ? $"t.{keyColumn} = $1" : string.Join(" OR ", conditions);
            var columns = Columns(gone, gone == table ? keyColumn : null, keys);
            sets.Append(CultureInfo.InvariantCulture, $"{(sets.Length == 0 ? "" : ", ")}gone_{gone} AS (SELECT {columns} FROM {gone} t WHERE {condition}");
            if (keys.FirstOrDefault(key => key.Child == gone && key.Parent == gone && key.Deletes) is { } own)
            {
                sets.Append(CultureInfo.InvariantCulture, $" UNION SELECT {columns} FROM {gone} t JOIN gone_{gone} above ON t.{own.Column} = above.{own.ParentColumn}");
            }
            sets.Append(')');
            counts.Add($"SELECT '{gone}', 'deleted', count(*) FROM gone_{gone}");
        }
        foreach (var key in keys.Where(key => !key.Deletes && order.Contains(key.Parent) && !order.Contains(key.Child)))
        {
            counts.Add($"SELECT '{key.Child}', '{(key.Detaches ? "detached" : "blocks")}', count(*) FROM {key.Child} t WHERE t.{key.Column} IN (SELECT {key.ParentColumn} FROM gone_{key.Parent})");
        }
        return $"WITH RECURSIVE {sets} {string.Join(" UNION ALL ", counts)}";
    }

    /// <summary>The tables that lose rows, each after all from which it is reached; a way back to an earlier one is left out.</summary>
    private static List<string> InOrder(string root, ImmutableArray<ForeignKey> keys)
    {
        var done = new List<string>();
        var underWay = new HashSet<string>(StringComparer.Ordinal);
        Visit(root);
        done.Reverse();
        return done;

        void Visit(string table)
        {
            underWay.Add(table);
            foreach (var child in keys.Where(key => key.Parent == table && key.Deletes).Select(key => key.Child).Distinct(StringComparer.Ordinal))
            {
                if (!underWay.Contains(child))
                {
                    Visit(child);
                }
            }
            done.Add(table);
        }
    }

    /// <summary>Only what other tables refer to: rows may be many and long.</summary>
    private static string Columns(string table, string? keyColumn, ImmutableArray<ForeignKey> keys)
    {
        var names = keys.Where(key => key.Parent == table).Select(key => key.ParentColumn).Append(keyColumn).OfType<string>().Distinct(StringComparer.Ordinal).ToArray();
        return names.Length == 0 ? "1 AS one" : string.Join(", ", names.Select(name => $"t.{name}"));
    }

    private static string CamelCase(string table)
    {
        var words = table.Split('_');
        return words[0] + string.Concat(words.Skip(1).Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private sealed record ForeignKey(string Child, string Column, string Parent, string ParentColumn, char OnDelete)
    {
        public bool Deletes => OnDelete == 'c';

        public bool Detaches => OnDelete is 'n' or 'd';
    }
}
