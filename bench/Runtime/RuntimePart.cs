using System.Globalization;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Hosting;

namespace AgentPlatform.Bench.Runtime;

/// <summary>What a call of a grain costs on the runtime that this build has.</summary>
public sealed class RuntimePart : IBenchPart
{
    /// <summary>What the host is told to do.</summary>
    public const string Work = "calls";

    /// <summary>Calls a second that Orleans 10.4 made on a machine like the one that the goals were set on: 445,000 to 548,000.</summary>
    private const double Orleans = 445_000;

    /// <inheritdoc />
    public string Name => "runtime";

    /// <inheritdoc />
    public string About => "calls of grains that do nothing, 256 at a time over 10,000 grains, within the process";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        await using var host = EngineHost.Start(Work, database.Url, BenchDatabase.SecretsKey);
        await host.ReadLineAsync();
        await host.Input.WriteLineAsync((run.Options.Span.TotalSeconds / 2).ToString(CultureInfo.InvariantCulture));
        await host.Input.FlushAsync();
        var calls = double.Parse(await host.ReadLineAsync(), CultureInfo.InvariantCulture);
        host.Input.Close();
        run.Report.Add(new() { Part = Name, Name = "calls that do nothing", Value = calls, Unit = "/s", Goal = Orleans, Note = "beside what Orleans' packages reached in an earlier measurement on two cores" });
    }
}
