using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
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
            MailedName("name"),
            Text("slug", 100).ReadOnly(),
            Url("logo").Nullable(),
            Matching("country", "^[A-Z]{2}$", "a country code of two letters", "ES", 2).Nullable(),
            Matching("timeZone", @"^[A-Za-z0-9_+\-/]{1,64}$", "an IANA time zone", "Europe/Madrid", 64).About("IANA name. Business hours and days are in this time zone."),
            Flag("aiEnabled").About("Off: no agent answers in any channel."),
            Reference("defaultAgentId", "agents").Nullable().About("Who answers in channels that name no agent, while its status is `active`; otherwise, and for null, the first active agent does."),
            Uuid("answeringAgentId").Nullable().ReadOnly().About("Who answers in channels that name no agent, as things stand.") with { Expression = "default_agent_of(t.id, t.default_agent_id)" },
            Flag("createActivitiesFromMessages").About("Each answer of the AI becomes an activity of its client. Off unless switched on."),
            new("allowedOrigins", new TextListType(100, new TextType(300, Pattern: @"^https?://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$", Form: "an origin, such as https://app.example.com", Example: "https://app.example.com") { Spelling = WebOrigin.Spelling }))
            {
                Description = "Sites whose pages may call the API with what they are given: an API key, or a member's sign-in. Scheme, host and port where it isn't the usual one.",
            },
            Json("settings"),
            Kept("messages"),
            Kept("turns"),
            Kept("activityLogs"),
            Kept("idempotencyKeys"),
            Kept("files"),
        ],
        BeforeWrite = Check,
    };

    private static async Task<Problem?> Check(ResourceChange change)
    {
        if (change.Values.Text("timeZone") is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            return Problem.Invalid("/timeZone", "/timeZone must be an IANA time zone, such as Europe/Madrid.");
        }
        return change.Values.Id("defaultAgentId") is { } agent && await IsOfOneChannel(change, agent)
            ? Problem.Invalid("/defaultAgentId", "/defaultAgentId names an agent that belongs to one channel.")
            : null;
    }

    private static async Task<bool> IsOfOneChannel(ResourceChange change, Guid agent)
    {
        await using var rows = await change.Session.QueryAsync("SELECT FROM agents WHERE id = $1 AND channel_id IS NOT NULL", change.Request.Cancelled, agent);
        return await rows.ReadAsync(change.Request.Cancelled);
    }

    private static Shapes.Field Kept(string what) => Integer($"{what}KeptDays", 1, 36_500).Nullable().About("Older ones are deleted by a daily job; null keeps them for ever.");
}
