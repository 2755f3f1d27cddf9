using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>Dated tours with places.</summary>
internal static class TourResource
{
    public static readonly Resource Tours = new()
    {
        Path = "tours",
        Singular = "tour",
        Plural = "tours",
        Table = "tours",
        Description = "A product on its dates, with places. It is full with its last place, and available again when one is given back; both follow from its bookings.",
        Import = new(),
        KnownBy = ["productId", "startDate"],
        Create = Role.Manager,
        Update = Role.Manager,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        DefaultSort = "startDate",
        Fields =
        [
            Reference("productId", "products").Required().Fixed().Filtered(),
            Timestamp("startDate").Required().Ranged().Sorted(),
            Timestamp("endDate").Required().Ranged(),
            Integer("maxParticipants", 1, 100_000).Nullable().About("Places; null for no limit."),
            Integer("currentParticipants").ReadOnly(),
            Money("price").Nullable(),
            Currency("currency").WithDefault("USD"),
            Choice("status", "available", "full", "cancelled", "completed").WithDefault("available").Filtered(),
            Text("notes", 10_000).Nullable(),
        ],
        Checks =
        [
            new("tour_is_not_overbooked", "maxParticipants", "/maxParticipants must not be below the number of participants."),
            new("completed_tour_stays_completed", "status", IsAboutState: true),
        ],
        Actions =
        [
            new("cancel", "Call the tour off", change => change.Set("status", "cancelled")) { Past = "cancelled", Description = "It takes no more bookings; those that it has stay until they are cancelled." },
            new("complete", "Mark the tour as over", change => change.Set("status", "completed")) { Past = "completed", Description = "It takes no more bookings." },
            new("reopen", "Offer a tour again that was called off", change => change.Set("status", "available")) { Past = "reopened" },
        ],
        BeforeWrite = change => Task.FromResult(change.IsDeletion ? null : Check(change)),
    };

    private static Problem? Check(ResourceChange change)
    {
        if (Moment(change, "endDate") < Moment(change, "startDate"))
        {
            return Problem.Invalid("/endDate", "/endDate must not be before startDate.");
        }
        return change.Resulting<int?>("maxParticipants") is { } places && change.Before?.Get<int>("currentParticipants") > places
            ? Problem.Invalid("/maxParticipants", "/maxParticipants must not be below the number of participants.")
            : null;
    }

    private static DateTime? Moment(ResourceChange change, string field) =>
        change.Values.Has(field) ? change.Values.Get<DateTimeOffset>(field).UtcDateTime : change.Before?.Get<DateTime>(field);
}
