using Orleans.Runtime;

namespace Orleans.Timers;

/// <summary>
/// A timer whose ticks are requests to its own activation: they wait their turn, and the next one is set only
/// when the last one has ended.
/// </summary>
internal sealed class GrainTimer : IGrainTimer
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromMilliseconds(0xfffffffe);

    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _timer;
    private readonly bool _interleave;
    private readonly bool _keepAlive;
    private TimeSpan _dueTime;
    private TimeSpan _period;
    private bool _firing;
    private bool _changed;

    private GrainTimer(Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        _activation = activation;
        _callback = callback;
        _interleave = options.Interleave;
        _keepAlive = options.KeepAlive;

        // A timer must not carry the values of the request that happened to start it.
        using (ExecutionContext.IsFlowSuppressed() ? default(IDisposable?) : ExecutionContext.SuppressFlow())
        {
            _timer = activation.Runtime.TimeProvider.CreateTimer(static state => ((GrainTimer)state!).Tick(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    internal bool Interleave => _interleave;

    internal bool KeepAlive => _keepAlive;

    internal CancellationToken Stopped => _stop.Token;

    /// <inheritdoc />
    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        Check(dueTime, nameof(dueTime));
        Check(period, nameof(period));
        lock (_stop)
        {
            _dueTime = dueTime;
            _period = period;
            _changed = true;
            if (!_firing && !_stop.IsCancellationRequested)
            {
                _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_stop)
        {
            if (_stop.IsCancellationRequested)
            {
                return;
            }
        }

        _stop.Cancel();
        _timer.Dispose();
        _activation.RemoveTimer(this);
    }

    internal static GrainTimer Start(Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        var timer = new GrainTimer(activation, callback, options);
        activation.AddTimer(timer);
        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    internal Task Invoke() => _callback(_stop.Token);

    /// <summary>Sets the next tick; the last one has run, was dropped, or failed.</summary>
    internal void TickEnded()
    {
        lock (_stop)
        {
            _firing = false;
            if (!_stop.IsCancellationRequested)
            {
                _timer.Change(_changed ? _dueTime : _period, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private static void Check(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan && (value < TimeSpan.Zero || value > MaxTime))
        {
            throw new ArgumentOutOfRangeException(name, value, $"A timer's times are infinite or between 0 and {MaxTime.TotalDays:F0} days.");
        }
    }

    private void Tick()
    {
        lock (_stop)
        {
            if (_firing || _stop.IsCancellationRequested)
            {
                return;
            }

            _firing = true;
            _changed = false;
        }

        _activation.Accept(new TimerTick(this));
    }
}
