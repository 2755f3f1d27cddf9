using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Load;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;

namespace AgentPlatform.Bench.Inbound;

/// <summary>The same work while more and more is stored: what a message costs must not depend on how many came before.</summary>
public sealed class GrowthPart : IBenchPart
{
    private const int MessagesEach = 10;

    /// <inheritdoc />
    public string Name => "growth";

    /// <inheritdoc />
    public string About => "webhooks, and first webhooks of conversations that are not in memory, with more and more messages stored";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        await database.FillAsync(0, run.Options.Contacts, 1);
        await using var load = new LoadProcess();
        await using var silo = await SiloProcess.StartAsync(database);
        (string, Func<double>)[] processes = [("postgres", () => ProcessorTime.OfTree(database.ServerProcessId)), ("silo", silo.ProcessorSeconds)];
        var order = InboundPart.Order(run, silo) with { Seconds = run.Options.Span.TotalSeconds / 2, Requests = (int)(run.Options.Span.TotalSeconds * 12_500) };
        await BenchRun.MeasureAsync("warm-up", load, order with { Seconds = run.Options.WarmUp.TotalSeconds / 2 }, processes);

        var stored = run.Options.Contacts;
        var contacts = run.Options.Contacts;
        double? first = null;
        foreach (var wanted in run.Options.Growth)
        {
            // The rest belongs to others, who come back one by one: their conversations are cold.
            var more = Math.Max((wanted - stored) / MessagesEach, ColdContacts);
            await database.FillAsync(contacts, more, wanted > stored ? MessagesEach : 1);
            stored = Math.Max(stored, wanted);
            var (warm, _) = await BenchRun.MeasureAsync($"{wanted:N0} stored", load, order, processes);
            await InboundPart.CheckAsync(warm, silo);
            var (cold, _) = await BenchRun.MeasureAsync($"{wanted:N0} stored, cold conversations", load,
                order with { FirstContact = contacts, Contacts = ColdContacts, Requests = ColdContacts, Rate = ColdRate, Seconds = ColdContacts / ColdRate }, processes);
            await InboundPart.CheckAsync(cold, silo);
            contacts += more;
            first ??= warm.PerSecond;
            run.Report.Add(new() { Part = Name, Name = $"webhooks, {wanted:N0} messages stored", Value = warm.PerSecond, Unit = "/s" }, ("the first step", first));
            run.Report.Add(new() { Part = Name, Name = $"p50 of a cold conversation, {wanted:N0} stored", Value = cold.P50, Unit = "ms" });
            run.Report.Add(new() { Part = Name, Name = $"p99 of a cold conversation, {wanted:N0} stored", Value = cold.P99, Unit = "ms", Goal = 10, IsCeiling = true, Note = "webhook to 200: HTTP, activation and commit" });
        }
    }

    private const int ColdContacts = 1000;
    private const double ColdRate = 250;
}
