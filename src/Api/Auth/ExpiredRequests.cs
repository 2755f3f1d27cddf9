using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Api.Auth;

/// <summary>Deletes what is kept for a while only: idempotency keys, counts of failed sign-ins, sessions long over.</summary>
internal sealed partial class ExpiredRequests(ApiDataSource database, TimeProvider clock, ILogger<ExpiredRequests> logger) : BackgroundService
{
    /// <summary>How often.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMinutes(10);

    /// <summary>Most rows of a kind deleted at once.</summary>
    public const int BatchSize = 5000;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Purge(stoppingToken);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                LogPostponed(failure.GetType().Name);
            }
        }
    }

    /// <summary>Deletes until little is left.</summary>
    public async Task Purge(CancellationToken cancellationToken)
    {
        int deleted;
        do
        {
            await using var command = database.CreateCommand("SELECT purge_expired_requests($1)");
            command.Parameters.Add(new() { Value = BatchSize });
            deleted = (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
        while (deleted >= BatchSize);
    }

    [LoggerMessage(4101, LogLevel.Warning, "Deleting expired requests is postponed: {Failure}")]
    private partial void LogPostponed(string failure);
}
