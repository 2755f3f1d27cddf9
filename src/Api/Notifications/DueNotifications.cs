using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Api.Notifications;

/// <summary>Tells people what became due, and deletes what was told long ago.</summary>
internal sealed partial class DueNotifications(ApiDataSource database, TimeProvider clock, ILogger<DueNotifications> logger) : BackgroundService
{
    /// <summary>How often it looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    /// <summary>Most rows of a kind at once.</summary>
    public const int BatchSize = 500;

    /// <summary>How long e-mails are kept once they were made.</summary>
    public static readonly TimeSpan EmailsKept = TimeSpan.FromDays(30);

    /// <summary>How long notifications are kept.</summary>
    public static readonly TimeSpan NotificationsKept = TimeSpan.FromDays(180);

    /// <summary>One look.</summary>
    public async Task Look(CancellationToken cancellationToken)
    {
        await Repeat("SELECT notify_due_activities($1)", [BatchSize], cancellationToken);
        await Repeat("SELECT purge_notifications($1, $2, $3)", [BatchSize, EmailsKept, NotificationsKept], cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await Look(stoppingToken);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                LogPostponed(failure.GetType().Name);
            }
        }
    }

    private async Task Repeat(string sql, object[] values, CancellationToken cancellationToken)
    {
        int done;
        do
        {
            await using var command = database.CreateCommand(sql);
            foreach (var value in values)
            {
                command.Parameters.Add(new() { Value = value });
            }
            done = (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
        while (done >= BatchSize);
    }

    [LoggerMessage(4106, LogLevel.Warning, "Telling what is due is postponed: {Failure}")]
    private partial void LogPostponed(string failure);
}
