using System.Text.Json.Nodes;
using static AgentPlatform.Api.Crm.DealResource;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>Stages, probabilities, and why a deal was won or lost.</summary>
internal static class DealRules
{
    public static readonly RuleCase[] All =
    [
        new("a won deal has a reason", Deals, Outcome.Refused, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { stage = "closed_won", lostReason = "price" }),
            Change = _ => new() { ["stage"] = "closed_won" },
            Actions = [("win", _ => []), ("win", _ => new() { ["wonReason"] = " " })],
            Holds = "SELECT bool_and(d.stage <> 'closed_won') FROM deals d WHERE d.client_id = {client}",
        },
        new("a lost deal has a reason", Deals, Outcome.Refused, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { stage = "closed_lost", wonReason = "price" }),
            Change = _ => new() { ["stage"] = "closed_lost", ["lostReasonDetails"] = "They went elsewhere." },
            Actions = [("lose", _ => []), ("lose", _ => new() { ["lostReason"] = "" })],
            Holds = "SELECT bool_and(d.stage <> 'closed_lost') FROM deals d WHERE d.client_id = {client}",
        },
        new("a won deal keeps its reason", Deals, Outcome.Refused, (world, scene) => OpenDeal(world, scene, new { stage = "closed_won", wonReason = "price" }))
        {
            Change = _ => new() { ["wonReason"] = " " },
            Holds = "SELECT d.won_reason = 'price' FROM deals d WHERE d.id = {row}",
        },
        new("a deal is not won and lost", Deals, Outcome.Settled, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { stage = "closed_won", wonReason = "price", lostReason = "price", lostReasonDetails = "both" }),
            Change = _ => new() { ["stage"] = "closed_won", ["wonReason"] = "price", ["lostReason"] = "price", ["lostReasonDetails"] = "both" },
            Holds = "SELECT bool_and(d.lost_reason IS NULL AND d.lost_reason_details IS NULL AND d.won_reason = 'price') FROM deals d WHERE d.client_id = {client} AND d.stage = 'closed_won'",
        },
        new("a lost deal is opened again before it is won", Deals, Outcome.Refused, (world, scene) => OpenDeal(world, scene, new { stage = "closed_lost", lostReason = "price" }))
        {
            Change = _ => new() { ["stage"] = "closed_won", ["wonReason"] = "price" },
            Actions = [("win", _ => new() { ["wonReason"] = "price" })],
            Holds = "SELECT d.stage = 'closed_lost' FROM deals d WHERE d.id = {row}",
        },
        new("a deal that is opened again forgets why and when it was closed", Deals, Outcome.Settled, (world, scene) => OpenDeal(world, scene, new { stage = "closed_lost", lostReason = "price", lostReasonDetails = "more" }))
        {
            Change = _ => new() { ["stage"] = "proposal" },
            Actions = [("move", _ => new() { ["stage"] = "proposal" })],
            ActionOutcome = Outcome.Settled,
            Holds = "SELECT d.lost_reason IS NULL AND d.lost_reason_details IS NULL AND d.actual_close_date IS NULL AND d.probability = 50 FROM deals d WHERE d.id = {row}",
        },
        new("an open deal has no day on which it was closed", Deals, Outcome.Settled, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { actualCloseDate = "2026-01-01" }),
            Change = _ => new() { ["actualCloseDate"] = "2026-01-01" },
            Holds = "SELECT bool_and(d.actual_close_date IS NULL) FROM deals d WHERE d.client_id = {client}",
        },
        new("what is won is certain", Deals, Outcome.Settled, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { stage = "closed_won", wonReason = "price", probability = 5 }),
            Change = _ => new() { ["stage"] = "closed_won", ["wonReason"] = "price", ["probability"] = 5 },
            Holds = "SELECT bool_and(d.probability = 100) FROM deals d WHERE d.client_id = {client} AND d.stage = 'closed_won'",
        },
        new("what is closed stays certain", Deals, Outcome.Refused, (world, scene) => OpenDeal(world, scene, new { stage = "closed_lost", lostReason = "price" }))
        {
            Change = _ => new() { ["probability"] = 50 },
            Holds = "SELECT d.probability = 0 FROM deals d WHERE d.id = {row}",
        },
        new("a probability is one", Deals, Outcome.Refused, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { probability = 101 }),
            Change = _ => new() { ["probability"] = -1 },
            Actions = [("move", _ => new() { ["stage"] = "proposal", ["probability"] = 101 })],
            Holds = "SELECT bool_and(d.probability BETWEEN 0 AND 100) FROM deals d WHERE d.client_id = {client}",
        },
        new("a stage brings its probability", Deals, Outcome.Settled, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { stage = "negotiation" }),
            Change = _ => new() { ["stage"] = "negotiation" },
            Actions = [("move", _ => new() { ["stage"] = "negotiation" })],
            ActionOutcome = Outcome.Settled,
            Holds = "SELECT bool_and(d.probability = 75) FROM deals d WHERE d.client_id = {client} AND d.stage = 'negotiation'",
        },
        new("a probability that is given with a stage counts, even the one before", Deals, Outcome.Settled, (world, scene) => OpenDeal(world, scene, new { probability = 33 }))
        {
            Change = _ => new() { ["stage"] = "negotiation", ["probability"] = 33 },
            Actions = [("move", _ => new() { ["stage"] = "proposal", ["probability"] = 33 })],
            ActionOutcome = Outcome.Settled,
            Holds = "SELECT d.probability = 33 AND d.stage <> 'prospecting' FROM deals d WHERE d.id = {row}",
        },
        new("a stage is a known one", Deals, Outcome.Refused, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { stage = "hope" }),
            Change = _ => new() { ["stage"] = "hope" },
            Actions = [("move", _ => new() { ["stage"] = "closed_won" })],
            Holds = "SELECT bool_and(d.stage = 'prospecting') FROM deals d WHERE d.client_id = {client}",
        },
        new("nobody writes when a stage changed", Deals, Outcome.Ignored, (world, scene) => OpenDeal(world, scene))
        {
            Change = _ => new() { ["stageChangedAt"] = "2001-01-01T00:00:00Z" },
            Holds = "SELECT d.stage_changed_at > now() - interval '1 hour' FROM deals d WHERE d.id = {row}",
        },
        new("a stage is in the history, whoever changes it", Deals, Outcome.Settled, (world, scene) => OpenDeal(world, scene))
        {
            Create = scene => Deal(scene, new { stage = "proposal" }),
            Change = _ => new() { ["stage"] = "proposal" },
            Actions = [("move", _ => new() { ["stage"] = "proposal" })],
            ActionOutcome = Outcome.Settled,
            Holds = "SELECT bool_and((SELECT h.to_stage FROM deal_stage_history h WHERE h.deal_id = d.id ORDER BY (h.from_stage IS NOT NULL) DESC LIMIT 1) = d.stage) FROM deals d WHERE d.client_id = {client}",
        },
        new("a deal with orders stays its client's", Deals, Outcome.Refused, async (world, scene) =>
        {
            await OpenDeal(world, scene);
            scene["other"] = await world.NewClient();
            await world.New("orders", new { clientId = scene["client"], dealId = scene["row"], orderNumber = scene.Mark });
        })
        {
            Change = scene => new() { ["clientId"] = scene["other"].ToString() },
            Holds = "SELECT d.client_id = {client} FROM deals d WHERE d.id = {row}",
        },
        new("a deal is known once by what another CRM calls it", Deals, Outcome.Refused, async (world, scene) =>
        {
            await OpenDeal(world, scene);
            await world.NewDeal(scene["client"], new { externalId = $"taken {scene.Mark}" });
        })
        {
            Create = scene => Deal(scene, new { externalId = $"taken {scene.Mark}" }),
            Holds = "SELECT count(*) = 1 FROM deals d WHERE d.external_id = 'taken {mark}'",
        },
    ];

    /// <summary>A deal of its own client, known to another CRM.</summary>
    private static async Task OpenDeal(RuleWorld world, Scene scene, object? body = null)
    {
        scene["client"] = await world.NewClient();
        scene["row"] = await world.NewDeal(scene["client"], RuleWorld.With(new JsonObject { ["externalId"] = scene.Mark }, body));
    }

    private static JsonObject Deal(Scene scene, object body) => RuleWorld.With(new JsonObject { ["clientId"] = scene["client"].ToString(), ["name"] = "Deal" }, body);
}
