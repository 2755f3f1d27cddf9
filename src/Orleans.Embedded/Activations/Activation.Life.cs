namespace Orleans.Runtime;

/// <summary>How an activation begins and ends.</summary>
internal sealed partial class Activation
{
    private object? _instance;
    private volatile Stage _stage;

    // Used since the collector last looked; the collector notes since when it is idle (the runtime's clock).
    private bool _used = true;
    private long _idleSince;

    /// <summary>Puts a ready-made object into an activation of its own: an observer.</summary>
    public void StartWith(object instance)
    {
        _instance = instance;
        _stage = Stage.Valid;
    }

    /// <inheritdoc />
    public void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default)
    {
        lock (this)
        {
            if (_stage is Stage.Deactivating or Stage.Gone || Extras.Ending)
            {
                return;
            }

            Extras.Ending = true;
            Extras.Reason = deactivationReason;
            if (_stage == Stage.Valid)
            {
                _stage = Stage.Deactivating;
                if (_runningCount == 0)
                {
                    BeginDeactivation();
                }
            }

            if (_stage != Stage.New)
            {
                return;
            }

            _stage = Stage.Gone;
            Extras.Gone?.TrySetResult();
        }

        // Not within the lock: a stateless worker's pool takes its own lock first and then an activation's.
        Type.Remove(this);
    }

    /// <summary>Whether it has been idle for its age limit; called by the collector once in each quantum.</summary>
    public bool CollectIfIdle(long now, TimeSpan ageLimit)
    {
        lock (this)
        {
            if (!IsFree)
            {
                return false;
            }

            if (_used)
            {
                _used = false;
                _idleSince = now;
            }

            if (now - _idleSince < ageLimit.TotalMilliseconds || _extras?.KeepUntil > now)
            {
                return false;
            }
        }

        Deactivate(new DeactivationReason(DeactivationReasonCode.ActivationIdle, "It was idle for longer than its age limit."));
        return true;
    }

    /// <summary>Begins activating. The lock is held.</summary>
    private void Start()
    {
        // What happens to be running at the first call must not become part of the grain.
        var context = RequestContext.Values;
        using (ExecutionContext.IsFlowSuppressed() ? default(IDisposable?) : ExecutionContext.SuppressFlow())
        {
            new Task(() => ActivateAsync(context)).Start(this);
        }
    }

    private async void ActivateAsync(Dictionary<string, object>? requestContext)
    {
        try
        {
            RequestContext.Values = requestContext;
            using var timeout = new CancellationTokenSource(Runtime.ActivationTimeout, Runtime.TimeProvider);
            _instance = Type.Create(this);
            if (_extras?.Lifecycle is { } lifecycle)
            {
                await lifecycle.StartAsync(timeout.Token);
            }

            await Type.OnActivateAsync(_instance, timeout.Token);
        }
        catch (Exception exception)
        {
            Runtime.Log.ActivationFailed(exception, GrainId);
            await EndAsync(exception);
            return;
        }

        lock (this)
        {
            _stage = Extras.Ending ? Stage.Deactivating : Stage.Valid;
            if (_extras is { IsEmpty: true })
            {
                _extras = null;
            }

            if (_stage == Stage.Valid)
            {
                StartWaiting(all: true);
            }
            else
            {
                BeginDeactivation();
            }
        }
    }

    /// <summary>Queues the end. The lock is held, nothing runs, and nothing will start.</summary>
    private void BeginDeactivation()
    {
        using (ExecutionContext.IsFlowSuppressed() ? default(IDisposable?) : ExecutionContext.SuppressFlow())
        {
            new Task(DeactivateAsync).Start(this);
        }
    }

    private async void DeactivateAsync()
    {
        StopTimers();
        try
        {
            using var timeout = new CancellationTokenSource(Runtime.DeactivationTimeout, Runtime.TimeProvider);
            await Type.OnDeactivateAsync(_instance!, Extras.Reason, timeout.Token).WaitAsync(timeout.Token);
            if (_extras?.Lifecycle is { } lifecycle)
            {
                await lifecycle.StopAsync(timeout.Token);
            }
        }
        catch (Exception exception)
        {
            Runtime.Log.DeactivationFailed(exception, GrainId);
        }

        await EndAsync(null);
    }

    /// <summary>Gives everything back and passes what waits on to the next activation, or fails it.</summary>
    private async Task EndAsync(Exception? failure)
    {
        StopTimers();
        try
        {
            await Type.DisposeAsync(_instance);
            if (_extras?.Scope is { } scope)
            {
                await scope.DisposeAsync();
            }
        }
        catch (Exception exception)
        {
            Runtime.Log.DeactivationFailed(exception, GrainId);
        }

        Type.Remove(this);
        List<GrainRequest> waiting;
        lock (this)
        {
            _stage = Stage.Gone;
            waiting = TakeWaiting();
        }

        foreach (var request in waiting)
        {
            if (failure is not null)
            {
                request.Fail(failure);
            }
            else
            {
                Forward(request);
            }
        }

        var gone = _extras?.Gone;
        _instance = null;
        _extras = null;
        gone?.TrySetResult();
    }

    private void Forward(GrainRequest request)
    {
        if (request.IsAnswered)
        {
            return;
        }

        if (request.LocalOnly)
        {
            request.Fail(new OrleansMessageRejectionException($"The activation of {GrainId} is gone."));
        }
        else if (request.Forwarded++ >= Runtime.MaxForwardCount)
        {
            request.Fail(new OrleansMessageRejectionException($"{request.Description} was passed on {Runtime.MaxForwardCount} times (SiloMessagingOptions.MaxForwardCount): {GrainId} keeps deactivating."));
        }
        else
        {
            Type.Resend(this, request);
        }
    }
}
