using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.ActivityLogs;

/// <summary>Who changed what, from where.</summary>
internal static class ActivityLogResource
{
    public static readonly Resource ActivityLogs = new()
    {
        Path = "activity-logs",
        Singular = "activityLog",
        Plural = "activityLogs",
        Table = "activity_logs",
        HasVersion = false,
        HasUpdatedAt = false,
        Description = "Who changed what, from where. Rows are written with the change itself and never changed.",
        Read = Role.Manager,
        Fields =
        [
            Reference("userId", "users").Nullable().ReadOnly().Filtered(),
            Reference("agentId", "agents").Nullable().ReadOnly(),
            Text("actionType", 100).ReadOnly().Filtered().About("For example `agent.updated`."),
            Text("entityType", 100).Nullable().ReadOnly().Filtered(),
            Uuid("entityId").Nullable().ReadOnly().Filtered(),
            Json("before").Nullable().ReadOnly(),
            Json("after").Nullable().ReadOnly(),
            Text("ipAddress", 50).Nullable().ReadOnly() with { Expression = "host(t.ip_address)" },
            Text("userAgent", 500).Nullable().ReadOnly(),
            Uuid("apiKeyId").Nullable().ReadOnly().About("The API key that acted for the person."),
            Json("metadata").ReadOnly(),
            Choice("origin", "here", "archive").ReadOnly().Filtered().About("`archive`: an import brought the row, and it says what the archive says. `here`: the product wrote it as it happened.")
                with { Expression = "CASE WHEN t.imported_in IS NULL THEN 'here' ELSE 'archive' END" },
            Uuid("importedIn").Nullable().ReadOnly().About("The job that brought the row."),
            Text("importedActor", 254).Nullable().ReadOnly().About("Who did it, as the archive tells: an e-mail address."),
        ],
    };
}
