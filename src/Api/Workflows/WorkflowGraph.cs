using System.Collections.Immutable;
using AgentPlatform.Api.Automation;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Workflows;

/// <summary>The graph of a workflow: what nodes and edges there are, and what makes a whole of them.</summary>
internal static class WorkflowGraph
{
    /// <summary>Most nodes of one graph.</summary>
    public const int MaxNodes = 200;

    /// <summary>Most edges of one graph.</summary>
    public const int MaxEdges = 400;

    private const string Start = "start";
    private const string End = "end";
    private const string Condition = "condition";
    private const string WaitForReply = "wait_for_reply";

    private static readonly Field[] OfEveryNode =
    [
        Matching("id", "^[A-Za-z0-9_-]{1,64}$", "1 to 64 of A-Z a-z 0-9 _ -", "start", 64).Required(),
        Text("label", 200),
        Document("position", Number("x", -1_000_000, 1_000_000, 2).Required(), Number("y", -1_000_000, 1_000_000, 2).Required()).About("Where an editor shows it."),
    ];

    private static readonly ImmutableArray<(string Kind, Field[] Fields)> Control =
    [
        (Start, []),
        (Condition, [Choice("match", "all", "any").WithDefault("all"), new Field("conditions", ConditionType.List).Required()]),
        ("wait", [Integer("minutes", 1, 525_600).Required()]),
        (WaitForReply, [Integer("timeoutMinutes", 1, 525_600).Required()]),
        (End, []),
    ];

    private static readonly VariantType Node = new("kind", [.. Control.AddRange(Actions.All).Select(kind => (kind.Kind, (Field[])[.. OfEveryNode, .. kind.Fields]))])
    {
        Check = Actions.CheckValue,
    };

    private static readonly ObjectType Edge = DocumentType(
        Name("from", 64).Required(),
        Name("to", 64).Required(),
        Choice("when", "true", "false", "replied", "timed_out").About("Which way out of a condition (`true`, `false`) or of a wait for a reply (`replied`, `timed_out`)."));

    public static Field Field() => Document("graph", new Field("nodes", new ListType(Node, MaxNodes, 1)).Required(), List("edges", Edge, MaxEdges).Required())
        .About("One start; every other node is reached from it; a condition has an edge for `true` and one for `false`; no way round without waiting.");

    /// <summary>What is wrong with a graph whose nodes and edges fit by themselves; null when nothing is.</summary>
    public static Problem? Check(ShapeValues graph)
    {
        var errors = new Violations();
        var nodes = graph.Get<ImmutableArray<object>>("nodes").Cast<ShapeValues>().Select((node, index) => new GraphNode(node.Text("id")!, node.Text("kind")!, index)).ToImmutableArray();
        var edges = graph.Get<ImmutableArray<object>>("edges").Cast<ShapeValues>()
            .Select((edge, index) => new GraphEdge(edge.Text("from")!, edge.Text("to")!, edge.Text("when"), index)).ToImmutableArray();
        CheckNodes(nodes, errors);
        if (!errors.Any)
        {
            CheckEdges(nodes.ToDictionary(node => node.Id, StringComparer.Ordinal), edges, errors);
        }
        if (!errors.Any)
        {
            CheckWays(nodes, edges.ToLookup(edge => edge.From, StringComparer.Ordinal), errors);
        }
        return errors.Any ? errors.ToProblem() : null;
    }

    private static void CheckNodes(ImmutableArray<GraphNode> nodes, Violations errors)
    {
        foreach (var twice in nodes.GroupBy(node => node.Id, StringComparer.Ordinal).SelectMany(same => same.Skip(1)))
        {
            errors.Add($"/graph/nodes/{twice.Index}/id", "is the id of another node.");
        }
        if (nodes.Count(node => node.Kind == Start) != 1)
        {
            errors.Add("/graph/nodes", $"must hold exactly one node of kind {Start}.");
        }
    }

    private static void CheckEdges(Dictionary<string, GraphNode> nodes, ImmutableArray<GraphEdge> edges, Violations errors)
    {
        foreach (var edge in edges)
        {
            foreach (var (end, id) in new[] { ("from", edge.From), ("to", edge.To) })
            {
                if (!nodes.ContainsKey(id))
                {
                    errors.Add($"/graph/edges/{edge.Index}/{end}", "names no node of the graph.");
                }
            }
            if (nodes.GetValueOrDefault(edge.To)?.Kind == Start)
            {
                errors.Add($"/graph/edges/{edge.Index}/to", "must not lead to the start.");
            }
        }
        foreach (var node in nodes.Values)
        {
            var ways = edges.Where(edge => edge.From == node.Id).Select(edge => edge.When).ToArray();
            string?[][] allowed = node.Kind switch
            {
                End => [[]],
                Condition => [["true", "false"]],
                WaitForReply => [["replied", "timed_out"]],
                Start => [[null]],
                _ => [[], [null]],
            };
            if (!allowed.Any(set => set.Length == ways.Length && !set.Except(ways).Any()))
            {
                errors.Add($"/graph/nodes/{node.Index}", node.Kind switch
                {
                    End => "is an end: no edge may leave it.",
                    Condition => "must have two edges that leave it, one when true and one when false.",
                    WaitForReply => "must have two edges that leave it, one when replied and one when timed_out.",
                    Start => "must have one edge that leaves it, without when.",
                    _ => "must have at most one edge that leaves it, without when.",
                });
            }
        }
    }

    /// <summary>Every node is reached from the start, and who comes back to a node has waited on the way.</summary>
    private static void CheckWays(ImmutableArray<GraphNode> nodes, ILookup<string, GraphEdge> leaving, Violations errors)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var ahead = new Stack<string>([nodes.First(node => node.Kind == Start).Id]);
        while (ahead.TryPop(out var id))
        {
            if (reached.Add(id))
            {
                foreach (var edge in leaving[id])
                {
                    ahead.Push(edge.To);
                }
            }
        }
        foreach (var lost in nodes.Where(node => !reached.Contains(node.Id)))
        {
            errors.Add($"/graph/nodes/{lost.Index}", "is not reached from the start.");
        }

        // Nodes that don't wait, taken away as long as nothing that is left leads to them: what stays goes round without waiting.
        var left = nodes.Where(node => node.Kind is not ("wait" or WaitForReply)).ToDictionary(node => node.Id, StringComparer.Ordinal);
        while (left.Values.FirstOrDefault(node => !left.Keys.Any(other => leaving[other].Any(edge => edge.To == node.Id))) is { } free)
        {
            left.Remove(free.Id);
        }
        // Of those, the nodes behind a circle lead nowhere in it.
        while (left.Values.FirstOrDefault(node => !leaving[node.Id].Any(edge => left.ContainsKey(edge.To))) is { } behind)
        {
            left.Remove(behind.Id);
        }
        foreach (var round in left.Values.OrderBy(node => node.Index))
        {
            errors.Add($"/graph/nodes/{round.Index}", "is on a way that comes back to it without waiting.");
        }
    }

    private sealed record GraphNode(string Id, string Kind, int Index);

    private sealed record GraphEdge(string From, string To, string? When, int Index);
}
