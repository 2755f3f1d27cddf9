namespace Orleans.Runtime;

/// <summary>
/// A reference to a grain or observer. What callers hold are classes emitted at run time that derive from this one and
/// implement a grain interface: each method makes a request and sends it.
/// </summary>
public class GrainReference : IAddressable, IEquatable<GrainReference>
{
    private readonly ReferenceTarget _target;
    private readonly string _key;
    private Activation? _activation;

    internal GrainReference(ReferenceTarget target, string key)
    {
        _target = target;
        _key = key;
    }

    /// <summary>The id of the grain.</summary>
    public GrainId GrainId => new(_target.Type.Name, new IdSpan(_key));

    /// <summary>The interface of this reference.</summary>
    public GrainInterfaceType InterfaceType => new(_target.InterfaceType.FullName ?? _target.InterfaceType.Name);

    /// <summary>The name of the interface of this reference.</summary>
    public virtual string InterfaceName => _target.InterfaceType.Name;

    internal string Key => _key;

    internal ReferenceTarget Target => _target;

    /// <summary>Compares the grains.</summary>
    public static bool operator ==(GrainReference? reference1, GrainReference? reference2) => reference1?.Equals(reference2) ?? reference2 is null;

    /// <summary>Compares the grains.</summary>
    public static bool operator !=(GrainReference? reference1, GrainReference? reference2) => !(reference1 == reference2);

    /// <inheritdoc />
    public bool Equals(GrainReference? other) => other is not null && _target.Type == other._target.Type && _key == other._key;

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as GrainReference);

    /// <inheritdoc />
    public override int GetHashCode() => string.GetHashCode(_key, StringComparison.Ordinal);

    /// <inheritdoc />
    public sealed override string ToString() => $"{_target.InterfaceType.Name}({GrainId})";

    internal object CastTo(Type interfaceType) => _target.Runtime.References.Of(interfaceType, _target.Type, _key);

    /// <summary>Sends a request; emitted methods that return <see cref="Task{TResult}"/> or <see cref="Task"/> end here.</summary>
    internal Task<T> Send<T>(TaskRequest<T> request, GrainMethod method)
    {
        Prepare(request, method);
        if (_target.Runtime.OutgoingFilters.Length > 0)
        {
            return OutgoingCall<T>.Run(this, request);
        }

        return SendNow(request);
    }

    /// <summary>Sends a request; emitted methods that return <see cref="ValueTask{TResult}"/> end here.</summary>
    internal ValueTask<T> SendValue<T>(TaskRequest<T> request, GrainMethod method) => new(Send(request, method));

    /// <summary>Sends a request; emitted methods that return <see cref="ValueTask"/> end here.</summary>
    internal ValueTask SendPlainValue(TaskRequest<Nothing> request, GrainMethod method) => new(Send(request, method));

    /// <summary>Sends a request; emitted methods without a result end here.</summary>
    internal void SendVoid(TaskRequest<Nothing> request, GrainMethod method) => _ = Send(request, method);

    internal Task<T> SendNow<T>(TaskRequest<T> request)
    {
        var cancellation = request.CancellationArgument;
        if (cancellation.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(cancellation);
        }

        if (cancellation.CanBeCanceled && !request.Method!.OneWay)
        {
            request.Cancellation = new RequestCancellation(request, cancellation);
        }

        try
        {
            if (_activation is { IsValid: true } known)
            {
                known.Accept(request, inline: !request.Method!.OneWay);
            }
            else
            {
                _target.Send(_key, request);
                _activation = _target.Type.MayRunInline ? request.Target : null;
            }
        }
        catch (OrleansException exception)
        {
            return Task.FromException<T>(exception);
        }

        return request.Method!.OneWay ? OneWayAnswer<T>.Task : request.Answer();
    }

    private static void Prepare(GrainRequest request, GrainMethod method)
    {
        request.Method = method;
        request.AlwaysInterleave = method.AlwaysInterleave;
        request.ReadOnly = method.ReadOnly;
        request.Caller = RuntimeContext.Current;
    }

    private static class OneWayAnswer<T>
    {
        public static readonly Task<T> Task = System.Threading.Tasks.Task.FromResult<T>(default!);
    }
}
