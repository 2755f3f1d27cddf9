using AgentPlatform.Bench.Data;

namespace AgentPlatform.Bench.Writer;

/// <summary>What the batching writer alone can commit: the limit that inbound messages are held against.</summary>
public sealed class WriterPart : IBenchPart
{
    /// <summary>Name of the figure that others are a share of.</summary>
    public const string Ceiling = "commits";

    /// <inheritdoc />
    public string Name => "writer";

    /// <inheritdoc />
    public string About => "commits of the batching writer alone, 256 at a time, no HTTP and no grains";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        run.Report.Environment["postgres"] = await database.ScalarAsync<string>("SELECT version()") ?? "";
        run.Report.Environment["fsync"] = await database.ScalarAsync<string>("SELECT current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit')") ?? "";
        await database.FillAsync(0, run.Options.Contacts, 1);
        foreach (var committers in new[] { 1, 16, 64, 256 })
        {
            var result = await WriterCeiling.RunAsync(database, committers, run.Options.WarmUp / 3, run.Options.Span);
            var isCeiling = committers == 256;
            var suffix = isCeiling ? "" : $", {committers} at a time";
            Console.WriteLine(FormattableString.Invariant(
                $"  {committers} at a time: {result.PerSecond:N0}/s, p99 {result.Latency.Milliseconds(0.99):0.0} ms; {result.Processors}; {result.Processors.Per(result.Latency.Count)} each"));
            run.Report.Add(new() { Part = Name, Name = Ceiling + suffix, Value = result.PerSecond, Unit = "/s" });
            run.Report.Add(new() { Part = Name, Name = "p99" + suffix, Value = result.Latency.Milliseconds(0.99), Unit = "ms" });
            run.Report.Add(new() { Part = Name, Name = "Postgres, each" + suffix, Value = result.Processors.MicrosecondsPer("postgres", result.Latency.Count), Unit = "µs" });
            run.Report.Add(new() { Part = Name, Name = ".NET, each" + suffix, Value = result.Processors.MicrosecondsPer("writer", result.Latency.Count), Unit = "µs" });
        }
    }
}
