using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>What Postgres did to answer one statement, of a request or of what a request set off.</summary>
/// <param name="Route">The operation that asked; null for what the engine did of itself.</param>
/// <param name="Query">The statement's text.</param>
/// <param name="Scans">How it read tables.</param>
internal sealed record QueryPlan(string? Route, string Query, IReadOnlyList<TableScan> Scans)
{
    /// <summary>Reads what <c>auto_explain</c> says of a statement, in JSON.</summary>
    public static QueryPlan Parse(string? route, string json)
    {
        var root = JsonNode.Parse(json)!;
        return new(route, Regex.Replace(root["Query Text"]!.GetValue<string>(), @"\s+", " "), [.. Below(root["Plan"]!)]);
    }

    private static IEnumerable<TableScan> Below(JsonNode node)
    {
        var scans = (node["Plans"]?.AsArray() ?? []).SelectMany(child => Below(child!));
        return Text(node, "Relation Name") is { } table && Text(node, "Node Type") is { } kind && kind != "ModifyTable" ? scans.Prepend(new TableScan(table, kind, Indexes(node), Math.Max(Read(node), InBitmaps(node)), Removed(node))) : scans;
    }

    /// <summary>The indexes that led to the rows, each with its condition; a scan by bitmaps has them below itself.</summary>
    private static IEnumerable<UsedIndex> Indexes(JsonNode node) => Text(node, "Index Name") is { } name
        ? [new(name, Text(node, "Index Cond"))]
        : (node["Plans"]?.AsArray() ?? []).Where(child => Text(child!, "Node Type")!.StartsWith("Bitmap", StringComparison.Ordinal)).SelectMany(child => Indexes(child!));

    /// <summary>Rows that were looked at, those included that didn't fit.</summary>
    private static double Read(JsonNode node) => (Number(node, "Actual Rows") * Number(node, "Actual Loops")) + Removed(node);

    private static double Removed(JsonNode node) => (Number(node, "Rows Removed by Filter") + Number(node, "Rows Removed by Index Recheck")) * Number(node, "Actual Loops");

    /// <summary>Entries of indexes that made up the bitmaps of a scan: of two that are put together, one may hold all that an organization has.</summary>
    private static double InBitmaps(JsonNode node) => (node["Plans"]?.AsArray() ?? []).Where(child => Text(child!, "Node Type")!.StartsWith("Bitmap", StringComparison.Ordinal))
        .Sum(child => Text(child!, "Node Type") == "Bitmap Index Scan" ? Number(child!, "Actual Rows") * Number(child!, "Actual Loops") : InBitmaps(child!));

    private static double Number(JsonNode node, string name) => node[name]?.GetValue<double>() ?? 0;

    private static string? Text(JsonNode node, string name) => node[name]?.GetValue<string>();
}

/// <summary>One reading of a table.</summary>
/// <param name="Rows">How many of its rows were looked at.</param>
/// <param name="Removed">How many of these didn't fit.</param>
internal sealed record TableScan(string Table, string Kind, IEnumerable<UsedIndex> Indexes, double Rows, double Removed);

/// <summary>An index and what was looked up in it; null: all of it was walked along.</summary>
internal sealed record UsedIndex(string Name, string? Condition);
