using System.Text.Json.Nodes;
using static AgentPlatform.Api.Crm.ActivityResource;
using static AgentPlatform.Api.Crm.ClientResource;
using static AgentPlatform.Api.Crm.DealResource;
using static AgentPlatform.Api.Crm.NoteResource;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>Activities, tasks and notes: whose they are, who does them, and how they end.</summary>
internal static class WorkRules
{
    private const string IsOfTheDealsClient = "SELECT bool_and(a.client_id = {client}) FROM activities a WHERE a.deal_id = {deal}";

    public static readonly RuleCase[] All =
    [
        new("what is done has its time, and nothing else has", Activities, Outcome.Settled, NewTask)
        {
            Create = scene => Body(scene, new { status = "completed" }),
            Change = _ => new() { ["status"] = "completed" },
            Actions = [("complete", _ => [])],
            ActionOutcome = Outcome.Settled,
            Holds = "SELECT bool_and((a.status = 'completed') = (a.completed_at IS NOT NULL)) AND bool_or(a.status = 'completed') FROM activities a WHERE a.client_id = {client}",
        },
        new("nobody writes when a task was done", Activities, Outcome.Ignored, NewTask)
        {
            Create = scene => Body(scene, new { completedAt = "2020-01-01T00:00:00Z" }),
            Change = _ => new() { ["completedAt"] = "2020-01-01T00:00:00Z" },
            Holds = "SELECT bool_and(a.completed_at IS NULL) FROM activities a WHERE a.client_id = {client}",
        },
        new("what is done is opened again before it is given up", Activities, Outcome.Refused, async (world, scene) =>
        {
            await NewTask(world, scene);
            await world.Act("activities", scene["row"], "complete", new { });
        })
        {
            Change = _ => new() { ["status"] = "cancelled" },
            Actions = [("cancel", _ => [])],
            Holds = "SELECT a.status = 'completed' FROM activities a WHERE a.id = {row}",
        },
        new("what is given up is opened again before it is done", Activities, Outcome.Refused, async (world, scene) =>
        {
            await NewTask(world, scene);
            await world.Act("activities", scene["row"], "cancel", new { });
        })
        {
            Change = _ => new() { ["status"] = "completed" },
            Actions = [("complete", _ => [])],
            Holds = "SELECT a.status = 'cancelled' FROM activities a WHERE a.id = {row}",
        },
        new("a task is a member's", Activities, Outcome.Refused, NewTask)
        {
            Create = scene => Body(scene, new { assignedTo = scene["stranger"] }),
            Change = scene => new() { ["assignedTo"] = scene["stranger"].ToString() },
            Actions = [("assign", scene => new() { ["assignedTo"] = scene["stranger"].ToString() })],
            Holds = "SELECT count(*) = 0 FROM activities a WHERE a.assigned_to = {stranger}",
        },
        new("a client is looked after by a member", Clients, Outcome.Refused, async (world, scene) =>
        {
            await NewTask(world, scene);
            scene["row"] = scene["client"];
        })
        {
            Create = scene => new() { ["assignedTo"] = scene["stranger"].ToString() },
            Change = scene => new() { ["assignedTo"] = scene["stranger"].ToString() },
            Actions = [("assign", scene => new() { ["assignedTo"] = scene["stranger"].ToString() }), ("convert", scene => new() { ["assignedTo"] = scene["stranger"].ToString() })],
            Holds = "SELECT count(*) = 0 FROM clients c WHERE c.assigned_to = {stranger}",
        },
        new("a deal is a member's", Deals, Outcome.Refused, async (world, scene) =>
        {
            await NewTask(world, scene);
            scene["row"] = await world.NewDeal(scene["client"], new { externalId = scene.Mark });
        })
        {
            Create = scene => new() { ["clientId"] = scene["client"].ToString(), ["name"] = "Deal", ["ownerId"] = scene["stranger"].ToString() },
            Change = scene => new() { ["ownerId"] = scene["stranger"].ToString() },
            Holds = "SELECT count(*) = 0 FROM deals d WHERE d.owner_id = {stranger}",
        },
        new("an activity of a deal is not another client's", Activities, Outcome.Refused, OfDeal)
        {
            Create = scene => new() { ["activityType"] = "task", ["subject"] = "Call", ["dealId"] = scene["deal"].ToString(), ["clientId"] = scene["other"].ToString() },
            Change = scene => new() { ["clientId"] = scene["other"].ToString() },
            Holds = IsOfTheDealsClient,
        },
        new("an activity of a deal is the deal's client's", Activities, Outcome.Settled, OfDeal)
        {
            Create = scene => new() { ["activityType"] = "task", ["subject"] = "Call", ["dealId"] = scene["deal"].ToString() },
            Change = _ => new() { ["clientId"] = null },
            Holds = IsOfTheDealsClient,
        },
        new("an activity is contact with its client", Activities, Outcome.Settled, async (world, scene) =>
        {
            scene["client"] = await world.NewClient();
            scene["row"] = await world.New("activities", new { activityType = "call", subject = "Call" });
        })
        {
            Create = scene => Body(scene, new { }),
            Change = scene => new() { ["clientId"] = scene["client"].ToString() },
            Holds = "SELECT c.last_contact_date IS NOT NULL FROM clients c WHERE c.id = {client}",
        },
        new("only calls have what is said of calls", Activities, Outcome.Refused, NewTask)
        {
            Create = scene => Body(scene, new { callOutcome = "busy" }),
            Change = _ => new() { ["callDurationSeconds"] = 5 },
            Actions = [("complete", _ => new() { ["callOutcome"] = "answered" })],
            Holds = "SELECT bool_and(num_nonnulls(a.call_outcome, a.call_duration_seconds) = 0) FROM activities a WHERE a.client_id = {client}",
        },
        new("a note is about somebody", Notes, Outcome.Refused, (_, _) => Task.CompletedTask)
        {
            Create = scene => new() { ["content"] = scene.Mark },
            Holds = "SELECT count(*) = 0 FROM notes n WHERE n.content = '{mark}'",
        },
        new("a note says something", Notes, Outcome.Refused, NewNote)
        {
            Create = scene => new() { ["clientId"] = scene["client"].ToString(), ["content"] = "  " },
            Change = _ => new() { ["content"] = " " },
            Holds = "SELECT bool_and(n.content = 'Eats no meat.') FROM notes n WHERE n.client_id = {client}",
        },
        new("a note about a deal is about its client", Notes, Outcome.Refused, OfDeal)
        {
            Create = scene => new() { ["content"] = scene.Mark, ["dealId"] = scene["deal"].ToString(), ["clientId"] = scene["other"].ToString() },
            Holds = "SELECT count(*) = 0 FROM notes n WHERE n.content = '{mark}'",
        },
        new("a pinned note stands before newer ones", Notes, Outcome.Settled, NewNote)
        {
            Create = scene => new() { ["clientId"] = scene["client"].ToString(), ["content"] = "Pinned", ["isPinned"] = true },
            Change = _ => new() { ["content"] = "Pinned", ["isPinned"] = true },
            Actions = [("pin", _ => [])],
            ActionOutcome = Outcome.Settled,
            Holds = "SELECT (array_agg(n.is_pinned ORDER BY n.is_pinned DESC, n.id DESC))[1] FROM notes n WHERE n.client_id = {client}",
        },
    ];

    private static async Task NewTask(RuleWorld world, Scene scene)
    {
        scene["client"] = await world.NewClient(new { phone = scene.Phone });
        scene["stranger"] = world.Stranger.OwnerId;
        scene["row"] = await world.New("activities", Body(scene, new { dueDate = "2030-01-01T00:00:00Z" }));
    }

    private static async Task NewNote(RuleWorld world, Scene scene)
    {
        scene["client"] = await world.NewClient();
        scene["row"] = await world.New("notes", new { clientId = scene["client"], content = "Eats no meat." });
    }

    /// <summary>A deal of one client with a task of it, and another client.</summary>
    private static async Task OfDeal(RuleWorld world, Scene scene)
    {
        (scene["client"], scene["other"]) = (await world.NewClient(), await world.NewClient());
        scene["deal"] = await world.NewDeal(scene["client"]);
        scene["row"] = await world.New("activities", new { activityType = "task", subject = "Call", dealId = scene["deal"] });
    }

    private static JsonObject Body(Scene scene, object body) => RuleWorld.With(new JsonObject { ["activityType"] = "task", ["subject"] = "Call", ["clientId"] = scene["client"].ToString() }, body);
}
