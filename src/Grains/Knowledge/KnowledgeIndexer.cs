using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>Indexes in the background: at start, when an article changed anywhere, and now and then of its own accord. Several silos share the work.</summary>
internal sealed partial class KnowledgeIndexer(
    ArticleIndexer articles, ConfigurationChanges changes, IOptions<KnowledgeOptions> options, TimeProvider time, ILogger<KnowledgeIndexer> logger) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _work = new(1, 1);

    /// <inheritdoc />
    public override void Dispose()
    {
        base.Dispose();
        _work.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var subscription = changes.Subscribe(change =>
        {
            if (change.IsEverything || change.Table is "knowledge_articles")
            {
                Wake();
            }
        });
        await using var sweep = time.CreateTimer(_ =>
        {
            articles.ForgetFailures();
            Wake();
        }, null, options.Value.SweepInterval, options.Value.SweepInterval);
        var pause = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _work.WaitAsync(stoppingToken).ConfigureAwait(false);
                while (await articles.IndexNext(stoppingToken).ConfigureAwait(false))
                {
                    pause = TimeSpan.Zero;
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                // Whatever it was must not end indexing for good. Work that fails for ever is tried at each sweep, no faster.
                pause = pause >= options.Value.SweepInterval / 2 ? options.Value.SweepInterval : (pause * 2) + FirstPause;
                LogFailed(PostgresFailures.IsUnavailable(failure) ? LogLevel.Warning : LogLevel.Error, failure.GetType().Name, failure.Message, pause.TotalSeconds);
                await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                Wake();
            }
        }
    }

    private void Wake()
    {
        lock (_work)
        {
            if (_work.CurrentCount == 0)
            {
                _work.Release();
            }
        }
    }

    [LoggerMessage(EventId = 2521, Message = "Indexing broke off ({Exception}: {Reason}); it goes on in {Seconds} s")]
    private partial void LogFailed(LogLevel level, string exception, string reason, double seconds);
}
