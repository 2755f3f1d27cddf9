using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>How clients came to their statuses.</summary>
internal static class ClientStatusChangeResource
{
    public static readonly Resource ClientStatusChanges = new()
    {
        Path = "client-status-changes",
        Singular = "clientStatusChange",
        Plural = "clientStatusChanges",
        Table = "client_status_history",
        HasVersion = false,
        HasUpdatedAt = false,
        Description = "How clients came to their statuses. The database writes them with the change itself.",
        Fields =
        [
            Reference("clientId", "clients").ReadOnly().Filtered(),
            Text("oldStatus", 50).Nullable().ReadOnly(),
            Text("newStatus", 50).ReadOnly().Filtered(),
            Choice("changedBy", "ai", "human", "system").ReadOnly().Filtered(),
            Uuid("changedById").Nullable().ReadOnly().Filtered().About("The person or the agent."),
            Text("reason", 2000).Nullable().ReadOnly(),
        ],
    };
}
