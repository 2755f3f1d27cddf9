using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>Bookings of tours, from the first interest on.</summary>
internal static class ClientTourResource
{
    private const int MostParticipants = 100_000;

    public static readonly Resource ClientTours = new()
    {
        Path = "client-tours",
        Singular = "clientTour",
        Plural = "clientTours",
        Table = "client_tours",
        Description = "Bookings of tours, from the first interest on: interested, proposed, selected, booked, confirmed. A booking moves forward, is cancelled from anywhere, and may begin again after that. From booked on it holds the places of its participants (one, where it doesn't say); a tour never holds more than it has.",
        Import = new() { Kept = ["createdAt"] },
        Create = Role.Member,
        Update = Role.Member,
        Delete = Role.Manager,
        // The tour before its booking, as whoever deletes the tour has them.
        LockedFirst = "SELECT 1 FROM tours t WHERE t.organization_id = $1 AND t.id = (SELECT b.tour_id FROM client_tours b WHERE b.organization_id = $1 AND b.id = $2) FOR NO KEY UPDATE",
        Fields =
        [
            Reference("clientId", "clients").Required().Fixed().Filtered(),
            Reference("tourId", "tours").Required().Fixed().Filtered(),
            Choice("status", "interested", "proposed", "selected", "booked", "confirmed", "cancelled").WithDefault("interested").Filtered(),
            Integer("participants", 1, MostParticipants).Nullable(),
            Text("notes", 10_000).Nullable(),
        ],
        Uniques = [new("one_booking_per_client_and_tour", "tourId", "The client's booking of this tour is known: change it.")],
        Checks =
        [
            new("interest_moves_forward", "status", IsAboutState: true),
            new("tour_is_not_overbooked", "participants", IsAboutState: true),
            new("tour_takes_bookings", "tourId", IsAboutState: true),
        ],
        Actions =
        [
            new("book", "Book the places", change =>
            {
                change.Set("status", "booked");
                change.Take("participants", "notes");
            })
            { Past = "booked", Body = new(Integer("participants", 1, MostParticipants), Text("notes", 10_000).Nullable()) },
            new("confirm", "Confirm the booking", change => change.Set("status", "confirmed")) { Past = "confirmed" },
            new("cancel", "Cancel the booking", change =>
            {
                change.Set("status", "cancelled");
                change.Take("notes");
            })
            { Past = "cancelled", Description = "Its places are free again.", Body = new(Text("notes", 10_000).Nullable()) },
            new("reopen", "Begin again with a booking that was cancelled", change => change.Set("status", "interested")) { Past = "reopened" },
        ],
    };
}
