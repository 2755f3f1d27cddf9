using System.Text.RegularExpressions;
using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>What can be wrong with a plan, judged by the tables and indexes as they are.</summary>
internal sealed class PlanRules
{
    /// <summary>From so many rows on a table is a large one.</summary>
    public const int Large = 1_000;

    private const string OfInstallation = "super admins search among all organizations of the installation; a page in the list's own order looks at no more than it shows";

    private const string OfTag = "many organizations have tags of the same name: where nobody has counted either, what bears the tag and what is the organization's are put together";

    /// <summary>What may read a whole table, and why.</summary>
    private static readonly (string Table, string Query, string Reason)[] Excused =
    [
        ("organizations", "LEFT JOIN public.message_search_positions", "search asks after each organization in turn, by one look into an index"),
        ("message_search_positions", "LEFT JOIN public.message_search_positions", "there is one for each organization"),
        ("organizations", "FROM organizations_of_installation t", OfInstallation),
        ("subscriptions", "FROM organizations_of_installation t", OfInstallation),
        ("contacts", "UPDATE contacts SET last_message_preview = NULL", "once a day; an index over what changes with every message would cost more than it saves"),
        ("files", "SELECT coalesce(sum(f.size), 0)::bigint FROM public.files f", "what an organization's files take is added up before one more is taken, which costs far more than the sum"),
        ("clients", "SET tags = array_remove(", OfTag),
        ("deals", "SET tags = array_remove(", OfTag),
        ("notes", "SET tags = array_remove(", OfTag),
        ("messages", "WITH page AS MATERIALIZED", "a page of what an organization keeps for a while holds a thousand messages"),
        ("knowledge_chunks", "WHERE embedding IS NULL", "the index holds nothing but what is still to be done, and the copies are"),
    ];

    /// <summary>The part of a large table that a statement may read: far more than the small organization has, far less than all.</summary>
    private const double MostRead = 0.1;

    /// <summary>Rows that a statement may look at in vain, where it finds fewer than one in ten.</summary>
    private const double MostRemoved = 300;

    /// <summary>Analytics add up everything that there is.</summary>
    private static readonly string[] OfEverything = ["CREATE TEMPORARY TABLE fresh ", "DELETE FROM public.analytics_", "INSERT INTO public.analytics_", "FROM public.analytics_failures", "UPDATE public.agents a SET messages_total"];

    private readonly Dictionary<string, long> _tables = new(StringComparer.Ordinal);
    /// <summary>Of indexes over whole tables: one over a few rows may well be read as it comes.</summary>
    private readonly Dictionary<string, string> _leadingColumns = new(StringComparer.Ordinal);

    /// <summary>Tables of organizations, and how many rows each has.</summary>
    public IReadOnlyDictionary<string, long> Tables => _tables;

    /// <summary>Reads the catalog of a database whose tables were just analyzed.</summary>
    public static async Task<PlanRules> Read(DataOptions database)
    {
        var rules = new PlanRules();
        await using var connection = new NpgsqlConnection(database.AdminConnectionString);
        await connection.OpenAsync();
        await using (var command = new NpgsqlCommand("""
            SELECT c.relname, greatest(c.reltuples, 0)::bigint FROM pg_class c
            WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace
                AND (c.reltuples >= $1 OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id'))
            """, connection) { Parameters = { new() { Value = Large } } })
        await using (var row = await command.ExecuteReaderAsync())
        {
            while (await row.ReadAsync())
            {
                rules._tables[row.GetString(0)] = row.GetInt64(1);
            }
        }
        await using (var command = new NpgsqlCommand("""
            SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
            JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE c.relnamespace = 'public'::regnamespace AND m.amname = 'btree' AND i.indpred IS NULL
            """, connection))
        await using (var row = await command.ExecuteReaderAsync())
        {
            while (await row.ReadAsync())
            {
                rules._leadingColumns[row.GetString(0)] = row.GetString(1);
            }
        }
        return rules;
    }

    /// <summary>What is wrong with each reading of a plan.</summary>
    public IEnumerable<string> Complaints(QueryPlan plan) => OfEverything.Any(plan.Query.Contains)
        ? []
        : plan.Scans.Where(scan => !Excused.Any(excuse => excuse.Table == scan.Table && plan.Query.Contains(excuse.Query, StringComparison.Ordinal))).Select(Complaint).OfType<string>();

    private string? Complaint(TableScan scan)
    {
        if (!_tables.TryGetValue(scan.Table, out var rows))
        {
            return null;
        }
        if (scan.Kind is "Seq Scan" or "Sample Scan" or "Tid Range Scan")
        {
            return $"{scan.Table} is scanned as a whole";
        }
        if (scan.Indexes.FirstOrDefault(index => index.Condition is { } condition && !IsOnLeadingColumn(index.Name, condition)) is { } unordered)
        {
            return $"{scan.Table} is read along {unordered.Name}, which isn't ordered by what is looked for";
        }
        if (scan.Removed > MostRemoved && scan.Removed > scan.Rows * 0.9)
        {
            return $"{scan.Removed} rows of {scan.Table} are read in vain{string.Concat(scan.Indexes.Select(index => $" along {index.Name}"))}";
        }
        return rows >= Large && scan.Rows > rows * MostRead ? $"{scan.Rows} of the {rows} rows of {scan.Table} are read{string.Concat(scan.Indexes.Select(index => $" along {index.Name}"))}" : null;
    }

    /// <summary>Whether the condition holds on to the column that the index is ordered by first.</summary>
    private bool IsOnLeadingColumn(string index, string condition) => !_leadingColumns.TryGetValue(index, out var leading) || Regex.IsMatch(condition, $@"\b{Regex.Escape(leading)}\b");
}
