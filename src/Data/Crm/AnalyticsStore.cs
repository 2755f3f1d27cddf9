using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Data.Crm;

/// <summary>A report that can't be brought up to date for an organization, which therefore sees it as it was.</summary>
public sealed record ReportFailure(Guid OrganizationId, string Report, string Reason);

/// <summary>The engine's hold on the reports of analytics.</summary>
public sealed class AnalyticsStore(EngineDataSource database)
{
    /// <summary>Brings all of them up to date while readers go on; returns at once where another process is at it.</summary>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What failed, and for whom; the others' reports are up to date.</returns>
    public async Task<IReadOnlyList<ReportFailure>> Refresh(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Timeout = (int)Math.Ceiling(timeout.TotalSeconds);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT refresh_all_analytics()"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT organization_id, report, reason FROM analytics_failures ORDER BY organization_id, report"));
        await using var row = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await row.NextResultAsync(cancellationToken).ConfigureAwait(false);
        var failures = new List<ReportFailure>();
        while (await row.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            failures.Add(new ReportFailure(row.GetGuid(0), row.GetString(1), row.GetString(2)));
        }
        return failures;
    }
}
