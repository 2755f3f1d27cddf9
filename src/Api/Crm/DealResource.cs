using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>What is being sold to a client.</summary>
internal static class DealResource
{
    private static readonly string[] OpenStages = ["prospecting", "qualification", "proposal", "negotiation"];

    public static readonly Resource Deals = new()
    {
        Path = "deals",
        Singular = "deal",
        Plural = "deals",
        Table = "deals",
        Description = "What is being sold to a client. An open deal goes to any stage and takes the stage's probability (10, 25, 50, 75) unless one is given with it; a deal is won or lost for a reason, and goes back to an open stage before it ends otherwise.",
        Import = new("externalId") { Kept = ["createdAt"] },
        KnownBy = ["externalId", "name", "clientId"],
        Create = Role.Member,
        Update = Role.Member,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        Fields =
        [
            Reference("clientId", "clients").Required().Fixed().Filtered(),
            Name("name").Required().Sorted().Searched().FoundBy("compared_name"),
            Text("description", 10_000).Nullable().Searched(),
            Money("dealValue").WithDefault(0).Ranged().Sorted(),
            Currency("currency").WithDefault("USD").Filtered(),
            Choice("stage", [.. OpenStages, "closed_won", "closed_lost"]).WithDefault("prospecting").Filtered(),
            Integer("probability", 0, 100).Ranged().About("Follows the stage unless it is given."),
            Date("expectedCloseDate").Nullable().Ranged().Sorted(),
            Date("actualCloseDate").Nullable().Ranged().About("The day on which it was won or lost; today where the organization is, unless it is given."),
            List("products", new ObjectType(OrderItem.Shape, IsAsGiven: true), OrderItem.Most).Nullable(),
            Reference("ownerId", "users").Nullable().Filtered(),
            Text("wonReason", 2000).Nullable(),
            Text("lostReason", 2000).Nullable(),
            Text("lostReasonDetails", 10_000).Nullable(),
            Text("competitor", 200).Nullable().AsWords().Filtered(),
            BulkTagging.Own(),
            Json("customFields"),
            Reference("pipelineStageId", "crm_pipeline_stages").Nullable().Filtered().About("Where it stands in the other CRM's pipeline."),
            Text("externalId", 200).Nullable().Named().Filtered().About("What it is called in the other CRM."),
            Timestamp("stageChangedAt").ReadOnly().Ranged().Sorted(),
        ],
        Uniques = [new("deals_one_per_external_id", "externalId", "Another deal has this external id.")],
        Checks =
        [
            new("won_deal_has_a_reason", "wonReason", "/wonReason must say why the deal is won."),
            new("lost_deal_has_a_reason", "lostReason", "/lostReason must say why the deal is lost."),
            new("closed_deal_is_certain", "probability", "/probability of a closed deal is 100 or 0."),
            new("closed_deal_is_reopened_first", "stage", IsAboutState: true),
            new("assignee_is_a_member", "ownerId", "/ownerId names nothing in this organization."),
        ],
        Actions =
        [
            new("move", "Move the deal to an open stage", Move)
            {
                Past = "moved",
                Description = "A deal that was closed is open again: why and when it was closed is forgotten, and stays in its history.",
                Body = new(Choice("stage", OpenStages).Required(), Integer("probability", 0, 100), Notes),
            },
            new("win", "Win the deal", change => Close(change, "closed_won"))
            {
                Past = "won",
                Body = new(Prose("wonReason", 2000).Required(), Money("dealValue"), Date("actualCloseDate"), Notes),
            },
            new("lose", "Lose the deal", change => Close(change, "closed_lost"))
            {
                Past = "lost",
                Body = new(Prose("lostReason", 2000).Required(), Text("lostReasonDetails", 10_000).Nullable(), Text("competitor", 200).Nullable().AsWords(), Date("actualCloseDate"), Notes),
            },
        ],
    };

    private static Field Notes => Text("notes", 2000).Nullable().About("For the history of its stages.");

    private static async Task<Problem?> Move(ResourceChange change)
    {
        change.Take("stage", "probability");
        await change.Because(change.Given.Text("notes"));
        return null;
    }

    private static async Task<Problem?> Close(ResourceChange change, string stage)
    {
        change.Set("stage", stage);
        change.Take("wonReason", "lostReason", "lostReasonDetails", "competitor", "dealValue", "actualCloseDate");
        await change.Because(change.Given.Text("notes"));
        return null;
    }
}
