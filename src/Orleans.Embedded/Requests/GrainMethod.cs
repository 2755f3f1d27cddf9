using System.Reflection;
using Orleans.Concurrency;

namespace Orleans.Runtime;

/// <summary>What the runtime needs to know of a method of a grain interface; one for all its requests.</summary>
internal sealed class GrainMethod
{
    private FieldInfo[] _arguments = [];

    public GrainMethod(Type interfaceType, MethodInfo method)
    {
        InterfaceType = interfaceType;
        Method = method;
        Name = $"{interfaceType.Name}.{method.Name}";
        AlwaysInterleave = method.IsDefined(typeof(AlwaysInterleaveAttribute));
        ReadOnly = method.IsDefined(typeof(ReadOnlyAttribute));
        OneWay = method.ReturnType == typeof(void) || method.IsDefined(typeof(OneWayAttribute));
        ResponseTimeout = method.GetCustomAttribute<ResponseTimeoutAttribute>()?.Timeout;
    }

    public Type InterfaceType { get; }

    public MethodInfo Method { get; }

    public string Name { get; }

    public bool AlwaysInterleave { get; }

    public bool ReadOnly { get; }

    public bool OneWay { get; }

    public TimeSpan? ResponseTimeout { get; }

    /// <summary>The argument fields of the request type, for filters.</summary>
    public ReadOnlySpan<FieldInfo> Arguments => _arguments;

    public void Bind(Type requestType) =>
        _arguments = [.. Method.GetParameters().Select((_, i) => requestType.GetField($"Argument{i}")!)];
}
