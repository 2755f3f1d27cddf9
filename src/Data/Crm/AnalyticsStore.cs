using AgentPlatform.Data.Connections;

namespace AgentPlatform.Data.Crm;

/// <summary>The engine's hold on the materialized views of analytics.</summary>
public sealed class AnalyticsStore(EngineDataSource database)
{
    /// <summary>Refreshes all of them while readers go on; returns at once where another process is at it.</summary>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task Refresh(TimeSpan timeout, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT refresh_all_analytics()");
        command.CommandTimeout = (int)Math.Ceiling(timeout.TotalSeconds);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
