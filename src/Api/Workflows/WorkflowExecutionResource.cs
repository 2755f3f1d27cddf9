using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Workflows;

/// <summary>Runs of workflows. The engine alone writes them.</summary>
internal static class WorkflowExecutionResource
{
    public static readonly Resource WorkflowExecutions = new()
    {
        Path = "executions",
        Singular = "workflowExecution",
        Plural = "workflowExecutions",
        Table = "workflow_executions",
        HasVersion = false,
        Parent = new("workflows", "workflows", "workflow_id"),
        Description = "Runs of a workflow, newest first. One alone also tells what each node did.",
        Fields =
        [
            Reference("workflowId", "workflows").ReadOnly(),
            Long("workflowVersion").ReadOnly(),
            Reference("conversationId", "conversations").Nullable().ReadOnly().Filtered(),
            Reference("clientId", "clients").Nullable().ReadOnly().Filtered(),
            Choice("status", "pending", "running", "waiting", "completed", "failed", "cancelled").ReadOnly().Filtered(),
            Text("currentNode", 64).Nullable().ReadOnly(),
            Json("context").ReadOnly().Detail(),
            AnyJson("steps").ReadOnly().Detail().About("What each node did, in order."),
            Text("error", 4000).Nullable().ReadOnly(),
            Timestamp("startedAt").Nullable().ReadOnly(),
            Timestamp("finishedAt").Nullable().ReadOnly(),
        ],
    };
}
