using System.Text.Json.Nodes;
using static AgentPlatform.Api.Crm.ClientProductResource;
using static AgentPlatform.Api.Crm.ClientTourResource;
using static AgentPlatform.Api.Crm.TourResource;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>Places are never sold twice; bookings and interest move along their order.</summary>
internal static class TourRules
{
    private const string PlacesAreCounted =
        "SELECT t.current_participants <= t.max_participants AND (t.status = 'full') = (t.current_participants = t.max_participants) AND t.current_participants = (SELECT sum(held_places(b.status, b.participants)) FROM client_tours b WHERE b.tour_id = t.id) FROM tours t WHERE t.id = {tour}";

    public static readonly RuleCase[] All =
    [
        new("a full tour takes nobody more", ClientTours, Outcome.Refused, FullTour)
        {
            Create = scene => Booking(scene, "client", "booked"),
            Change = _ => new() { ["status"] = "booked" },
            Actions = [("book", _ => [])],
            Holds = PlacesAreCounted,
        },
        new("a booking takes no more places than there are", ClientTours, Outcome.Refused, async (world, scene) =>
        {
            scene["tour"] = await world.NewTour(new { maxParticipants = 2 });
            scene["row"] = await world.NewBooking(scene["tour"], "booked");
            scene["client"] = await world.NewClient();
        })
        {
            Create = scene => RuleWorld.With(Booking(scene, "client", "confirmed"), new { participants = 2 }),
            Change = _ => new() { ["participants"] = 3 },
            Actions = [("book", _ => new() { ["participants"] = 3 })],
            Holds = PlacesAreCounted,
        },
        new("a tour has no fewer places than are taken", Tours, Outcome.Refused, async (world, scene) =>
        {
            scene["tour"] = scene["row"] = await world.NewTour(new { maxParticipants = 3 });
            await world.NewBooking(scene["tour"], "booked");
            await world.NewBooking(scene["tour"], "confirmed");
        })
        {
            Change = _ => new() { ["maxParticipants"] = 1 },
            Holds = PlacesAreCounted,
        },
        new("nobody writes how many take part", Tours, Outcome.Ignored, async (world, scene) =>
        {
            scene["tour"] = scene["row"] = await world.NewTour(new { maxParticipants = 3 });
            await world.NewBooking(scene["tour"], "booked");
        })
        {
            Change = _ => new() { ["currentParticipants"] = 0 },
            Holds = PlacesAreCounted,
        },
        new("a tour is full by its bookings alone", Tours, Outcome.Settled, async (world, scene) =>
        {
            await FullTour(world, scene);
            scene["row"] = scene["tour"];
        })
        {
            Change = _ => new() { ["status"] = "available" },
            Actions = [("reopen", _ => [])],
            ActionOutcome = Outcome.Settled,
            Holds = PlacesAreCounted,
        },
        new("an empty tour is not full", Tours, Outcome.Settled, async (world, scene) => scene["product"] = await world.New("products", new { name = "Tour" }))
        {
            Create = scene => new() { ["productId"] = scene["product"].ToString(), ["startDate"] = "2030-01-01T00:00:00Z", ["endDate"] = "2030-01-02T00:00:00Z", ["maxParticipants"] = 4, ["status"] = "full" },
            Holds = "SELECT bool_and(t.status = 'available') FROM tours t WHERE t.product_id = {product}",
        },
        new("a completed tour stays completed", Tours, Outcome.Refused, async (world, scene) => scene["row"] = await world.NewTour(new { status = "completed" }))
        {
            Change = _ => new() { ["status"] = "available" },
            Actions = [("cancel", _ => []), ("reopen", _ => [])],
            Holds = "SELECT t.status = 'completed' FROM tours t WHERE t.id = {row}",
        },
        new("a tour that is called off takes no bookings", ClientTours, Outcome.Refused, async (world, scene) =>
        {
            scene["tour"] = await world.NewTour(new { status = "cancelled" });
            scene["row"] = await world.NewBooking(scene["tour"], "selected");
            scene["client"] = await world.NewClient();
        })
        {
            Create = scene => Booking(scene, "client", "booked"),
            Change = _ => new() { ["status"] = "booked" },
            Actions = [("book", _ => [])],
            Holds = "SELECT t.current_participants = 0 FROM tours t WHERE t.id = {tour}",
        },
        new("a booking moves forward", ClientTours, Outcome.Refused, async (world, scene) => scene["row"] = await world.NewBooking(await world.NewTour(), "confirmed"))
        {
            Change = _ => new() { ["status"] = "proposed" },
            Actions = [("book", _ => []), ("reopen", _ => [])],
            Holds = "SELECT b.status = 'confirmed' FROM client_tours b WHERE b.id = {row}",
        },
        new("a cancelled booking begins again at the beginning", ClientTours, Outcome.Refused, async (world, scene) => scene["row"] = await world.NewBooking(await world.NewTour(), "cancelled"))
        {
            Change = _ => new() { ["status"] = "selected" },
            Actions = [("book", _ => []), ("confirm", _ => [])],
            Holds = "SELECT b.status = 'cancelled' FROM client_tours b WHERE b.id = {row}",
        },
        new("a client books a tour once", ClientTours, Outcome.Refused, async (world, scene) =>
        {
            (scene["tour"], scene["client"]) = (await world.NewTour(), await world.NewClient());
            await world.NewBooking(scene["tour"], "interested", scene["client"]);
        })
        {
            Create = scene => Booking(scene, "client", "interested"),
            Holds = "SELECT count(*) = 1 FROM client_tours b WHERE b.tour_id = {tour}",
        },
        new("interest in a product moves forward", ClientProducts, Outcome.Refused, async (world, scene) =>
            scene["row"] = await world.New("client-products", new { clientId = await world.NewClient(), productId = await world.New("products", new { name = "Tent" }), status = "booked" }))
        {
            Change = _ => new() { ["status"] = "interested" },
            Holds = "SELECT i.status = 'booked' FROM client_products i WHERE i.id = {row}",
        },
        new("interest in a product is known once", ClientProducts, Outcome.Refused, async (world, scene) =>
        {
            (scene["client"], scene["product"]) = (await world.NewClient(), await world.New("products", new { name = "Tent" }));
            await world.New("client-products", new { clientId = scene["client"], productId = scene["product"] });
        })
        {
            Create = scene => new() { ["clientId"] = scene["client"].ToString(), ["productId"] = scene["product"].ToString() },
            Holds = "SELECT count(*) = 1 FROM client_products i WHERE i.product_id = {product}",
        },
    ];

    /// <summary>A tour whose only place is taken, and somebody (<c>row</c>) who is interested.</summary>
    private static async Task FullTour(RuleWorld world, Scene scene)
    {
        scene["tour"] = await world.NewTour(new { maxParticipants = 1 });
        await world.NewBooking(scene["tour"], "booked");
        scene["row"] = await world.NewBooking(scene["tour"], "interested");
        scene["client"] = await world.NewClient();
    }

    private static JsonObject Booking(Scene scene, string client, string status) => new() { ["clientId"] = scene[client].ToString(), ["tourId"] = scene["tour"].ToString(), ["status"] = status };
}
