using System.Text.Json;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;

namespace AgentPlatform.Bench.Load;

/// <summary>The load generator in its process.</summary>
public sealed class LoadProcess : IAsyncDisposable
{
    /// <summary>The argument that turns this program into the load generator.</summary>
    public const string Argument = "load-generator";

    private readonly ChildProcess _process = ChildProcess.StartSelf([Argument], new Dictionary<string, string>
    {
        // Answers are handled where they are polled: no thread is woken for one.
        ["DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS"] = "1",
        ["DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT"] = "1",
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_gcServer"] = "0",
    });

    /// <summary>Seconds of processor time of the generator so far.</summary>
    public double ProcessorSeconds() => ProcessorTime.Of(_process.Id);

    /// <summary>Prepares the requests, calls back, and runs.</summary>
    /// <param name="starting">Called when all is ready: begin to measure here.</param>
    public async Task<LoadResult> RunAsync(LoadOrder order, Action? starting = null)
    {
        await _process.Input.WriteLineAsync(JsonSerializer.Serialize(order));
        await _process.Input.FlushAsync();
        await _process.ReadLineAsync();
        starting?.Invoke();
        await _process.Input.WriteLineAsync("go");
        await _process.Input.FlushAsync();
        return JsonSerializer.Deserialize<LoadResult>(await _process.ReadLineAsync())!;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.Input.Close();
        await _process.DisposeAsync();
    }
}
