namespace Orleans.Runtime;

/// <summary>The turns: one thread at a time runs the tasks of an activation.</summary>
internal sealed partial class Activation
{
    /// <summary>How many calls may run on one thread inside each other before one of them is queued.</summary>
    private const int MaxInlineDepth = 12;

    /// <summary>How long an activation may keep a thread while others wait for one, in milliseconds.</summary>
    private const int MaxDrainTime = 25;

    [ThreadStatic]
    private static int _inlineDepth;

    // The first task that is ready, and the others. Most activations never have a second one.
    private Task? _ready;
    private Queue<Task>? _moreReady;

    // A thread runs turns now, or will soon.
    private bool _draining;

    /// <inheritdoc />
    void IThreadPoolWorkItem.Execute()
    {
        var until = Environment.TickCount64 + MaxDrainTime;
        while (true)
        {
            Task task;
            lock (this)
            {
                if (_ready is null)
                {
                    _draining = false;
                    return;
                }

                task = TakeReady();
            }

            RunTurn(task);
            if (Environment.TickCount64 > until)
            {
                GiveUpThread();
                return;
            }
        }
    }

    /// <inheritdoc />
    protected override void QueueTask(Task task)
    {
        if (task is GrainRequest { Inline: true })
        {
            RunTurn(task);
            return;
        }

        lock (this)
        {
            if (_ready is null)
            {
                _ready = task;
            }
            else
            {
                (_moreReady ??= new Queue<Task>()).Enqueue(task);
            }

            if (_draining)
            {
                return;
            }

            _draining = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    /// <inheritdoc />
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && RuntimeContext.Current == this && TryExecuteTask(task);

    /// <inheritdoc />
    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (this)
        {
            return _ready is null ? [] : [_ready, .. _moreReady ?? []];
        }
    }

    /// <summary>Runs the first turn of a request on its caller's thread. The lock is free, and this thread is the draining one.</summary>
    private void RunInline(GrainRequest request)
    {
        var synchronization = SynchronizationContext.Current;
        if (synchronization is not null)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }

        _inlineDepth++;
        request.Inline = true;
        try
        {
            request.StartIn(this);
        }
        finally
        {
            _inlineDepth--;
            if (synchronization is not null)
            {
                SynchronizationContext.SetSynchronizationContext(synchronization);
            }

            EndInline(request);
        }
    }

    private void EndInline(GrainRequest request)
    {
        lock (this)
        {
            request.Inline = false;
            if (request.EndedInline)
            {
                RemoveRunning(request);
            }

            if (_ready is null)
            {
                _draining = false;
                return;
            }
        }

        // What has become ready meanwhile is not the caller's to wait for.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void RunTurn(Task task)
    {
        var outer = RuntimeContext.Current;
        RuntimeContext.Current = this;
        try
        {
            (task as GrainRequest)?.MarkStarting();
            TryExecuteTask(task);
        }
        finally
        {
            RuntimeContext.Current = outer;
        }
    }

    private Task TakeReady()
    {
        var task = _ready!;
        _ready = null;
        if (_moreReady is not null)
        {
            _ready = _moreReady.Dequeue();
            if (_moreReady.Count == 0)
            {
                _moreReady = null;
            }
        }

        return task;
    }

    private void GiveUpThread()
    {
        lock (this)
        {
            if (_ready is null)
            {
                _draining = false;
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }
}
