using System.Diagnostics;
using System.Text;
using AgentPlatform.Fakes;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>The silo as users run it, or the API: a process of its own, which a test may kill.</summary>
internal sealed class SiloProcess : IAsyncDisposable
{
    public const string SecretsKeys = "test:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private readonly string _program;
    private readonly Dictionary<string, string> _settings;
    private readonly StringBuilder _log = new();
    private Process? _process;

    /// <param name="databaseUrl">Its database.</param>
    /// <param name="settings">Environment variables, beside or instead of those that all tests have.</param>
    /// <param name="program"><c>Silo</c> or <c>Api</c>.</param>
    public SiloProcess(string databaseUrl, Dictionary<string, string>? settings = null, string program = "Silo")
    {
        _program = program;
        Port = TestPorts.Next();
        _settings = new Dictionary<string, string>
        {
            ["DATABASE_URL"] = databaseUrl,
            ["PORT"] = Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["BIND_ADDRESS"] = "127.0.0.1",
            ["ASPNETCORE_URLS"] = Address.ToString(),
            ["ORLEANS_SILO_PORT"] = TestPorts.Next().ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["ORLEANS_GATEWAY_PORT"] = TestPorts.Next().ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["ALLOW_PRIVATE_ENDPOINTS"] = "true",
            ["SECRETS_KEYS"] = SecretsKeys,
            ["JWT_SIGNING_KEY"] = "a signing key for tests that is long enough",
            ["Engine__Instance__HeartbeatInterval"] = "00:00:00.3",
            ["Engine__Instance__DeadAfter"] = "00:00:01.2",
            ["Engine__Instance__SweepInterval"] = "00:00:00.3",
            ["Engine__Instance__UnsentAfter"] = "00:00:02",
            ["Engine__Delivery__DoubtTime"] = "00:00:04",
            ["Logging__LogLevel__Default"] = "Warning",
            ["DOTNET_gcServer"] = "0",
        };
        foreach (var (name, value) in settings ?? [])
        {
            _settings[name] = value;
        }
    }

    public int Port { get; }

    public Uri Address => new($"http://127.0.0.1:{Port}");

    /// <summary>What the silo wrote, over all its lives.</summary>
    public string Log
    {
        get
        {
            lock (_log)
            {
                return _log.ToString();
            }
        }
    }

    /// <summary>The most memory that it has had so far, in bytes: what the system counts as its resident set.</summary>
    public long PeakMemory => long.Parse(
        File.ReadLines($"/proc/{_process!.Id}/status").First(static line => line.StartsWith("VmHWM:", StringComparison.Ordinal))[6..^2].Trim(), System.Globalization.CultureInfo.InvariantCulture) * 1024;

    /// <summary>Starts it and returns when it is ready.</summary>
    public async Task Start()
    {
        _process = Process.Start(Executable())!;
        _process.OutputDataReceived += (_, line) => Append(line.Data);
        _process.ErrorDataReceived += (_, line) => Append(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        using var patience = new CancellationTokenSource(StartPatience);
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync("/health/ready", patience.Token);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
            {
                // Not listening yet.
            }
            if (_process.HasExited || patience.IsCancellationRequested)
            {
                throw new InvalidOperationException($"The {_program} did not become ready. Its log:\n{Log}");
            }
            await Task.Delay(50);
        }
    }

    /// <summary>Runs a command of the silo's to its end; returns what it printed.</summary>
    public async Task<string> Run(params string[] arguments)
    {
        using var process = Process.Start(Executable(arguments))!;
        using var patience = new CancellationTokenSource(StartPatience);
        var errors = process.StandardError.ReadToEndAsync(patience.Token);
        var printed = await process.StandardOutput.ReadToEndAsync(patience.Token);
        await process.WaitForExitAsync(patience.Token);
        Assert.True(process.ExitCode == 0, $"The command ended with {process.ExitCode}: {printed}{await errors}");
        return printed;
    }

    /// <summary><c>kill -9</c>: no last words.</summary>
    public async Task Kill()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await Kill();
        }
    }

    private ProcessStartInfo Executable(params string[] arguments)
    {
        var configuration = AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug";
        var program = Path.Combine(RepositoryRoot.Path, "src", _program, "bin", configuration, "net10.0", $"AgentPlatform.{_program}.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetDirectoryName(program)! };
        foreach (var (name, value) in _settings)
        {
            start.Environment[name] = value;
        }
        return start;
    }

    private void Append(string? line)
    {
        if (line is not null)
        {
            lock (_log)
            {
                _log.AppendLine(line);
            }
        }
    }

}
