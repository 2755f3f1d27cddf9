using System.Diagnostics;
using System.Globalization;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Inbound;
using AgentPlatform.Bench.Load;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;

namespace AgentPlatform.Bench.EndToEnd;

/// <summary>From the webhook to the request at the platform, with models that think for different times.</summary>
public sealed class EndToEndPart : IBenchPart
{
    /// <summary>Messages a second: with a model that takes two seconds, a thousand conversations are under way.</summary>
    private const double Rate = 500;

    /// <summary>Milliseconds at the median that the engine may add to the model's.</summary>
    private const double Goal = 20;

    private static readonly int[] ModelTimes = [0, 200, 2000];

    // One organization stands for all tenants here, so it gets what a silo has for all of them.
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["Engine__Turns__MaxTurnsPerOrganization"] = "2000",
        ["Engine__Turns__TokensPerMinutePerOrganization"] = "0",
    };

    /// <inheritdoc />
    public string Name => "end-to-end";

    /// <inheritdoc />
    public string About => "webhook to the reply at the emulated platform, with models of 0 ms, 200 ms and 2 s; webhooks while the model is slow";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        await using var emulators = await EmulatorProcess.StartAsync();
        await database.AddAgentAsync(emulators.PlatformUrl, emulators.ModelUrl);
        await using var load = new LoadProcess();
        await using var silo = await SiloProcess.StartAsync(database, Settings);
        (string, Func<double>)[] processes =
            [("postgres", () => ProcessorTime.OfTree(database.ServerProcessId)), ("silo", silo.ProcessorSeconds), ("emulators", emulators.ProcessorSeconds)];
        var order = InboundPart.Order(run, silo);

        await emulators.ThinkForAsync(0);
        await BenchRun.MeasureAsync("warm-up", load, order with { Rate = Rate, Seconds = run.Options.WarmUp.TotalSeconds, Requests = (int)(Rate * run.Options.WarmUp.TotalSeconds) }, processes);
        await WaitForAsync(emulators, (int)(Rate * run.Options.WarmUp.TotalSeconds));
        foreach (var modelTime in ModelTimes)
        {
            await emulators.ThinkForAsync(modelTime);
            var seconds = run.Options.Span.TotalSeconds + modelTime / 1000.0;
            var (sent, processors) = await BenchRun.MeasureAsync($"{Rate}/s, model {modelTime} ms", load, order with { Rate = Rate, Seconds = seconds, Requests = (int)(Rate * seconds), Traces = true }, processes);
            await InboundPart.CheckAsync(sent, silo);
            var arrivals = await WaitForAsync(emulators, (int)sent.Answers);
            var overhead = Overhead(sent, arrivals, modelTime);
            Console.WriteLine(FormattableString.Invariant($"    replies {arrivals.Times.Length}, overhead p50 {overhead.Milliseconds(0.5):0.0} ms, p99 {overhead.Milliseconds(0.99):0.0} ms, refused {arrivals.Rejected} {arrivals.Rejection}"));
            var name = string.Create(CultureInfo.InvariantCulture, $"a model of {modelTime} ms");
            run.Report.Add(new() { Part = Name, Name = $"engine's overhead, p50, {name}", Value = overhead.Milliseconds(0.5), Unit = "ms", Goal = Goal, IsCeiling = true, Note = $"{Rate} messages a second; webhook due to request at the platform, less the model's time" });
            run.Report.Add(new() { Part = Name, Name = $"engine's overhead, p99, {name}", Value = overhead.Milliseconds(0.99), Unit = "ms" });
            run.Report.Add(new() { Part = Name, Name = $"silo, each exchange, {name}", Value = processors.MicrosecondsPer("silo", sent.Answers), Unit = "µs" });
            run.Report.Add(new() { Part = Name, Name = $"Postgres, each exchange, {name}", Value = processors.MicrosecondsPer("postgres", sent.Answers), Unit = "µs" });
        }

        await MeasureFloodsAsync(run, emulators, load, silo, order, processes);
    }

    /// <summary>Webhooks as fast as they go while agents answer: a model that takes longer must not take anything from them.</summary>
    private async Task MeasureFloodsAsync(
        BenchRun run, EmulatorProcess emulators, LoadProcess load, SiloProcess silo, LoadOrder order, (string, Func<double>)[] processes)
    {
        double? quick = null;
        foreach (var modelTime in new[] { 0, 2000 })
        {
            await emulators.ThinkForAsync(modelTime);
            var (flood, _) = await BenchRun.MeasureAsync($"as fast as it goes, model {modelTime} ms", load, order, processes);
            await InboundPart.CheckAsync(flood, silo);
            run.Report.Add(new() { Part = Name, Name = $"webhooks with an agent, a model of {modelTime} ms", Value = flood.PerSecond, Unit = "/s", Goal = quick },
                ("a model of 0 ms", quick), ("no agent", run.Report.Find("inbound", InboundPart.Rate)));
            quick ??= flood.PerSecond;
        }
    }

    private static async Task<Arrivals> WaitForAsync(EmulatorProcess emulators, int count)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var arrivals = await emulators.ReadArrivalsAsync();
            if (arrivals.Times.Length >= count || clock.Elapsed > TimeSpan.FromSeconds(20))
            {
                return arrivals;
            }
            await Task.Delay(200);
        }
    }

    private static Histogram Overhead(LoadResult sent, Arrivals arrivals, int modelTime)
    {
        var replies = new Dictionary<string, Queue<long>>(StringComparer.Ordinal);
        foreach (var (contact, time) in arrivals.Contacts.Zip(arrivals.Times))
        {
            (replies.TryGetValue(contact, out var queue) ? queue : replies[contact] = new Queue<long>()).Enqueue(time);
        }
        var overhead = new Histogram();
        foreach (var (contact, due) in sent.TraceContacts!.Zip(sent.TraceTimes!))
        {
            if (!replies.TryGetValue(Identities.Contact(contact), out var queue) || queue.Count == 0)
            {
                throw new InvalidOperationException($"The message of contact {contact} was not answered.");
            }
            overhead.Record((long)Stopwatch.GetElapsedTime(due, queue.Dequeue()).TotalMicroseconds - modelTime * 1000);
        }
        return overhead;
    }
}
