using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace AgentPlatform.Silo.Demo;

/// <summary>What <c>data/catalogue.json</c> holds: what the demo sells, and with whom.</summary>
internal sealed record DemoCatalogue(DemoPartner[] Partners, DemoProduct[] Products, DemoTour[] Tours)
{
    /// <summary>Reads the catalogue built into this assembly.</summary>
    public static DemoCatalogue Read() => DemoResources.ReadJson<DemoCatalogue>("catalogue.json");

    /// <summary>The same with the places that the clients' bookings hold.</summary>
    public DemoCatalogue With(IEnumerable<DemoClient> clients)
    {
        var held = clients.SelectMany(client => client.Bookings).Where(booking => booking.Status is "booked" or "confirmed").ToLookup(booking => booking.Tour, booking => booking.Participants);
        return this with { Tours = [.. Tours.Select(tour => tour with { Booked = held[tour.Key].Sum() })] };
    }
}

internal sealed record DemoPartner(string Key, string Name, string Phone, string Email, string Whatsapp, string Telegram, string Conditions, decimal Rating);

/// <summary><c>Days</c> long; its tours start on <c>Weekday</c> (null: any) and in the months of <c>Season</c> (null: all).</summary>
internal sealed record DemoProduct(
    string Key, string Name, string Type, string Category, int Days, decimal Price, decimal Cost, string? Partner, DayOfWeek? Weekday, int[]? Season,
    string Description, JsonNode Inclusions, JsonNode Exclusions, JsonNode? Options);

/// <summary><c>StartsIn</c> counts days from the day of loading, before weekday and season are fitted. <c>Status</c> is completed or available; bookings make it full.</summary>
internal sealed record DemoTour(string Key, string Product, int StartsIn, int Max, string Status, string? Notes)
{
    /// <summary>Places that are booked.</summary>
    public int Booked { get; init; }
}

/// <summary>One client of <c>data/clients.json</c>.</summary>
internal sealed record DemoClient
{
    public required string Key { get; init; }
    public required string FirstName { get; init; }
    public required string LastName { get; init; }
    public required string Phone { get; init; }
    public string? Email { get; init; }
    public required string Language { get; init; }
    public required string Country { get; init; }
    public required string Status { get; init; }
    public required string Type { get; init; }
    public required string Stage { get; init; }
    public required string Quality { get; init; }
    public int Score { get; init; }
    public required string Source { get; init; }
    public string? Company { get; init; }
    public string[] Tags { get; init; } = [];
    public string? AssignedTo { get; init; }
    public string? Partner { get; init; }
    public required JsonNode Culture { get; init; }
    public DemoInterest[] Interests { get; init; } = [];
    public DemoBooking[] Bookings { get; init; } = [];

    /// <summary>Rows of new status, days ago, who changed it (ai, human, system), why.</summary>
    public JsonElement[][] History { get; init; } = [];
    public DemoConversation? Conversation { get; init; }

    /// <summary>Reads the clients built into this assembly.</summary>
    public static DemoClient[] ReadAll() => DemoResources.ReadJson<DemoClient[]>("clients.json");
}

internal sealed record DemoInterest(string Product, string Status);

internal sealed record DemoBooking(string Tour, string Status, int Participants);

/// <summary>
/// Began <c>MinutesAgo</c>. <c>Messages</c> are rows of who (client, ai, note, or a manager's key), minutes since it began, text, and its English translation if any.
/// </summary>
internal sealed record DemoConversation(string Channel, int MinutesAgo, string ManagedBy, JsonElement[][] Messages, int Unread = 0, string Status = "active");

/// <summary>The files built into this assembly under <c>demo/</c>.</summary>
internal static class DemoResources
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    public static T ReadJson<T>(string name) => JsonSerializer.Deserialize<T>(ReadText("demo/" + name), Json)!;

    public static IEnumerable<string> Names() => typeof(DemoResources).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("demo/", StringComparison.Ordinal));

    public static string ReadText(string name)
    {
        using var stream = typeof(DemoResources).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The demo's file {name} is not built into this assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
