using System.Threading.Channels;

namespace AgentPlatform.Api.Live;

/// <summary>One open view: batches wait here until its connection takes them. A view that takes too few is dropped; it comes back with its last event's id.</summary>
internal sealed class LiveStream : IDisposable
{
    /// <summary>Most batches that wait for one connection.</summary>
    public const int MaxWaiting = 64;

    /// <summary>How long a dropped stream may take to hand out what waits.</summary>
    public static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly Channel<LiveBatch> _batches = Channel.CreateBounded<LiveBatch>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly LiveHub _hub;
    private readonly CancellationTokenSource _aborted;

    public LiveStream(LiveHub hub, TimeProvider clock)
    {
        _hub = hub;
        _aborted = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
    }

    /// <summary>Where the batches begin.</summary>
    public LivePosition From { get; set; }

    public ChannelReader<LiveBatch> Batches => _batches.Reader;

    /// <summary>Set when the view was too slow.</summary>
    public bool IsDropped { get; private set; }

    /// <summary>Cancelled when a dropped view doesn't even take what waits.</summary>
    public CancellationToken Aborted => _aborted.Token;

    /// <summary>What followed a position that lies before <see cref="From"/>.</summary>
    public Task<LiveBatch> CatchUp(LivePosition position, CancellationToken cancellationToken) => _hub.CatchUp(position, cancellationToken);

    /// <summary>False when the view was dropped.</summary>
    public bool Offer(LiveBatch batch)
    {
        if (_batches.Writer.TryWrite(batch))
        {
            return true;
        }
        IsDropped = true;
        _batches.Writer.TryComplete();
        _aborted.CancelAfter(Farewell);
        return false;
    }

    public void Dispose()
    {
        _hub.Leave(this);
        _aborted.Dispose();
    }
}
