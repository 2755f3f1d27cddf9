using System.Text.Json.Nodes;
using static AgentPlatform.Api.Crm.ClientResource;
using static AgentPlatform.Api.Crm.OrderResource;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>Totals add up, orders move forward, and clients have brought in what their orders say.</summary>
internal static class OrderRules
{
    private const string SumsAddUp = "SELECT bool_and(o.total = o.subtotal + o.tax + o.shipping - o.discount AND o.total >= 0 AND (o.items IS NULL OR o.subtotal = order_subtotal(o.items, o.currency))";

    private const string OfTheClient = ") FROM orders o WHERE o.client_id = {client}";

    private const string RevenueFollows =
        "SELECT bool_and(c.total_revenue = calculate_client_ltv(c.id) AND c.total_orders = (SELECT count(*) FROM orders o WHERE o.client_id = c.id AND o.status NOT IN ('cancelled', 'refunded'))) FROM clients c WHERE c.id IN ({client}, {other})";

    public static readonly RuleCase[] All =
    [
        new("the subtotal is that of the items", Orders, Outcome.Settled, (world, scene) => NewOrder(world, scene))
        {
            Create = scene => Order(scene, new { items = Items(2, 10.5m), subtotal = 1, tax = 1 }),
            Change = _ => new() { ["items"] = Items(3, 7m), ["subtotal"] = 1 },
            Holds = SumsAddUp + " AND o.subtotal IN (21, 100)" + OfTheClient,
        },
        new("a subtotal does not go against the items that are there", Orders, Outcome.Settled, (world, scene) => NewOrder(world, scene, new { items = Items(4, 25m) }))
        {
            Change = _ => new() { ["subtotal"] = 7 },
            Holds = SumsAddUp + " AND o.subtotal = 100" + OfTheClient,
        },
        new("nobody writes a total", Orders, Outcome.Ignored, (world, scene) => NewOrder(world, scene))
        {
            Create = scene => Order(scene, new { subtotal = 10, total = 999 }),
            Change = _ => new() { ["total"] = 999 },
            Holds = SumsAddUp + OfTheClient,
        },
        new("a discount is not above the price", Orders, Outcome.Refused, (world, scene) => NewOrder(world, scene))
        {
            Create = scene => Order(scene, new { subtotal = 10, discount = 11 }),
            Change = _ => new() { ["discount"] = 100.01 },
            Holds = SumsAddUp + OfTheClient,
        },
        new("items have a quantity and a price", Orders, Outcome.Refused, (world, scene) => NewOrder(world, scene))
        {
            Create = scene => Order(scene, new { items = Items(0, 10m) }),
            Change = _ => new() { ["items"] = Items(1, -1m) },
            Holds = SumsAddUp + OfTheClient,
        },
        new("an order moves forward", Orders, Outcome.Refused, (world, scene) => NewOrder(world, scene, new { status = "delivered" }))
        {
            Change = _ => new() { ["status"] = "pending" },
            Actions = [("ship", _ => []), ("cancel", _ => [])],
            Holds = "SELECT o.status = 'delivered' FROM orders o WHERE o.id = {row}",
        },
        new("what is shipped is not cancelled", Orders, Outcome.Refused, (world, scene) => NewOrder(world, scene, new { status = "shipped" }))
        {
            Change = _ => new() { ["status"] = "cancelled" },
            Actions = [("cancel", _ => [])],
            Holds = "SELECT o.status = 'shipped' FROM orders o WHERE o.id = {row}",
        },
        new("managers refund", Orders, Outcome.Refused, async (world, scene) =>
        {
            await NewOrder(world, scene, new { status = "delivered" });
            scene.Actor = world.Member;
        })
        {
            HoldsInSql = false,
            Change = _ => new() { ["status"] = "refunded" },
            Holds = "SELECT o.status = 'delivered' FROM orders o WHERE o.id = {row}",
        },
        new("a number is one order's", Orders, Outcome.Refused, async (world, scene) =>
        {
            await NewOrder(world, scene);
            await world.New("orders", new { clientId = scene["client"], orderNumber = $"taken {scene.Mark}" });
        })
        {
            Create = scene => Order(scene, new { orderNumber = $"taken {scene.Mark}" }),
            Holds = "SELECT count(*) = 1 FROM orders o WHERE o.order_number = 'taken {mark}'",
        },
        new("a shop's number is one order's", Orders, Outcome.Refused, async (world, scene) =>
        {
            await NewOrder(world, scene);
            await world.New("orders", new { clientId = scene["client"], orderNumber = $"shop {scene.Mark}", ecommerceOrderId = $"taken {scene.Mark}" });
        })
        {
            Create = scene => Order(scene, new { ecommerceOrderId = $"taken {scene.Mark}" }),
            Change = scene => new() { ["ecommerceOrderId"] = $"taken {scene.Mark}" },
            Holds = "SELECT count(*) = 1 FROM orders o WHERE o.ecommerce_order_id = 'taken {mark}'",
        },
        new("an order of a deal is the deal's client's", Orders, Outcome.Refused, async (world, scene) =>
        {
            await NewOrder(world, scene);
            scene["deal"] = await world.NewDeal(scene["other"]);
        })
        {
            Create = scene => Order(scene, new { dealId = scene["deal"] }),
            Change = scene => new() { ["dealId"] = scene["deal"].ToString() },
            Holds = "SELECT count(*) = 0 FROM orders o WHERE o.deal_id = {deal}",
        },
        new("an order that goes to another client takes its revenue along", Orders, Outcome.Settled, (world, scene) => NewOrder(world, scene))
        {
            Create = scene => Order(scene, new { subtotal = 5 }),
            Change = scene => new() { ["clientId"] = scene["other"].ToString(), ["tax"] = 3 },
            Holds = RevenueFollows,
        },
        new("an order that is cancelled brings in nothing", Orders, Outcome.Settled, (world, scene) => NewOrder(world, scene))
        {
            Create = scene => Order(scene, new { subtotal = 5, status = "cancelled" }),
            Change = _ => new() { ["status"] = "cancelled" },
            Actions = [("cancel", _ => [])],
            ActionOutcome = Outcome.Settled,
            Holds = RevenueFollows,
        },
        new("nobody writes what a client has brought in", Clients, Outcome.Ignored, async (world, scene) =>
        {
            await NewOrder(world, scene);
            scene["row"] = scene["client"];
        })
        {
            Create = scene => new() { ["firstName"] = "Rich", ["source"] = scene.Mark, ["totalRevenue"] = 999, ["totalOrders"] = 9, ["averageOrderValue"] = 111 },
            Change = _ => new() { ["totalRevenue"] = 999, ["totalOrders"] = 9, ["averageOrderValue"] = 111 },
            Holds = $"{RevenueFollows} AND NOT EXISTS (SELECT FROM clients c WHERE c.source = '{{mark}}' AND c.total_revenue + c.total_orders + c.average_order_value <> 0)",
        },
    ];

    /// <summary>An order of 100 of its own client, and another client.</summary>
    private static async Task NewOrder(RuleWorld world, Scene scene, object? body = null)
    {
        (scene["client"], scene["other"]) = (await world.NewClient(new { phone = scene.Phone }), await world.NewClient());
        scene["row"] = await world.New("orders", RuleWorld.With(new JsonObject { ["clientId"] = scene["client"].ToString(), ["orderNumber"] = scene.Mark, ["subtotal"] = 100 }, body));
    }

    private static JsonObject Order(Scene scene, object body) => RuleWorld.With(new JsonObject { ["clientId"] = scene["client"].ToString(), ["orderNumber"] = $"new {scene.Mark}" }, body);

    private static JsonArray Items(decimal quantity, decimal price) => new(new JsonObject { ["name"] = "Tent", ["quantity"] = quantity, ["unitPrice"] = price });
}
