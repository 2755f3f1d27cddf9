namespace AgentPlatform.Bench.Reporting;

/// <summary>One measured figure beside what it is held against.</summary>
public sealed record Figure
{
    /// <summary>The part of the bench.</summary>
    public required string Part { get; init; }

    /// <summary>What it is, unique within its part.</summary>
    public required string Name { get; init; }

    /// <summary>The value.</summary>
    public required double Value { get; init; }

    /// <summary>Its unit.</summary>
    public required string Unit { get; init; }

    /// <summary>What it should reach (with <see cref="IsCeiling"/>: stay under); null for a figure that explains others.</summary>
    public double? Goal { get; init; }

    /// <summary>True when smaller is better.</summary>
    public bool IsCeiling { get; init; }

    /// <summary>Figures of the same run that it is a share of, by name.</summary>
    public SortedDictionary<string, double> Ratios { get; init; } = [];

    /// <summary>What one should know about it.</summary>
    public string? Note { get; init; }

    /// <summary>Whether the goal is met; null without one.</summary>
    public bool? IsMet => Goal is { } goal ? (IsCeiling ? Value <= goal : Value >= goal) : null;
}
