using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Billing;

/// <summary>What was told about limits, each once for a period.</summary>
internal static class UsageAlertResource
{
    public static readonly Resource UsageAlerts = new()
    {
        Path = "usage-alerts",
        Singular = "usageAlert",
        Plural = "usageAlerts",
        Table = "usage_alerts",
        HasVersion = false,
        HasUpdatedAt = false,
        Description = "What admins were told about limits and the subscription, each once for a period.",
        Read = Role.Manager,
        Fields =
        [
            Choice("kind", "tokens", "conversations", "subscription").ReadOnly().Filtered(),
            Choice("level", "warning", "limit", "past_due", "unpaid", "canceled", "paused", "incomplete").ReadOnly().Filtered(),
            Date("periodStart").ReadOnly(),
            Long("used").Nullable().ReadOnly().About("When it was noticed."),
            Long("quota").Nullable().ReadOnly(),
        ],
    };
}
