using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.Bench.Processes;

/// <summary>A process that this one starts and ends. Its standard error goes to a log in the temporary folder, shown when it fails.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _log;
    private readonly Task _logging;

    private ChildProcess(Process process, string log, Task logging)
    {
        _process = process;
        _log = log;
        _logging = logging;
    }

    /// <summary>Its id.</summary>
    public int Id => _process.Id;

    /// <summary>What it writes; null when it was started with a log for that too.</summary>
    public StreamReader Output => _process.StandardOutput;

    /// <summary>What it reads.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Starts this program again with other arguments.</summary>
    public static ChildProcess StartSelf(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null) =>
        Start(typeof(ChildProcess).Assembly.Location, arguments, environment, logsOutput: false);

    /// <summary>Starts an assembly under the same runtime.</summary>
    public static ChildProcess Start(string assembly, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment, bool logsOutput)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(assembly)!,
        };
        start.ArgumentList.Add(assembly);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        var log = Path.GetTempFileName();
        var process = Process.Start(start)!;
        return new ChildProcess(process, log, Log(process, log, logsOutput));
    }

    /// <summary>A port on loopback that nobody listens on.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Waits until the process answers an HTTP request with 2xx.</summary>
    /// <exception cref="InvalidOperationException">It ended, or did not answer in time; the message ends with the last lines of its log.</exception>
    public async Task WaitForAsync(Uri address, TimeSpan patience)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var clock = Stopwatch.StartNew();
        string last = "nothing";
        while (clock.Elapsed < patience && !_process.HasExited)
        {
            try
            {
                using var answer = await client.GetAsync(address);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
                last = $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}";
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                last = failure.Message;
            }
            await Task.Delay(50);
        }
        throw new InvalidOperationException($"{_process.StartInfo.ArgumentList[0]} did not get ready ({last}).\n{await TailAsync()}");
    }

    /// <summary>Waits for its end.</summary>
    /// <exception cref="InvalidOperationException">It ended with another code than 0.</exception>
    public async Task WaitForEndAsync()
    {
        await _process.WaitForExitAsync();
        if (_process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{_process.StartInfo.ArgumentList[0]} ended with code {_process.ExitCode}.\n{await TailAsync()}");
        }
    }

    /// <summary>One line of its output.</summary>
    /// <exception cref="InvalidOperationException">It ended; the message ends with the last lines of its log.</exception>
    public async Task<string> ReadLineAsync() =>
        await Output.ReadLineAsync() ?? throw new InvalidOperationException($"{_process.StartInfo.ArgumentList[0]} ended.\n{await TailAsync()}");

    /// <summary>Lines of its log that hold a word.</summary>
    public async Task<string> TailAsync()
    {
        await Task.WhenAny(_logging, Task.Delay(500));
        return string.Join('\n', (await File.ReadAllLinesAsync(_log)).TakeLast(30));
    }

    /// <summary>Asks it to end, waits, and then insists.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }
        await _logging;
        _process.Dispose();
        File.Delete(_log);
    }

    private static async Task Log(Process process, string path, bool logsOutput)
    {
        await using var log = new StreamWriter(path) { AutoFlush = true };
        var gate = new SemaphoreSlim(1);
        await Task.WhenAll(Copy(process.StandardError), logsOutput ? Copy(process.StandardOutput) : Task.CompletedTask);

        async Task Copy(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                await gate.WaitAsync();
                await log.WriteLineAsync(line);
                gate.Release();
            }
        }
    }
}
