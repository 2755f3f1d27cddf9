using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Browser.Tests.Chromium;

/// <summary>A headless Chromium, spoken to by its DevTools protocol. One for all tests of a class; each page has a profile of its own.</summary>
public sealed class ChromiumBrowser : IAsyncLifetime
{
    /// <summary>Environment variable with the path of the browser; ./test sets it.</summary>
    public const string PathVariable = "CHROMIUM";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _profile = Path.Combine(Path.GetTempPath(), $"agentplatform-browser-{Guid.NewGuid():N}");
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonObject>> _answers = new();
    private readonly ConcurrentDictionary<string, Action<string, JsonObject>> _listeners = new();
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly CancellationTokenSource _ends = new();
    private Process? _process;
    private Task? _reading;
    private int _lastId;

    public async Task InitializeAsync()
    {
        var start = new ProcessStartInfo(FindBrowser()) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0", $"--user-data-dir={_profile}", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic", "--lang=en-US", "about:blank",
        ])
        {
            start.ArgumentList.Add(argument);
        }
        start.Environment["HOME"] = Path.GetTempPath();
        _process = Process.Start(start) ?? throw new InvalidOperationException("Chromium did not start.");
        _process.BeginOutputReadLine();
        await _socket.ConnectAsync(await ReadAddress(_process), CancellationToken.None);
        _reading = Read();
    }

    public async Task DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        await _ends.CancelAsync();
        await (_reading ?? Task.CompletedTask);
        _socket.Dispose();
        _process?.Dispose();
        if (Directory.Exists(_profile))
        {
            Directory.Delete(_profile, recursive: true);
        }
    }

    /// <summary>A page with a profile of its own, or another tab beside one.</summary>
    public async Task<ChromiumPage> NewPage(ChromiumPage? beside = null)
    {
        var context = beside?.Profile ?? (await Send("Target.createBrowserContext", [])).Text("browserContextId");
        var target = (await Send("Target.createTarget", new() { ["url"] = "about:blank", ["browserContextId"] = context })).Text("targetId");
        var session = (await Send("Target.attachToTarget", new() { ["targetId"] = target, ["flatten"] = true })).Text("sessionId");
        var page = new ChromiumPage(this, session, context);
        _listeners[session] = page.Hear;
        foreach (var domain in (string[])["Page", "Runtime", "Log", "Network", "Accessibility"])
        {
            await page.Send($"{domain}.enable");
        }
        return page;
    }

    internal async Task<JsonObject> Send(string method, JsonObject parameters, string? session = null)
    {
        var id = Interlocked.Increment(ref _lastId);
        var answer = _answers[id] = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (session is not null)
        {
            message["sessionId"] = session;
        }
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }
        var result = await answer.Task.WaitAsync(Patience);
        return result["error"] is { } error ? throw new InvalidOperationException($"{method}: {error.ToJsonString()}") : result["result"]!.AsObject();
    }

    private static string FindBrowser()
    {
        if (Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } given)
        {
            return given;
        }
        var folders = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator) ?? [];
        return ((string[])["chromium", "chromium-browser", "google-chrome"]).SelectMany(name => folders.Select(folder => Path.Combine(folder, name))).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"No Chromium was found. Run ./test, which installs it, or: export {PathVariable}=$(eng/chromium)");
    }

    private static async Task<Uri> ReadAddress(Process process)
    {
        const string Mark = "DevTools listening on ";
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var said = new ConcurrentQueue<string>();
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                address.TrySetException(new InvalidOperationException($"Chromium ended before it listened: {string.Join('\n', said)}"));
            }
            else if (line.Data.StartsWith(Mark, StringComparison.Ordinal))
            {
                address.TrySetResult(new Uri(line.Data[Mark.Length..]));
            }
            else if (said.Count < 100)
            {
                said.Enqueue(line.Data);
            }
        };
        process.BeginErrorReadLine();
        return await address.Task.WaitAsync(Patience);
    }

    private async Task Read()
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(buffer.AsMemory(), _ends.Token);
                message.Write(buffer, 0, part.Count);
                if (!part.EndOfMessage)
                {
                    continue;
                }
                Take(JsonNode.Parse(message.GetBuffer().AsSpan(0, (int)message.Length))!.AsObject());
                message.SetLength(0);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or WebSocketException)
        {
            foreach (var (_, waiting) in _answers)
            {
                waiting.TrySetException(new InvalidOperationException("Chromium has gone.", end));
            }
        }
    }

    private void Take(JsonObject message)
    {
        if (message["id"]?.GetValue<int>() is { } id)
        {
            if (_answers.TryRemove(id, out var answer))
            {
                answer.SetResult(message);
            }
        }
        else if (message["sessionId"]?.GetValue<string>() is { } session && _listeners.TryGetValue(session, out var listener))
        {
            listener(message["method"]!.GetValue<string>(), message["params"]!.AsObject());
        }
    }
}

internal static class ProtocolJson
{
    public static string Text(this JsonObject json, string member) => json[member]!.GetValue<string>();
}
