using System.Reflection;

namespace Orleans.Serialization.Invocation;

/// <summary>A request: a method and its arguments.</summary>
public interface IInvokable : IDisposable
{
    /// <summary>How many arguments it has.</summary>
    int GetArgumentCount();

    /// <summary>An argument.</summary>
    object? GetArgument(int index);

    /// <summary>Replaces an argument before the call.</summary>
    void SetArgument(int index, object value);

    /// <summary>The name of the method.</summary>
    string GetMethodName();

    /// <summary>The name of the interface.</summary>
    string GetInterfaceName();

    /// <summary>The method of the interface.</summary>
    MethodInfo GetMethod();

    /// <summary>The interface.</summary>
    Type GetInterfaceType();

    /// <summary>The object that the method is called on.</summary>
    object? GetTarget();

    /// <summary>The response timeout of the method, where it has its own.</summary>
    TimeSpan? GetDefaultResponseTimeout() => default;

    /// <summary>The cancellation token among the arguments.</summary>
    CancellationToken GetCancellationToken() => default;
}
