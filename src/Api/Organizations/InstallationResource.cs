using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>The organizations of the installation, as super admins see them: who they are and how much they use, not what they wrote.</summary>
internal static class InstallationResource
{
    public static readonly Resource Organizations = new()
    {
        Path = "organizations",
        Singular = "anyOrganization",
        Plural = "allOrganizations",
        Table = "organizations",
        Source = "organizations_of_installation t",
        IsGlobal = true,
        NeedsSuperAdmin = true,
        NeedsPerson = true,
        Description = "The organizations of this installation. Usage is that of the calendar month (UTC).",
        Fields =
        [
            Text("name", 200).ReadOnly().Sorted().Searched(),
            Text("slug", 100).ReadOnly().Filtered().Searched(),
            Text("country", 2).Nullable().ReadOnly(),
            Text("timeZone", 64).ReadOnly(),
            Choice("status", "active", "suspended").ReadOnly().Filtered(),
            Timestamp("suspendedAt").Nullable().ReadOnly(),
            Text("suspendedReason", 500).Nullable().ReadOnly(),
            Text("plan", 100).Nullable().ReadOnly().Filtered().About("Code of the plan."),
            Choice("subscriptionStatus", "trialing", "active", "past_due", "canceled", "incomplete", "unpaid", "paused").Nullable().ReadOnly().Filtered(),
            Long("conversations").ReadOnly().Sorted().About("Counted in this month."),
            Long("tokens").ReadOnly().Sorted().About("Used in this month."),
            Size("members"),
            Size("agents"),
            Size("channels"),
            Size("clients"),
            (Timestamp("lastMessageAt").Nullable().ReadOnly() with { Expression = OfSize("last_message_at") }).Detail(),
        ],
    };

    private static Field Size(string name) => (Long(name).ReadOnly() with { Expression = OfSize(name) }).Detail();

    private static string OfSize(string column) => $"(SELECT z.{column} FROM organization_size(t.id) z)";
}
