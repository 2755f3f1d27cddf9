using System.Diagnostics.CodeAnalysis;

namespace Orleans.Runtime;

/// <summary>A timer of an activation; disposing it stops it.</summary>
public interface IGrainTimer : IDisposable
{
    /// <summary>Sets when it ticks next and how often after that.</summary>
    void Change(TimeSpan dueTime, TimeSpan period);
}

/// <summary>How a grain timer behaves.</summary>
public readonly struct GrainTimerCreationOptions()
{
    /// <summary>With its two times.</summary>
    [SetsRequiredMembers]
    public GrainTimerCreationOptions(TimeSpan dueTime, TimeSpan period)
        : this()
    {
        DueTime = dueTime;
        Period = period;
    }

    /// <summary>From now to the first tick.</summary>
    public required TimeSpan DueTime { get; init; }

    /// <summary>From the end of a tick to the next; infinite for a single tick.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>Whether ticks may run beside requests. Off by default.</summary>
    public bool Interleave { get; init; }

    /// <summary>Whether ticks keep the activation from being idle. Off by default.</summary>
    public bool KeepAlive { get; init; }
}
