using System.Diagnostics;

namespace AgentPlatform.Fakes.Postgres;

/// <summary>
/// A Postgres server of a test's own, for tests that stop, kill and start it. It keeps its address and its data from one start to the next and is
/// deleted at the end. It writes through to the disk like one in production, so that a kill loses nothing that was committed.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly string _folder;

    private PostgresServer(string folder, string url)
    {
        _folder = folder;
        Url = url;
    }

    /// <summary>The administrator's address, as for <c>DATABASE_URL</c>.</summary>
    public string Url { get; private set; }

    /// <summary>Makes and starts a server.</summary>
    public static async Task<PostgresServer> StartNewAsync()
    {
        var folder = Directory.CreateTempSubdirectory("agentplatform-postgres-").FullName;
        // The server runs as its own user where the tests run as root.
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }

        return new PostgresServer(folder, await RunAsync("start", folder).ConfigureAwait(false));
    }

    /// <summary>Stops it as an operator does: sessions are ended, everything is written.</summary>
    public Task StopAsync() => RunAsync("stop", _folder, "fast");

    /// <summary>Stops it without writing anything more, as a crash does; the next start recovers.</summary>
    public Task CrashAsync() => RunAsync("stop", _folder, "immediate");

    /// <summary>Starts it again with all its data, at the same address.</summary>
    public async Task StartAsync() => Url = await RunAsync("start", _folder).ConfigureAwait(false);

    /// <summary>Stops it and deletes its data.</summary>
    public async ValueTask DisposeAsync()
    {
        await CrashAsync().ConfigureAwait(false);
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(RepositoryRoot.Path, "eng", "postgres"), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
        await process.WaitForExitAsync().ConfigureAwait(false);
        if (process.ExitCode != 0)
        {
            var why = await errors.ConfigureAwait(false);
            throw new InvalidOperationException($"eng/postgres {string.Join(' ', arguments)} failed: {why}");
        }

        return output.Trim();
    }
}
