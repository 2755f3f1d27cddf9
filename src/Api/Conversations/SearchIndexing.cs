using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Api.Conversations;

/// <summary>
/// Makes the words of new messages findable, beside the hot path: search follows within seconds, more under load. Of several processes one does it at a time.
/// </summary>
internal sealed partial class SearchIndexing(ApiDataSource database, TimeProvider clock, ILogger<SearchIndexing> logger) : BackgroundService
{
    /// <summary>How often to look for new messages.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>How long to leave the database alone between two full batches, at least.</summary>
    public static readonly TimeSpan Breath = TimeSpan.FromMilliseconds(100);

    /// <summary>The same as a multiple of what a batch took: in a flood the messages themselves come first.</summary>
    public const int BreathsPerBatch = 15;

    /// <summary>Most messages taken at once: few enough that no commit waits long for a processor.</summary>
    public const int BatchSize = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var pause = Period;
            try
            {
                var startedAt = clock.GetTimestamp();
                if (await Index(stoppingToken) >= BatchSize)
                {
                    var rest = clock.GetElapsedTime(startedAt) * BreathsPerBatch;
                    pause = rest > Breath ? rest : Breath;
                }
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                LogPostponed(failure.GetType().Name);
            }
            await Task.Delay(pause, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Takes one batch; returns how many messages were in it.</summary>
    public async Task<int> Index(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT index_messages_for_search($1)");
        command.Parameters.Add(new() { Value = BatchSize });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    [LoggerMessage(4201, LogLevel.Warning, "Taking up messages for search is postponed: {Failure}")]
    private partial void LogPostponed(string failure);
}
