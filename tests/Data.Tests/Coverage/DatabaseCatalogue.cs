using System.Text.RegularExpressions;
using AgentPlatform.Data.Migrations;
using AgentPlatform.Fakes;
using AgentPlatform.Fakes.Postgres;
using Npgsql;

namespace AgentPlatform.Data.Tests.Coverage;

/// <summary>What there is in a migrated database, and which tests there are.</summary>
public sealed partial class DatabaseCatalogue : IAsyncLifetime
{
    private TestDatabase? _database;

    private readonly Dictionary<string, HashSet<string>> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _checks = new(StringComparer.Ordinal);

    /// <summary><c>table.column</c> → type, of tables and views.</summary>
    public Dictionary<string, string> ColumnTypes { get; } = new(StringComparer.Ordinal);

    /// <summary>Name and columns of indexes, as <c>name (a, b)</c>, that hold values unique.</summary>
    public HashSet<string> UniqueIndexes { get; } = new(StringComparer.Ordinal);

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        await using var connection = new NpgsqlConnection(_database.AdminConnectionString);
        await connection.OpenAsync();
        await Read(connection, "extension", "SELECT extname, '' FROM pg_extension");
        await Read(connection, "table", "SELECT relname, '' FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace");
        await Read(connection, "view", "SELECT relname, '' FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace");
        await Read(connection, "function", "SELECT DISTINCT proname::text, '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace");
        await Read(connection, "trigger", "SELECT c.relname || '.' || g.tgname, '' FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal AND c.relnamespace = 'public'::regnamespace");
        await Read(connection, "policy", "SELECT c.relname || '.' || p.polname, '' FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'public'::regnamespace");
        await Read(connection, "constraint", "SELECT c.relname || '.' || k.conname, '' FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = 'public'::regnamespace");
        await Read(connection, "check", "SELECT c.relname || '.' || k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'c' AND c.relnamespace = 'public'::regnamespace", _checks);
        await Read(connection, "column",
            """
            SELECT c.relname || '.' || a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relnamespace = 'public'::regnamespace
            """, ColumnTypes);
        await Read(connection, "index", Indexes(""));
        await Read(connection, "unique index", Indexes("WHERE x.indisunique"));
        UniqueIndexes.UnionWith(_names["unique index"]);
        _names["migration"] = [.. MigrationScript.Embedded().Select(script => script.Name)];
        _names["test"] = [.. Tests()];
    }

    public async Task DisposeAsync()
    {
        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }

    /// <summary>Whether the target of a line exists, down to the columns of an index and the value of a check.</summary>
    internal bool Has(SeedObject row)
    {
        if (row.TargetKind == "check")
        {
            var (constraint, value) = row.Target.Split(" = ") is [var left, var right] ? (left, right) : (row.Target, "");
            return _checks.TryGetValue(constraint, out var definition) && definition.Contains($"'{value}'", StringComparison.Ordinal);
        }
        return _names.TryGetValue(row.TargetKind, out var known) && known.Contains(row.Target);
    }

    private static string Indexes(string condition) =>
        $"""
        SELECT i.relname || ' (' || (SELECT string_agg(pg_get_indexdef(i.oid, k, true), ', ' ORDER BY k) FROM generate_series(1, x.indnkeyatts) k) || ')', ''
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid AND i.relnamespace = 'public'::regnamespace {condition}
        """;

    private async Task Read(NpgsqlConnection connection, string kind, string sql, Dictionary<string, string>? details = null)
    {
        var names = _names[kind] = new HashSet<string>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            names.Add(rows.GetString(0));
            details?.Add(rows.GetString(0), rows.GetString(1));
        }
    }

    /// <summary>All tests of the checkout as <c>Class.Method</c>: a file's classes and, in it, the methods that are marked as tests.</summary>
    private static IEnumerable<string> Tests()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, "tests"), "*Tests.cs", SearchOption.AllDirectories))
        {
            var text = File.ReadAllText(file);
            foreach (var name in Class().Matches(text).Select(match => match.Groups[1].Value))
            {
                foreach (var method in Method().Matches(text).Select(match => match.Groups[1].Value))
                {
                    yield return $"{name}.{method}";
                }
            }
        }
    }

    [GeneratedRegex(@"\bclass (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\]]*\](?:\s*\[.*\])*\s*public (?:async )?[\w<>]+ (\w+)\(")]
    private static partial Regex Method();
}
