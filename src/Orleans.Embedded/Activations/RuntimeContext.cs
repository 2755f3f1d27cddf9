namespace Orleans.Runtime;

/// <summary>The activation whose turn runs on this thread.</summary>
internal static class RuntimeContext
{
    [ThreadStatic]
    private static Activation? _current;

    public static Activation? Current
    {
        get => _current;
        set => _current = value;
    }
}

/// <inheritdoc />
internal sealed class GrainContextAccessor : IGrainContextAccessor
{
    /// <inheritdoc />
    public IGrainContext GrainContext => RuntimeContext.Current!;
}
