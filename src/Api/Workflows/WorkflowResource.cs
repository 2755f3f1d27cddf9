using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Automation;
using AgentPlatform.Api.Channels;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Workflows;

/// <summary>Graphs of steps.</summary>
internal static class WorkflowResource
{
    private static readonly string[] Triggers =
    [
        "conversation_started", "message_received", "conversation_escalated", "conversation_completed", "client_status_changed", "deal_stage_changed", Schedules.TimeBased, "manual",
    ];

    public static readonly Resource Workflows = new()
    {
        Path = "workflows",
        Singular = "workflow",
        Plural = "workflows",
        Table = "workflows",
        Description = "Graphs of steps that begin when something happens in a conversation. An execution keeps to the version of the graph with which it began.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Reference("agentId", "agents").Nullable().Filtered().About("Who speaks; null for the channel's agent."),
            Name("name").Required().Sorted().Searched(),
            Text("description", 4000).Nullable(),
            Choice("status", "draft", "active", "inactive", "archived").WithDefault("draft").Filtered(),
            Choice("triggerType", Triggers).Required().Filtered(),
            ConditionType.Group("triggerConditions").About("When it begins; nothing given for always."),
            Schedules.Schedule(),
            WorkflowGraph.Field().Required().Detail(),
        ],
        Example = new()
        {
            ["name"] = "Greet and ask",
            ["triggerType"] = "conversation_started",
            ["graph"] = new JsonObject
            {
                ["nodes"] = new JsonArray(
                    new JsonObject { ["id"] = "start", ["kind"] = "start" },
                    new JsonObject { ["id"] = "ask", ["kind"] = "send_message", ["text"] = "When would you like to travel?" },
                    new JsonObject { ["id"] = "reply", ["kind"] = "wait_for_reply", ["timeoutMinutes"] = 60 },
                    new JsonObject { ["id"] = "tag", ["kind"] = "add_tag", ["tag"] = "answered" },
                    new JsonObject { ["id"] = "end", ["kind"] = "end" }),
                ["edges"] = new JsonArray(
                    new JsonObject { ["from"] = "start", ["to"] = "ask" },
                    new JsonObject { ["from"] = "ask", ["to"] = "reply" },
                    new JsonObject { ["from"] = "reply", ["to"] = "tag", ["when"] = "replied" },
                    new JsonObject { ["from"] = "reply", ["to"] = "end", ["when"] = "timed_out" },
                    new JsonObject { ["from"] = "tag", ["to"] = "end" }),
            },
        },
        BeforeWrite = change => Task.FromResult(change.IsDeletion ? null : Check(change) ?? EndpointCheck.Refusal(change)),
    };

    private static Problem? Check(ResourceChange change) =>
        Schedules.Check(change) ?? (change.Values.Get<ShapeValues>("graph") is { } graph ? WorkflowGraph.Check(graph) : null);
}
