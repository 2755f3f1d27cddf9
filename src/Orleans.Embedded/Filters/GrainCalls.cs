using System.Reflection;
using Orleans.Serialization.Invocation;

namespace Orleans.Runtime;

/// <summary>What the two directions share.</summary>
internal abstract class GrainCall(GrainRequest request) : IGrainCallContext
{
    public IInvokable Request => request;

    public abstract object Grain { get; }

    public GrainId? SourceId => request.Caller?.GrainId;

    public abstract GrainId TargetId { get; }

    public GrainInterfaceType InterfaceType => new(InterfaceName);

    public string InterfaceName => request.Method!.InterfaceType.FullName!;

    public string MethodName => request.Method!.Method.Name;

    public MethodInfo InterfaceMethod => request.Method!.Method;

    public object? Result { get; set; }

    public abstract Task Invoke();
}

/// <summary>A call into a grain, through the filters of the silo and of the grain.</summary>
internal static class IncomingCall
{
    public static async Task<T> Run<T>(TaskRequest<T> request, object instance)
    {
        var call = new Call<T>(request, instance);
        await call.Invoke();
        return call.Result is T result ? result : default!;
    }

    private sealed class Call<T>(TaskRequest<T> request, object instance) : GrainCall(request), IIncomingGrainCallContext
    {
        private readonly IIncomingGrainCallFilter[] _filters = instance is IIncomingGrainCallFilter own
            ? [.. request.Target.Runtime.IncomingFilters, own]
            : request.Target.Runtime.IncomingFilters;

        private int _next;

        public override object Grain => instance;

        public override GrainId TargetId => request.Target.GrainId;

        public IGrainContext TargetContext => request.Target;

        public MethodInfo ImplementationMethod
        {
            get
            {
                var map = instance.GetType().GetInterfaceMap(request.Method!.InterfaceType);
                return map.TargetMethods[Array.IndexOf(map.InterfaceMethods, request.Method.Method)];
            }
        }

        public override async Task Invoke()
        {
            if (_next < _filters.Length)
            {
                await _filters[_next++].Invoke(this);
                return;
            }

            var task = request.Begin(instance);
            await task;
            Result = request.Result(task).Result;
        }
    }
}

/// <summary>A call to a grain, through the outgoing filters.</summary>
internal static class OutgoingCall<T>
{
    public static async Task<T> Run(GrainReference reference, TaskRequest<T> request)
    {
        var call = new Call(reference, request);
        await call.Invoke();
        return call.Result is T result ? result : default!;
    }

    private sealed class Call(GrainReference reference, TaskRequest<T> request) : GrainCall(request), IOutgoingGrainCallContext
    {
        private int _next;

        public override object Grain => reference;

        public override GrainId TargetId => reference.GrainId;

        public IGrainContext? SourceContext => request.Caller;

        public override async Task Invoke()
        {
            var filters = reference.Target.Runtime.OutgoingFilters;
            Result = _next < filters.Length ? await Next(filters[_next++]) : await reference.SendNow(request);
        }

        private async Task<object?> Next(IOutgoingGrainCallFilter filter)
        {
            await filter.Invoke(this);
            return Result;
        }
    }
}
