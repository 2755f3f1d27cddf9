using Orleans.Placement;

namespace Orleans.Concurrency;

/// <summary>The method changes nothing: it may run beside other read-only requests of the same activation.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ReadOnlyAttribute : Attribute;

/// <summary>The method may start whatever else the activation is doing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AlwaysInterleaveAttribute : Attribute;

/// <summary>The caller doesn't wait for the method and never learns of its outcome.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OneWayAttribute : Attribute;

/// <summary>Every request of the grain may start while others of it await something.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class ReentrantAttribute : Attribute;

/// <summary>Asks a method of the grain, <c>bool Name(IInvokable request)</c>, whether a request may interleave.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class MayInterleaveAttribute(string callbackMethodName) : Attribute
{
    internal string CallbackMethodName { get; } = callbackMethodName;
}

/// <summary>Several activations of the grain may exist at once; a request goes to one that is free.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class StatelessWorkerAttribute : PlacementAttribute
{
    /// <summary>At most one activation for each processor.</summary>
    public StatelessWorkerAttribute()
        : this(Environment.ProcessorCount)
    {
    }

    /// <summary>At most <paramref name="maxLocalWorkers"/> activations.</summary>
    public StatelessWorkerAttribute(int maxLocalWorkers)
        : base(new NamedPlacement("StatelessWorker"))
    {
        MaxLocalWorkers = maxLocalWorkers > 0 ? maxLocalWorkers : Environment.ProcessorCount;
    }

    /// <summary>At most <paramref name="maxLocalWorkers"/> activations; idle ones are always removed here.</summary>
    public StatelessWorkerAttribute(int maxLocalWorkers, bool removeIdleWorkers)
        : this(maxLocalWorkers)
    {
        _ = removeIdleWorkers;
    }

    internal int MaxLocalWorkers { get; }
}

/// <summary>Wraps a value that nobody changes any more.</summary>
/// <typeparam name="T">The type of the value.</typeparam>
[GenerateSerializer, Immutable]
public readonly struct Immutable<T>(T value)
{
    /// <summary>The value.</summary>
    [Id(0)]
    public readonly T Value = value;
}

/// <summary>Makes <see cref="Immutable{T}"/> values.</summary>
public static class ImmutableExtensions
{
    /// <summary>Wraps <paramref name="value"/>.</summary>
    public static Immutable<T> AsImmutable<T>(this T value) => new(value);
}
