using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>The caller's own organization.</summary>
internal static class OrganizationResource
{
    public static readonly Resource Organization = new()
    {
        Path = "organization",
        Singular = "organization",
        Plural = "organizations",
        Table = "organizations",
        IsTenantItself = true,
        Description = "The organization that you are signed in to.",
        Update = Role.Admin,
        Fields =
        [
            Name("name"),
            Text("slug", 100).ReadOnly(),
            Url("logo").Nullable(),
            Matching("country", "^[A-Z]{2}$", "a country code of two letters", "ES", 2).Nullable(),
            Matching("timeZone", @"^[A-Za-z0-9_+\-/]{1,64}$", "an IANA time zone", "Europe/Madrid", 64).About("IANA name. Business hours and days are reckoned in it."),
            Flag("aiEnabled").About("Off: no agent answers in any channel."),
            Flag("createActivitiesFromMessages").About("Each answer of the AI becomes an activity of its client. Off unless switched on."),
            Json("settings"),
            Kept("messages"),
            Kept("turns"),
            Kept("activityLogs"),
            Kept("idempotencyKeys"),
            Kept("files"),
        ],
        BeforeWrite = change => Task.FromResult(
            change.Values.Text("timeZone") is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)
                ? Problem.Invalid("/timeZone", "/timeZone must be an IANA time zone, such as Europe/Madrid.")
                : null),
    };

    private static Shapes.Field Kept(string what) => Integer($"{what}KeptDays", 1, 36_500).Nullable().About("Older ones are deleted by a daily job; null keeps them for ever.");
}
