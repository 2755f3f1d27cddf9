using AgentPlatform.Data.Connections;
using AgentPlatform.Jobs;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Privacy;

/// <inheritdoc cref="IRetentionGrain"/>
internal sealed partial class RetentionGrain(EngineDataSource database, ILogger<RetentionGrain> logger) : Grain, IRetentionGrain, IRemindable
{
    private const string ReminderName = "retention";
    private const int FilesAtOnce = 100;
    private static readonly TimeSpan Period = TimeSpan.FromHours(1);

    /// <summary>Once a day for each organization that wants it. OFFSET 0 keeps it one look into an index for each of them, and no join with all jobs of that kind.</summary>
    private const string Due = """
        INSERT INTO jobs (id, organization_id, type, work, minimum_role)
        SELECT gen_random_uuid(), o.id, 'bulk_processing', 'retention', 'admin' FROM organizations o
        WHERE coalesce(o.messages_kept_days, o.turns_kept_days, o.activity_logs_kept_days, o.idempotency_keys_kept_days, o.files_kept_days) IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM jobs j WHERE j.organization_id = o.id AND j.work = 'retention' AND (j.status IN ('pending', 'processing') OR j.created_at > now() - interval '20 hours') OFFSET 0)
        RETURNING id
        """;

    public async Task Start() => await this.RegisterOrUpdateReminder(ReminderName, TimeSpan.FromMinutes(1), Period);

    public async Task ReceiveReminder(string reminderName, TickStatus status)
    {
        try
        {
            await StartDue();
        }
        catch (Exception failure)
        {
            LogPostponed(logger, failure.GetType().Name, failure.Message);
        }
    }

    public async Task<int> StartDue()
    {
        var started = new List<Guid>();
        await using (var command = database.CreateCommand(Due))
        await using (var rows = await command.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync())
            {
                started.Add(rows.GetGuid(0));
            }
        }
        foreach (var job in started)
        {
            await GrainFactory.GetGrain<IJobGrain>(job).Run();
        }
        int deleted;
        do
        {
            await using var expired = database.CreateCommand("DELETE FROM files WHERE id = ANY (ARRAY(SELECT f.id FROM files f WHERE f.expires_at < now() AND NOT EXISTS (SELECT FROM knowledge_sources s WHERE s.file_id = f.id OFFSET 0) ORDER BY f.expires_at LIMIT $1))");
            expired.Parameters.Add(new() { Value = FilesAtOnce });
            deleted = await expired.ExecuteNonQueryAsync();
        }
        while (deleted == FilesAtOnce);
        return started.Count;
    }

    [LoggerMessage(EventId = 2611, Level = LogLevel.Warning, Message = "Deleting what is kept for a while only is postponed ({Exception}: {Reason}); the next reminder tries again")]
    private static partial void LogPostponed(ILogger logger, string exception, string reason);
}
