namespace Orleans.Runtime;

/// <summary>
/// One activation of a grain: its object, the requests that run in it and wait for it, and the scheduler of its turns.
/// All of it is one object, because a process holds very many of them idle. This part says which request may
/// start; Activation.Turns.cs runs turns, Activation.Life.cs begins and ends it.
/// </summary>
internal sealed partial class Activation : TaskScheduler, IGrainContext, IThreadPoolWorkItem
{
    private readonly string _key;
    private GrainRequest? _firstWaiting;
    private GrainRequest? _lastWaiting;
    private GrainRequest? _firstRunning;

    // The running request that others must not interleave with, unless the rules say so.
    private GrainRequest? _blocking;
    private int _runningCount;

    public Activation(GrainClass type, string key)
    {
        Type = type;
        _key = key;
    }

    private enum Stage : byte
    {
        New,
        Activating,
        Valid,
        Deactivating,
        Gone,
    }

    public GrainClass Type { get; }

    public SiloRuntime Runtime => Type.Runtime;

    /// <summary>The object that requests are called on; null where an observer was collected.</summary>
    public object? Instance => Type.IsObserver ? ((WeakReference?)_instance)?.Target : _instance;

    /// <inheritdoc />
    public GrainId GrainId => new(Type.Name, new IdSpan(_key));

    public string Key => _key;

    public bool IsValid => _stage == Stage.Valid;

    /// <summary>Whether exactly one request runs, so that whatever the activation awaits, that request awaits.</summary>
    public bool RunsOneRequest
    {
        get
        {
            lock (this)
            {
                return _runningCount == 1;
            }
        }
    }

    public bool IsFree => _runningCount == 0 && _firstWaiting is null && _stage is Stage.Valid;

    /// <summary>
    /// Takes a request: starts it here and now if <paramref name="inline"/> and the activation is idle, else soon, else when
    /// the rules let it. An activation that is gone passes it on to the grain's next one.
    /// </summary>
    public void Accept(GrainRequest request, bool inline = false)
    {
        bool run;
        lock (this)
        {
            request.Target = this;
            if (_stage == Stage.Gone)
            {
                run = false;
            }
            else if (_stage == Stage.Valid && MayStart(request))
            {
                AddRunning(request);
                if (inline && !_draining && _inlineDepth < MaxInlineDepth)
                {
                    _draining = true;
                    run = true;
                }
                else
                {
                    request.StartIn(this);
                    return;
                }
            }
            else
            {
                AddWaiting(request);
                if (_stage == Stage.New)
                {
                    // Not before a request waits: should activating fail, somebody must be there to be told.
                    _stage = Stage.Activating;
                    Start();
                }

                return;
            }
        }

        if (run)
        {
            RunInline(request);
        }
        else
        {
            Forward(request);
        }
    }

    /// <summary>A running request ended, inside its first turn or later; others may start now.</summary>
    public void Ended(GrainRequest request, Exception? exception, bool inFirstTurn)
    {
        if (exception is Storage.InconsistentStateException { IsSourceActivation: true } conflict)
        {
            conflict.IsSourceActivation = false;
            Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationError, conflict, "Somebody else wrote this grain's state."));
        }

        if (inFirstTurn && request.Inline)
        {
            // This is the thread of RunInline: it sees to the rest under the same lock that ends the turn.
            request.EndedInline = true;
            return;
        }

        lock (this)
        {
            if (request.Inline)
            {
                request.EndedInline = true;
            }
            else
            {
                RemoveRunning(request);
            }
        }
    }

    /// <summary>Whether none of the waiting requests may start beside the running one: those that always may never had to wait.</summary>
    private bool NothingMayJoin =>
        _blocking is { ReadOnly: false } && !Type.Reentrant && Type.MayInterleave is null && _extras?.ReentrantSections is not { Count: > 0 };

    private bool MayStart(GrainRequest request)
    {
        if (_runningCount == 0 || request.AlwaysInterleave || _blocking is not { } blocking)
        {
            return true;
        }

        if ((blocking.ReadOnly && request.ReadOnly) || Type.Reentrant)
        {
            return true;
        }

        if (_extras?.ReentrantSections is { Count: > 0 } sections && request.ReentrancyId is Guid id && sections.ContainsKey(id))
        {
            return true;
        }

        return Type.MayInterleave is { } may && (may(_instance!, request) || may(_instance!, blocking));
    }

    private void AddRunning(GrainRequest request)
    {
        _used |= request.KeepsAlive;
        _runningCount++;
        request.Running = true;
        request.Previous = null;
        request.Next = _firstRunning;
        if (_firstRunning is not null)
        {
            _firstRunning.Previous = request;
        }

        _firstRunning = request;
        if (_blocking is null && !request.AlwaysInterleave)
        {
            _blocking = request;
        }
    }

    private void RemoveRunning(GrainRequest request)
    {
        if (request.Previous is { } previous)
        {
            previous.Next = request.Next;
        }
        else
        {
            _firstRunning = request.Next;
        }

        if (request.Next is { } next)
        {
            next.Previous = request.Previous;
        }

        request.Next = null;
        request.Previous = null;
        request.Running = false;
        _runningCount--;
        if (_blocking == request)
        {
            // The one that blocks next: read-only requests that started beside it still run.
            _blocking = null;
            for (var other = _firstRunning; other is not null && _blocking is null; other = other.Next)
            {
                _blocking = other.AlwaysInterleave ? null : other;
            }
        }

        if (_stage == Stage.Valid)
        {
            if (_firstWaiting is not null)
            {
                StartWaiting();
            }
        }
        else if (_stage == Stage.Deactivating && _runningCount == 0)
        {
            BeginDeactivation();
        }
    }

    private void AddWaiting(GrainRequest request)
    {
        // Read here and not in every call: only a request that has to wait needs it, and it is still on its sender's thread.
        request.ReentrancyId ??= RequestContext.BoxedReentrancyId();
        if (_stage == Stage.Valid && request.ReentrancyId is not null && MayStart(request))
        {
            AddRunning(request);
            request.StartIn(this);
            return;
        }

        request.Next = null;
        request.Previous = _lastWaiting;
        if (_lastWaiting is null)
        {
            _firstWaiting = request;
        }
        else
        {
            _lastWaiting.Next = request;
        }

        _lastWaiting = request;
    }

    private void RemoveWaiting(GrainRequest request)
    {
        if (request.Previous is { } previous)
        {
            previous.Next = request.Next;
        }
        else
        {
            _firstWaiting = request.Next;
        }

        if (request.Next is { } next)
        {
            next.Previous = request.Previous;
        }
        else
        {
            _lastWaiting = request.Previous;
        }

        request.Next = null;
        request.Previous = null;
    }

    /// <summary>Starts what may start now. <paramref name="all"/>: nothing could be started until now, whatever its kind.</summary>
    private void StartWaiting(bool all = false)
    {
        var request = _firstWaiting;
        while (request is not null && _stage == Stage.Valid)
        {
            var next = request.Next;
            if (request.IsAnswered)
            {
                RemoveWaiting(request);
            }
            else if (MayStart(request))
            {
                RemoveWaiting(request);
                AddRunning(request);
                request.StartIn(this);
            }
            else if (!all && NothingMayJoin)
            {
                return;
            }

            request = next;
        }
    }

    /// <summary>Takes all waiting requests out.</summary>
    private List<GrainRequest> TakeWaiting()
    {
        var result = new List<GrainRequest>();
        while (_firstWaiting is { } request)
        {
            RemoveWaiting(request);
            result.Add(request);
        }

        return result;
    }
}
