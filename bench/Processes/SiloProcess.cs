using System.Globalization;
using System.Security.Cryptography;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;

namespace AgentPlatform.Bench.Processes;

/// <summary>The product: one silo with the API, built for release, in a process of its own on the bench's database.</summary>
public sealed class SiloProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly ChildProcess _process;

    private SiloProcess(ChildProcess process, int port)
    {
        _process = process;
        Port = port;
    }

    /// <summary>Where it serves HTTP.</summary>
    public int Port { get; }

    /// <summary>Seconds of processor time so far.</summary>
    public double ProcessorSeconds() => ProcessorTime.Of(_process.Id);

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="settings">Settings beside those that every part of the bench uses.</param>
    public static async Task<SiloProcess> StartAsync(BenchDatabase database, IReadOnlyDictionary<string, string>? settings = null)
    {
        var port = ChildProcess.FreePort();
        var environment = new Dictionary<string, string>(settings ?? new Dictionary<string, string>())
        {
            ["DATABASE_URL"] = database.Url,
            ["PORT"] = port.ToString(CultureInfo.InvariantCulture),
            ["BIND_ADDRESS"] = "127.0.0.1",
            ["ORLEANS_SILO_PORT"] = ChildProcess.FreePort().ToString(CultureInfo.InvariantCulture),
            ["ORLEANS_GATEWAY_PORT"] = ChildProcess.FreePort().ToString(CultureInfo.InvariantCulture),
            ["PUBLIC_BASE_URL"] = $"http://127.0.0.1:{port}",
            ["SECRETS_KEYS"] = BenchDatabase.SecretsKey,
            ["JWT_SIGNING_KEY"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(48)),
            ["ALLOW_PRIVATE_ENDPOINTS"] = "true",
            ["Logging__LogLevel__Default"] = "Warning",
        };
        var process = ChildProcess.Start(Assembly(), [], environment, logsOutput: true);
        try
        {
            await process.WaitForAsync(new Uri($"http://127.0.0.1:{port}/health/ready"), Patience);
            return new SiloProcess(process, port);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>The last lines of its log, for a part that finds its answers wrong.</summary>
    public Task<string> TailAsync() => _process.TailAsync();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _process.DisposeAsync();

    /// <summary>The silo as its own project builds it, beside this one.</summary>
    private static string Assembly()
    {
        var own = AppContext.BaseDirectory.TrimEnd('/');
        var framework = Path.GetFileName(own);
        var configuration = Path.GetFileName(Path.GetDirectoryName(own))!;
        var silo = Path.Combine(AgentPlatform.Fakes.RepositoryRoot.Path, "src", "Silo", "bin", configuration, framework, "AgentPlatform.Silo.dll");
        return File.Exists(silo) ? silo : throw new InvalidOperationException($"{silo} is not there. Start the bench with bench/run, which builds it.");
    }
}
