using AgentPlatform.Bench.Baseline;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Load;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;
using AgentPlatform.Bench.Writer;

namespace AgentPlatform.Bench.Inbound;

/// <summary>Signed webhooks over HTTP, each committed with all that belongs to it before it is answered. The channel has no agent.</summary>
public sealed class InboundPart : IBenchPart
{
    /// <summary>Webhooks a second that the product should take on two cores, Postgres and the load included.</summary>
    public const double Goal = 15_000;

    /// <summary>Name of the figure that others are a share of.</summary>
    public const string Rate = "webhooks";

    /// <inheritdoc />
    public string Name => "inbound";

    /// <inheritdoc />
    public string About => "signed WhatsApp webhooks of 10,000 contacts over 64 connections, committed before the 200";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        await using var load = new LoadProcess();
        await using var silo = await SiloProcess.StartAsync(database);
        var order = Order(run, silo);
        (string, Func<double>)[] processes = [("postgres", () => ProcessorTime.OfTree(database.ServerProcessId)), ("silo", silo.ProcessorSeconds)];

        var warmUp = order with { Seconds = run.Options.WarmUp.TotalSeconds / 2 };
        await BenchRun.MeasureAsync("warm-up, contacts met for the first time", load, warmUp, processes);
        await BenchRun.MeasureAsync("warm-up", load, warmUp, processes);
        var (most, processors) = await BenchRun.MeasureAsync("as fast as it goes", load, order, processes);
        await CheckAsync(most, silo);
        run.Report.Add(new() { Part = Name, Name = Rate, Value = most.PerSecond, Unit = "/s", Goal = Goal },
            ("the hand-written service", run.Report.Find("baseline", BaselinePart.Rate)),
            ("the writer alone", run.Report.Find("writer", WriterPart.Ceiling)));
        run.Report.Add(new() { Part = Name, Name = "p50 at that rate", Value = most.P50, Unit = "ms" });
        run.Report.Add(new() { Part = Name, Name = "p99 at that rate", Value = most.P99, Unit = "ms" });
        foreach (var part in new[] { "postgres", "silo", "load", "others" })
        {
            run.Report.Add(new() { Part = Name, Name = $"{part}, each", Value = processors.MicrosecondsPer(part, most.Answers), Unit = "µs", Note = "processor time; two cores have 133 µs for each of 15,000 a second" });
        }

        var half = Math.Min(Goal / 2, most.PerSecond / 2);
        foreach (var (rate, name, goal) in new[] { (Goal / 2, $"at {Goal / 2:N0}/s", 50.0), (half, "at half of what it reached", (double?)null) })
        {
            if (goal is null && half >= Goal / 2)
            {
                continue;
            }
            var (steady, _) = await BenchRun.MeasureAsync(name, load, order with { Rate = rate, Requests = (int)(rate * order.Seconds) }, processes);
            await CheckAsync(steady, silo);
            run.Report.Add(new() { Part = Name, Name = "p50 " + name, Value = steady.P50, Unit = "ms" });
            run.Report.Add(new() { Part = Name, Name = "p99 " + name, Value = steady.P99, Unit = "ms", Goal = goal, IsCeiling = true, Note = "from the moment that each was due" });
        }
    }

    /// <summary>The load of this part, for others that do the same.</summary>
    public static LoadOrder Order(BenchRun run, SiloProcess silo) => new()
    {
        Port = silo.Port,
        Path = "/webhooks/whatsapp",
        AppSecret = BenchDatabase.AppSecret,
        Contacts = run.Options.Contacts,
        Seconds = run.Options.Span.TotalSeconds,
        Requests = (int)(run.Options.Span.TotalSeconds * 25_000),
    };

    /// <summary>A figure counts only when every webhook was answered 200.</summary>
    public static async Task CheckAsync(LoadResult result, SiloProcess silo)
    {
        if (result.Failures > 0)
        {
            throw new InvalidOperationException($"{result.Failures} webhooks were not answered 200: {string.Join(" ", result.Statuses)}.\n{await silo.TailAsync()}");
        }
    }
}
