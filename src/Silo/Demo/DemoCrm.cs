using System.Text.Json;

namespace AgentPlatform.Silo.Demo;

/// <summary>What <c>data/crm.json</c> holds: what is being sold, what was bought, what was done and noted down. Days are counted back from the day of loading.</summary>
internal sealed record DemoCrm(DemoTag[] Tags, DemoDeal[] Deals, DemoOrder[] Orders, DemoActivity[] Activities, DemoNote[] Notes)
{
    /// <summary>Reads the file built into this assembly.</summary>
    public static DemoCrm Read() => DemoResources.ReadJson<DemoCrm>("crm.json");
}

internal sealed record DemoTag(string Name, string Color, string Category);

/// <summary><c>Products</c> are rows of product and quantity; <c>History</c> are rows of stage, days ago, and a note if any: the last is where it stands.</summary>
internal sealed record DemoDeal(
    string Key, string Client, string Name, decimal Value, string Owner, string? Description, int? ExpectedIn, JsonElement[][] Products, JsonElement[][] History,
    string? WonReason, string? LostReason, string? LostReasonDetails, string? Competitor)
{
    public string[] Tags { get; init; } = [];
}

/// <summary><c>Items</c> are rows of product and quantity.</summary>
internal sealed record DemoOrder(string Number, string Client, string? Deal, int DaysAgo, string Status, int? DeliveredAgo, JsonElement[][] Items, decimal Discount);

/// <summary>Due <c>DueIn</c> days from now. <c>Call</c> is direction, outcome and seconds.</summary>
internal sealed record DemoActivity(
    string Key, string Client, string? Deal, string Type, string Subject, string? Description, string Status, string? Priority, int? DueIn, int DaysAgo, string By, JsonElement[]? Call);

internal sealed record DemoNote(string Key, string Client, string? Deal, string? Title, string Content, string Type, bool Pinned, int DaysAgo, string By)
{
    public string[] Tags { get; init; } = [];
}
