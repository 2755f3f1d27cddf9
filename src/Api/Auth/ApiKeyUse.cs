using System.Collections.Concurrent;
using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Api.Auth;

/// <summary>When API keys were last used: remembered with each request, written for all of them once in a while.</summary>
internal sealed partial class ApiKeyUse(ApiDataSource database, TimeProvider clock, ILogger<ApiKeyUse> logger) : BackgroundService
{
    /// <summary>How often it is written.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _used = new();

    /// <summary>Returns at once.</summary>
    public void Used(Guid keyId) => _used[keyId] = clock.GetUtcNow();

    /// <summary>Writes what was gathered.</summary>
    public async Task Flush(CancellationToken cancellationToken)
    {
        var used = _used.ToArray();
        if (used.Length == 0)
        {
            return;
        }
        await using var command = database.CreateCommand("SELECT touch_api_keys($1, $2)");
        command.Parameters.Add(new() { Value = used.Select(entry => entry.Key).ToArray() });
        command.Parameters.Add(new() { Value = used.Select(entry => entry.Value).ToArray() });
        await command.ExecuteNonQueryAsync(cancellationToken);
        foreach (var entry in used)
        {
            // Only if it wasn't used again meanwhile.
            _used.TryRemove(entry);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Try(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await Try(stoppingToken);
        }
    }

    private async Task Try(CancellationToken cancellationToken)
    {
        try
        {
            await Flush(cancellationToken);
        }
        catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
        {
            LogPostponed(failure.GetType().Name);
        }
    }

    [LoggerMessage(4102, LogLevel.Warning, "Writing when API keys were last used is postponed: {Failure}")]
    private partial void LogPostponed(string failure);
}
