using System.Text.Json;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Hosting;

namespace AgentPlatform.Bench.Memory;

/// <summary>What an idle conversation in memory weighs, and how long a cold one takes to get there.</summary>
public sealed class MemoryPart : IBenchPart
{
    /// <summary>What the host is told to do.</summary>
    public const string Work = "memory";

    /// <inheritdoc />
    public string Name => "memory";

    /// <inheritdoc />
    public string About => "memory of idle hot conversations, and the time that a cold one takes to get hot";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        await database.FillAsync(0, run.Options.HotConversations + 1000, run.Options.Quick ? 1 : 10);
        await using var host = EngineHost.Start(Work, database.Url, BenchDatabase.SecretsKey);
        await host.ReadLineAsync();
        await host.Input.WriteLineAsync(JsonSerializer.Serialize(new HotOrder(database.ChannelId, run.Options.HotConversations)));
        await host.Input.FlushAsync();
        var result = JsonSerializer.Deserialize<HotResult>(await host.ReadLineAsync())!;
        host.Input.Close();

        var note = $"{run.Options.HotConversations:N0} conversations in memory";
        run.Report.Add(new() { Part = Name, Name = "managed memory of each idle conversation", Value = result.HeapBytes, Unit = "B", Goal = 10 * 1024, IsCeiling = true, Note = note });
        run.Report.Add(new() { Part = Name, Name = "resident memory of each idle conversation", Value = result.ResidentBytes, Unit = "B", Goal = 10 * 1024, IsCeiling = true, Note = note });
        run.Report.Add(new() { Part = Name, Name = "resident memory of the process", Value = result.TotalBytes / 1048576.0, Unit = "MiB" });
        run.Report.Add(new() { Part = Name, Name = "activation of a cold conversation, p50", Value = result.P50, Unit = "ms", Note = "four at a time" });
        run.Report.Add(new() { Part = Name, Name = "activation of a cold conversation, p99", Value = result.P99, Unit = "ms", Goal = 10, IsCeiling = true, Note = "four at a time" });
        run.Report.Add(new() { Part = Name, Name = "activations, 64 at a time", Value = result.PerSecond, Unit = "/s" });
    }
}
