using AgentPlatform.Bench.Load;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Reporting;

namespace AgentPlatform.Bench;

/// <summary>One run of the bench: what the parts share.</summary>
public sealed class BenchRun(BenchOptions options, Report report)
{
    /// <summary>What the command line asks for.</summary>
    public BenchOptions Options => options;

    /// <summary>Where figures go.</summary>
    public Report Report => report;

    /// <summary>Runs an order, and measures who uses the processors meanwhile.</summary>
    /// <param name="what">Begins the line that is printed about it.</param>
    public static async Task<(LoadResult Load, ProcessorShares Processors)> MeasureAsync(
        string what, LoadProcess load, LoadOrder order, params (string Name, Func<double> Seconds)[] parts)
    {
        ProcessorTime? processors = null;
        var result = await load.RunAsync(order, () => processors = ProcessorTime.Start([.. parts, ("load", load.ProcessorSeconds)]));
        var shares = processors!.Stop();
        Console.WriteLine(FormattableString.Invariant(
            $"  {what}: {result.PerSecond:N0}/s, p50 {result.P50:0.0} ms, p99 {result.P99:0.0} ms, max {result.Maximum:0} ms, failures {result.Failures}; {shares}; {shares.Per(result.Answers)} each"));
        if (result.RanOut)
        {
            Console.WriteLine("    (all prepared requests were sent before the time was over)");
        }
        return (result, shares);
    }
}
