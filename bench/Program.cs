using System.Globalization;
using System.Runtime;
using AgentPlatform.Bench;
using AgentPlatform.Bench.Admin;
using AgentPlatform.Bench.Baseline;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.EndToEnd;
using AgentPlatform.Bench.Hosting;
using AgentPlatform.Bench.Import;
using AgentPlatform.Bench.Inbound;
using AgentPlatform.Bench.Load;
using AgentPlatform.Bench.Memory;
using AgentPlatform.Bench.Neighbours;
using AgentPlatform.Bench.Reporting;
using AgentPlatform.Bench.Runtime;
using AgentPlatform.Bench.Writer;

IBenchPart[] parts = [new WriterPart(), new BaselinePart(), new InboundPart(), new EndToEndPart(), new GrowthPart(), new MemoryPart(), new ImportPart(), new AdminPart(), new NeighboursPart(), new RuntimePart()];
switch (args)
{
    case [LoadProcess.Argument]:
        await LoadGenerator.ServeAsync(Console.In, Console.Out);
        return 0;
    case [BaselinePart.Argument, var port]:
        await HandWrittenService.RunAsync(Environment.GetEnvironmentVariable("DATABASE_URL")!, int.Parse(port, CultureInfo.InvariantCulture));
        return 0;
    case [EmulatorProcess.Argument]:
        await EmulatorProcess.ServeAsync(Console.In, Console.Out);
        return 0;
    case [FloodProcess.Argument]:
        await FloodProcess.ServeAsync(Console.In);
        return 0;
    case [EngineHost.Argument, var part]:
        await EngineHost.ServeAsync(part, Console.In, Console.Out);
        return 0;
}

if (args.Contains("--help"))
{
    Console.WriteLine("bench/run [--quick] [part ...]\n");
    foreach (var part in parts)
    {
        Console.WriteLine($"  {part.Name,-12} {part.About}");
    }
    return 0;
}
var options = new BenchOptions([.. args.Where(arg => !arg.StartsWith("--", StringComparison.Ordinal))], args.Contains("--quick"));
var wrong = args.Where(arg => arg.StartsWith("--", StringComparison.Ordinal) ? arg != "--quick" : parts.All(part => part.Name != arg)).ToArray();
if (wrong.Length > 0)
{
    await Console.Error.WriteLineAsync($"There is no part or option {string.Join(", ", wrong)}; --help lists them.");
    return 2;
}

var report = new Report(options.Quick);
report.Environment["orleans"] = typeof(Grain).Assembly.GetName().Version?.ToString() ?? "unknown";
report.Environment["garbage collector"] = GCSettings.IsServerGC ? "server" : "workstation";
var run = new BenchRun(options, report);
await WriteAheadLog.UseOnceAsync();
var failed = false;
foreach (var part in parts.Where(part => options.Names.Count == 0 || options.Names.Contains(part.Name)))
{
    Console.WriteLine($"{part.Name}: {part.About}");
    try
    {
        await part.RunAsync(run);
    }
    catch (Exception failure) when (options.Names.Count != 1)
    {
        // The other parts still say something.
        failed = true;
        await Console.Error.WriteLineAsync($"{part.Name} failed: {failure}");
    }
}
report.Print(Console.Out);
await report.WriteAsync(Path.Combine(AgentPlatform.Fakes.RepositoryRoot.Path, "bench", "results.json"));
return failed ? 1 : 0;
