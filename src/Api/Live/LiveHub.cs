using AgentPlatform.Data.Changes;
using Npgsql;

namespace AgentPlatform.Api.Live;

/// <summary>
/// The views of one organization that are open in this process. However many there are, news is read once and shared by all: after a hint, and now and
/// then without one.
/// </summary>
internal sealed partial class LiveHub : IDisposable
{
    /// <summary>How soon to look again for rows that weren't final; doubles up to <see cref="LongestPause"/>.</summary>
    public static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(10);

    /// <summary>The longest pause before looking again for rows that weren't final, or at a database that is away.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    /// <summary>How many views of an organization read their past at once, a batch each; more wait: each reads from the database what the others read, too.</summary>
    public const int CatchUpsAtOnce = 2;

    private readonly SemaphoreSlim _catchUps = new(CatchUpsAtOnce);
    private readonly LiveHubs _hubs;
    private readonly LiveFeed _feed;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _period;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _news = new(0, 1);
    private readonly CancellationTokenSource _stopped = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<LiveStream> _streams = [];
    private readonly Lock _gate = new();
    private readonly IDisposable _hints;
    private readonly IDisposable _changes;
    private LivePosition _position;

    public LiveHub(LiveHubs hubs, Guid organizationId, LiveFeed feed, LiveHints hints, ConfigurationChanges changes, TimeSpan period, TimeProvider clock, ILogger logger)
    {
        _hubs = hubs;
        OrganizationId = organizationId;
        _feed = feed;
        _period = period;
        _clock = clock;
        _logger = logger;
        _hints = hints.Watch(organizationId, _ => Wake());
        // Notifications are written in the database, by whoever writes: Postgres itself tells of them.
        _changes = changes.Subscribe(change =>
        {
            if (change.Table == "notifications" && change.OrganizationId == organizationId)
            {
                Wake();
            }
        });
        _ = Run();
    }

    /// <summary>Reads what follows a position, for a view that has missed it.</summary>
    public async Task<LiveBatch> CatchUp(LivePosition position, CancellationToken cancellationToken)
    {
        await _catchUps.WaitAsync(cancellationToken);
        try
        {
            return await _feed.Next(OrganizationId, position, isThorough: true, cancellationToken);
        }
        finally
        {
            _catchUps.Release();
        }
    }

    public Guid OrganizationId { get; }

    /// <summary>How many views are open; guarded by the hubs' gate.</summary>
    public int Members { get; set; }

    /// <summary>A stream that gets everything after the hub's position, which is known when this returns.</summary>
    public async Task<LiveStream> Join(CancellationToken cancellationToken)
    {
        var stream = new LiveStream(this, _clock);
        try
        {
            await _started.Task.WaitAsync(cancellationToken);
            lock (_gate)
            {
                stream.From = _position;
                _streams.Add(stream);
            }
            return stream;
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public void Leave(LiveStream stream)
    {
        lock (_gate)
        {
            _streams.Remove(stream);
        }
        _hubs.Release(this);
    }

    /// <summary>The last member has left.</summary>
    public void Dispose()
    {
        _hints.Dispose();
        _changes.Dispose();
        _stopped.Cancel();
    }

    private void Wake()
    {
        try
        {
            _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
            return;
        }
    }

    private async Task Run()
    {
        var pause = ShortestPause;
        var isWhole = true;
        while (!_stopped.IsCancellationRequested)
        {
            // Only when something waits, it is worth finding out whether what it waits for matters.
            var isThorough = !isWhole;
            isWhole = false;
            try
            {
                if (!_started.Task.IsCompleted)
                {
                    (_position, _) = await _feed.End(_stopped.Token);
                    _started.TrySetResult();
                }
                isWhole = await Pass(isThorough);
            }
            catch (Exception failure) when (failure is NpgsqlException or TimeoutException)
            {
                LogPostponed(_logger, OrganizationId, failure.GetType().Name);
            }
            catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
            {
                break;
            }
            pause = isWhole ? ShortestPause : pause * 2 < LongestPause ? pause * 2 : LongestPause;
            await Rest(isWhole ? _period : pause);
        }
        _started.TrySetCanceled();
        _stopped.Dispose();
        _news.Dispose();
    }

    /// <summary>Waits for a hint, at most so long.</summary>
    private async Task Rest(TimeSpan atMost)
    {
        using var rested = CancellationTokenSource.CreateLinkedTokenSource(_stopped.Token);
        using var timer = _clock.CreateTimer(static state => ((CancellationTokenSource)state!).Cancel(), rested, atMost, Timeout.InfiniteTimeSpan);
        try
        {
            await _news.WaitAsync(rested.Token);
        }
        catch (OperationCanceledException)
        {
            // Time to look without a hint, or to stop.
            return;
        }
    }

    /// <summary>Passes on all that is final; false when something wasn't yet.</summary>
    private async Task<bool> Pass(bool isThorough)
    {
        LiveBatch batch;
        do
        {
            batch = await _feed.Next(OrganizationId, _position, isThorough, _stopped.Token);
            if (batch.Rows.Count > 0)
            {
                lock (_gate)
                {
                    _position = batch.To;
                    _streams.RemoveWhere(stream => !stream.Offer(batch));
                }
            }
        }
        while (batch.IsFull);
        return batch.Pending is null;
    }

    [LoggerMessage(4302, LogLevel.Warning, "Live events of organization {OrganizationId} wait for the database ({Failure})")]
    private static partial void LogPostponed(ILogger logger, Guid organizationId, string failure);
}
