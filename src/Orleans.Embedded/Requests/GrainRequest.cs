using System.Reflection;
using Orleans.Serialization.Invocation;

namespace Orleans.Runtime;

/// <summary>
/// A request on its way to, or inside, an activation. It is itself the task that starts it: running it makes the
/// activation the current scheduler, so that every await inside the grain comes back to the activation.
/// </summary>
internal abstract class GrainRequest : Task, IInvokable
{
    [ThreadStatic]
    private static GrainRequest? _starting;

    protected GrainRequest()
        : base(static () => TakeStarting().Run())
    {
    }

    /// <summary>The activation that it waits for or runs in.</summary>
    public Activation Target { get; set; } = null!;

    /// <summary>The activation that sent it; null from outside grains.</summary>
    public Activation? Caller { get; set; }

    public GrainMethod? Method { get; set; }

    /// <summary>Neighbours in the list that holds it: the waiting or the running requests of its target.</summary>
    public GrainRequest? Next { get; set; }

    public GrainRequest? Previous { get; set; }

    /// <summary>Neighbours among the requests that somebody awaits, and when that ends (milliseconds of the system's uptime).</summary>
    public GrainRequest? NextPending { get; set; }

    public GrainRequest? PreviousPending { get; set; }

    public long SentAt { get; set; }

    public long Deadline { get; set; }

    public byte PendingStripe { get; set; }

    public byte Forwarded { get; set; }

    /// <summary>It runs on the thread of its caller; its end is noticed there.</summary>
    public bool Inline { get; set; }

    /// <summary>It ended before the inline start returned.</summary>
    public bool EndedInline { get; set; }

    public bool Running { get; set; }

    public bool AlwaysInterleave { get; set; }

    public bool ReadOnly { get; set; }

    /// <summary>It belongs to this activation alone and is dropped with it.</summary>
    public bool LocalOnly { get; protected init; }

    /// <summary>Whether serving it counts as use of the activation.</summary>
    public bool KeepsAlive { get; protected init; } = true;

    /// <summary>The boxed id of the call chain, read only where the request has to wait.</summary>
    public object? ReentrancyId { get; set; }

    public virtual bool OneWay => Method is { OneWay: true };

    public virtual string Description => Method?.Name ?? GetType().Name;

    /// <summary>Whether the caller has given up or got an answer from elsewhere.</summary>
    public abstract bool IsAnswered { get; }

    int IInvokable.GetArgumentCount() => Method?.Arguments.Length ?? 0;

    object? IInvokable.GetArgument(int index) => Method!.Arguments[index].GetValue(this);

    void IInvokable.SetArgument(int index, object value) => Method!.Arguments[index].SetValue(this, value);

    string IInvokable.GetMethodName() => Method?.Method.Name ?? Description;

    string IInvokable.GetInterfaceName() => Method?.InterfaceType.FullName ?? string.Empty;

    MethodInfo IInvokable.GetMethod() => Method?.Method!;

    Type IInvokable.GetInterfaceType() => Method?.InterfaceType!;

    object? IInvokable.GetTarget() => Target.Instance;

    TimeSpan? IInvokable.GetDefaultResponseTimeout() => Method?.ResponseTimeout;

    CancellationToken IInvokable.GetCancellationToken() => CancellationArgument;

    void IDisposable.Dispose()
    {
        // A request holds nothing; the interface wants it.
    }

    /// <summary>The cancellation token among the arguments. Emitted request types override it.</summary>
    public virtual CancellationToken CancellationArgument
    {
        get => default;
        set => throw new InvalidOperationException($"{Description} takes no cancellation token.");
    }

    /// <summary>What cancels it for its caller, where the caller can.</summary>
    public RequestCancellation? Cancellation { get; set; }

    /// <summary>Starts it inside its activation's turn.</summary>
    public void StartIn(Activation activation)
    {
        Target = activation;
        Start(activation);
    }

    /// <summary>For the activation's scheduler: the next request task to run on this thread is this one.</summary>
    public void MarkStarting() => _starting = this;

    /// <summary>Ends it without running it.</summary>
    public abstract void Fail(Exception exception);

    /// <summary>Runs it in its activation's turn.</summary>
    protected abstract void Run();

    private static GrainRequest TakeStarting()
    {
        var request = _starting!;
        _starting = null;
        return request;
    }
}
