using System.Globalization;
using AgentPlatform.Bench.Memory;
using AgentPlatform.Bench.Processes;
using AgentPlatform.Bench.Runtime;
using AgentPlatform.Data;
using AgentPlatform.Grains;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Bench.Hosting;

/// <summary>The engine alone, without HTTP, in a process of its own in which its grains can be called and its memory looked at.</summary>
public static class EngineHost
{
    /// <summary>The argument, before the name of what to do, that turns this program into the host.</summary>
    public const string Argument = "engine-host";

    /// <summary>Starts the host for a database in a new process.</summary>
    public static ChildProcess Start(string work, string databaseUrl, string secretsKeys) => ChildProcess.StartSelf([Argument, work], new Dictionary<string, string>
    {
        ["DATABASE_URL"] = databaseUrl,
        ["SECRETS_KEYS"] = secretsKeys,
    });

    /// <summary>The process itself.</summary>
    public static async Task ServeAsync(string work, TextReader input, TextWriter output)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddEnvironmentVariables();
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddData(builder.Configuration);
        builder.Services.AddEngine(builder.Configuration);
        builder.Services.AddChannels(builder.Configuration);
        builder.Services.AddAgents(builder.Configuration);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(ChildProcess.FreePort(), ChildProcess.FreePort(), serviceId: "bench", clusterId: Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture));
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
        });
        using var host = builder.Build();
        await host.StartAsync();
        await output.WriteLineAsync("ready");
        await output.FlushAsync();
        var order = await input.ReadLineAsync() ?? "";
        await output.WriteLineAsync(work switch
        {
            MemoryPart.Work => await HotConversations.MeasureAsync(host.Services, order),
            RuntimePart.Work => await NullCalls.MeasureAsync(host.Services, order),
            _ => throw new ArgumentException($"There is no work called {work}.", nameof(work)),
        });
        await output.FlushAsync();
        await input.ReadLineAsync();
        await host.StopAsync();
    }
}
