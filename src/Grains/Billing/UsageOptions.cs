namespace AgentPlatform.Grains.Billing;

/// <summary>How usage is watched (section <c>Engine:Usage</c>). What a plan allows, and when it warns and stops, stands in the plan.</summary>
public sealed record UsageOptions
{
    /// <summary>How long usage gathers in a silo before the organization's grain is told. Default 100 ms.</summary>
    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a silo believes what it knows of an organization with limits when nothing is heard. It makes good for a report that was lost with its silo. Default 30 s.
    /// </summary>
    public TimeSpan RefreshInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often subscriptions that are due are moved on. Default 1 minute.</summary>
    public TimeSpan RenewalInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Most subscriptions moved on in one transaction. Default 500.</summary>
    public int RenewalBatch { get; init; } = 500;

    /// <summary>Most conversations that are woken when the AI of their organization may go on. Default 1,000; the others go on with their next message.</summary>
    public int WakeLimit { get; init; } = 1000;
}
