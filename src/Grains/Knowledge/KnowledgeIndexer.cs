using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>Indexes in the background: at start, when an article changed anywhere, and now and then of its own accord. Several silos share the work.</summary>
internal sealed partial class KnowledgeIndexer(
    ArticleIndexer articles, VectorKeeper vectors, ConfigurationChanges changes, IOptions<KnowledgeOptions> options, TimeProvider time, ILogger<KnowledgeIndexer> logger) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);

    private readonly SemaphoreSlim _work = new(1, 1);
    private readonly Lock _gate = new();

    /// <summary>Organizations whose vectors are to be looked at; null for all.</summary>
    private HashSet<Guid>? _changed;

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
            if (change.IsEverything || change.Table is "knowledge_articles" or "llm_credentials" or "llm_models")
            {
                Note(change);
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
                while (await articles.IndexNext(stoppingToken).ConfigureAwait(false) is { } organizationId)
                {
                    Note(organizationId);
                }

                await KeepVectors(stoppingToken).ConfigureAwait(false);
                pause = TimeSpan.Zero;
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

    private async Task KeepVectors(CancellationToken cancellationToken)
    {
        HashSet<Guid>? changed;
        lock (_gate)
        {
            (changed, _changed) = (_changed, []);
        }

        var isDone = false;
        try
        {
            foreach (var organizationId in await vectors.Run(changed, cancellationToken).ConfigureAwait(false))
            {
                Note(organizationId); // for the next sweep
            }

            isDone = true;
        }
        finally
        {
            if (!isDone)
            {
                Restore(changed);
            }
        }
    }

    private void Note(ConfigurationChange change)
    {
        if (change.IsEverything || (change.Table == "llm_models" && change.OrganizationId is null))
        {
            Restore(null);
        }
        else if (change.Table is "llm_credentials" or "llm_models")
        {
            Note(change.OrganizationId!.Value);
        }
    }

    private void Note(Guid organizationId)
    {
        lock (_gate)
        {
            _changed?.Add(organizationId);
        }
    }

    private void Restore(HashSet<Guid>? changed)
    {
        lock (_gate)
        {
            _changed = changed is null || _changed is null ? null : [.. _changed, .. changed];
        }
    }

    private void Wake()
    {
        lock (_gate)
        {
            if (_work.CurrentCount == 0)
            {
                _work.Release();
            }
        }
    }

    [LoggerMessage(EventId = 2521, Message = "Indexing or making vectors broke off ({Exception}: {Reason}); it goes on in {Seconds} s")]
    private partial void LogFailed(LogLevel level, string exception, string reason, double seconds);
}
