namespace AgentPlatform.Grains.Crm;

/// <summary>When the numbers of analytics are brought up to date.</summary>
public sealed record AnalyticsOptions
{
    /// <summary>Shortest <see cref="RefreshInterval"/>: a reminder doesn't come more often.</summary>
    public static readonly TimeSpan ShortestInterval = TimeSpan.FromMinutes(1);

    /// <summary>How often the views are refreshed. Each time reads all clients, deals, orders, activities, turns and messages.</summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long one refresh may take.</summary>
    public TimeSpan RefreshTimeout { get; init; } = TimeSpan.FromMinutes(10);
}
