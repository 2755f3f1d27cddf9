namespace AgentPlatform.Bench;

/// <summary>What the command line asks for.</summary>
/// <param name="Names">Parts to run; all where empty.</param>
/// <param name="Quick">Short spans and small tables: a look, not a measurement.</param>
public sealed record BenchOptions(IReadOnlyList<string> Names, bool Quick)
{
    /// <summary>How long a measured span lasts.</summary>
    public TimeSpan Span => TimeSpan.FromSeconds(Quick ? 4 : 10);

    /// <summary>How long the product runs under load before anything is measured: its code is compiled while it runs.</summary>
    public TimeSpan WarmUp => TimeSpan.FromSeconds(Quick ? 6 : 12);

    /// <summary>People who write.</summary>
    public int Contacts => 10_000;

    /// <summary>Conversations held in memory at once.</summary>
    public int HotConversations => Quick ? 20_000 : 100_000;

    /// <summary>Messages stored, step by step.</summary>
    public IReadOnlyList<int> Growth => Quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000];
}

/// <summary>What every part of the bench has in common.</summary>
public interface IBenchPart
{
    /// <summary>By what it is called on the command line.</summary>
    string Name { get; }

    /// <summary>One line for <c>--help</c>.</summary>
    string About { get; }

    /// <summary>Measures, and reports figures as they come.</summary>
    Task RunAsync(BenchRun run);
}
