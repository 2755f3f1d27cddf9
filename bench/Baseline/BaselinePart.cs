using System.Globalization;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Load;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;

namespace AgentPlatform.Bench.Baseline;

/// <summary>The hand-written service under the same load.</summary>
public sealed class BaselinePart : IBenchPart
{
    /// <summary>The argument, before a port, that turns this program into the hand-written service.</summary>
    public const string Argument = "hand-written-service";

    /// <summary>Name of the figure that others are a multiple of.</summary>
    public const string Rate = "webhooks";

    /// <inheritdoc />
    public string Name => "baseline";

    /// <inheritdoc />
    public string About => "a hand-written service that does a third of the work with one statement a message";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        await database.ExecuteAsync(HandWrittenService.Schema);
        await using var load = new LoadProcess();
        var port = ChildProcess.FreePort();
        await using var service = ChildProcess.StartSelf([Argument, port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string> { ["DATABASE_URL"] = database.DataOptions.AdminConnectionString });
        await service.WaitForAsync(new Uri($"http://127.0.0.1:{port}/"), TimeSpan.FromSeconds(30));

        var order = new LoadOrder
        {
            Port = port,
            Path = "/webhooks/whatsapp",
            AppSecret = BenchDatabase.AppSecret,
            Contacts = run.Options.Contacts,
            Seconds = run.Options.WarmUp.TotalSeconds / 2,
            Requests = (int)(run.Options.Span.TotalSeconds * 25_000),
        };
        await BenchRun.MeasureAsync("warm-up", load, order);
        var (result, processors) = await BenchRun.MeasureAsync("64 connections", load, order with { Seconds = run.Options.Span.TotalSeconds },
            ("postgres", () => ProcessorTime.OfTree(database.ServerProcessId)), ("service", () => ProcessorTime.Of(service.Id)));
        if (result.Failures > 0)
        {
            throw new InvalidOperationException($"{result.Failures} webhooks were not answered 200.");
        }
        run.Report.Add(new() { Part = Name, Name = Rate, Value = result.PerSecond, Unit = "/s", Note = "no signature checked, no contact, no turn; duplicates dropped, messages counted" });
        run.Report.Add(new() { Part = Name, Name = "p99", Value = result.P99, Unit = "ms" });
        run.Report.Add(new() { Part = Name, Name = "Postgres, each", Value = processors.MicrosecondsPer("postgres", result.Answers), Unit = "µs" });
        run.Report.Add(new() { Part = Name, Name = "service, each", Value = processors.MicrosecondsPer("service", result.Answers), Unit = "µs" });
    }
}
