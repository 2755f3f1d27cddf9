namespace Orleans.Runtime;

/// <summary>
/// The requests that somebody awaits, so that each ends within its response timeout. Spread over a few lists with a
/// lock each; within a list adding and removing take constant time and no memory.
/// </summary>
internal sealed class PendingRequests : IDisposable
{
    private static readonly TimeSpan MaxSweepPeriod = TimeSpan.FromMilliseconds(250);

    private readonly Stripe[] _stripes;
    private readonly TimeSpan _responseTimeout;
    private readonly TimeSpan _cycleAge;
    private readonly Timer _sweep;
    private readonly Action<GrainRequest, TimeSpan> _expired;
    private readonly Action<GrainRequest, string> _cycle;

    public PendingRequests(TimeSpan responseTimeout, Action<GrainRequest, TimeSpan> expired, Action<GrainRequest, string> cycle)
    {
        _responseTimeout = responseTimeout;
        _expired = expired;
        _cycle = cycle;
        _stripes = new Stripe[Math.Min(64, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Environment.ProcessorCount * 2))];
        for (var i = 0; i < _stripes.Length; i++)
        {
            _stripes[i] = new Stripe();
        }

        // What a grain does beside its requests looks like part of them: only what has stood still for long is called a cycle.
        _cycleAge = responseTimeout / 2;
        var period = TimeSpan.FromTicks(Math.Clamp(responseTimeout.Ticks / 8, TimeSpan.FromMilliseconds(10).Ticks, MaxSweepPeriod.Ticks));
        using (ExecutionContext.IsFlowSuppressed() ? default(IDisposable?) : ExecutionContext.SuppressFlow())
        {
            _sweep = new Timer(static state => ((PendingRequests)state!).Sweep(), this, period, period);
        }
    }

    public void Add(GrainRequest request)
    {
        var stripe = Environment.CurrentManagedThreadId & (_stripes.Length - 1);
        var now = Environment.TickCount64;
        request.PendingStripe = (byte)stripe;
        request.SentAt = now;
        request.Deadline = now + (long)(request.Method?.ResponseTimeout ?? _responseTimeout).TotalMilliseconds;
        _stripes[stripe].Add(request);
    }

    public void Remove(GrainRequest request) => _stripes[request.PendingStripe].Remove(request);

    public void Dispose() => _sweep.Dispose();

    /// <summary>A copy of what is pending now.</summary>
    public List<GrainRequest> Snapshot()
    {
        var all = new List<GrainRequest>();
        foreach (var stripe in _stripes)
        {
            stripe.CopyTo(all, long.MaxValue);
        }

        return all;
    }

    private void Sweep()
    {
        var now = Environment.TickCount64;
        var old = new List<GrainRequest>();
        foreach (var stripe in _stripes)
        {
            stripe.CopyTo(old, now - (long)_cycleAge.TotalMilliseconds);
        }

        if (old.Count == 0)
        {
            return;
        }

        foreach (var request in old)
        {
            if (request.Deadline <= now)
            {
                _expired(request, request.Method?.ResponseTimeout ?? _responseTimeout);
            }
        }

        CallCycles.Find(old, _cycle);
    }

    private sealed class Stripe
    {
        private GrainRequest? _first;

        public void Add(GrainRequest request)
        {
            lock (this)
            {
                request.NextPending = _first;
                if (_first is not null)
                {
                    _first.PreviousPending = request;
                }

                _first = request;
            }
        }

        public void Remove(GrainRequest request)
        {
            lock (this)
            {
                if (request.PreviousPending is { } previous)
                {
                    previous.NextPending = request.NextPending;
                }
                else if (_first == request)
                {
                    _first = request.NextPending;
                }

                if (request.NextPending is { } next)
                {
                    next.PreviousPending = request.PreviousPending;
                }

                request.NextPending = null;
                request.PreviousPending = null;
            }
        }

        /// <summary>Copies the requests sent at or before a time, and those whose own timeout is shorter than that.</summary>
        public void CopyTo(List<GrainRequest> list, long sentBefore)
        {
            lock (this)
            {
                for (var request = _first; request is not null; request = request.NextPending)
                {
                    if (request.SentAt <= sentBefore || request.Deadline <= Environment.TickCount64)
                    {
                        list.Add(request);
                    }
                }
            }
        }
    }
}
