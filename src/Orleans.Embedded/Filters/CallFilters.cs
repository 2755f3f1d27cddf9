using System.Reflection;
using Orleans.Runtime;
using Orleans.Serialization.Invocation;

namespace Orleans;

/// <summary>A call as a filter sees it.</summary>
public interface IGrainCallContext
{
    /// <summary>The request.</summary>
    IInvokable Request { get; }

    /// <summary>The grain, or the reference to it.</summary>
    object Grain { get; }

    /// <summary>The grain that calls; null from outside grains.</summary>
    GrainId? SourceId { get; }

    /// <summary>The grain that is called.</summary>
    GrainId TargetId { get; }

    /// <summary>The interface.</summary>
    GrainInterfaceType InterfaceType { get; }

    /// <summary>The name of the interface.</summary>
    string InterfaceName { get; }

    /// <summary>The name of the method.</summary>
    string MethodName { get; }

    /// <summary>The method of the interface.</summary>
    MethodInfo InterfaceMethod { get; }

    /// <summary>What the call returned; a filter may replace it.</summary>
    object? Result { get; set; }

    /// <summary>Goes on to the next filter or the grain.</summary>
    Task Invoke();
}

/// <summary>A call on its way into a grain.</summary>
public interface IIncomingGrainCallContext : IGrainCallContext
{
    /// <summary>The activation that is called.</summary>
    IGrainContext TargetContext { get; }

    /// <summary>The method of the grain class.</summary>
    MethodInfo ImplementationMethod { get; }
}

/// <summary>A call on its way out of a grain or of the code around grains.</summary>
public interface IOutgoingGrainCallContext : IGrainCallContext
{
    /// <summary>The activation that calls; null from outside grains.</summary>
    IGrainContext? SourceContext { get; }
}

/// <summary>Stands around every call into grains; a grain class may implement it for itself.</summary>
public interface IIncomingGrainCallFilter
{
    /// <summary>Does its part and goes on with <see cref="IGrainCallContext.Invoke"/>.</summary>
    Task Invoke(IIncomingGrainCallContext context);
}

/// <summary>Stands around every call to grains.</summary>
public interface IOutgoingGrainCallFilter
{
    /// <summary>Does its part and goes on with <see cref="IGrainCallContext.Invoke"/>.</summary>
    Task Invoke(IOutgoingGrainCallContext context);
}

/// <summary>A filter as a function.</summary>
public delegate Task IncomingGrainCallFilterDelegate(IIncomingGrainCallContext context);

/// <summary>A filter as a function.</summary>
public delegate Task OutgoingGrainCallFilterDelegate(IOutgoingGrainCallContext context);
