using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AgentPlatform.Grains.Telemetry;

/// <summary>
/// The engine's traces and metrics. One trace follows a message from its webhook through its turn to the delivery of the answer; its id is
/// in every log line's scope and in <c>turns.trace_id</c>. Names are listed in docs/operations.md.
/// </summary>
public static class EngineTelemetry
{
    /// <summary>Name of the <see cref="ActivitySource"/> and of the <see cref="Meter"/>.</summary>
    public const string Name = "AgentPlatform.Engine";

    public static readonly ActivitySource Activities = new(Name);
    private static readonly Meter Meter = new(Name);

    /// <summary>Messages stored, by direction.</summary>
    public static readonly Counter<long> Messages = Meter.CreateCounter<long>("agentplatform.messages", "{message}", "Messages stored");

    /// <summary>Messages that came again and were not stored.</summary>
    public static readonly Counter<long> Duplicates = Meter.CreateCounter<long>("agentplatform.messages.duplicate", "{message}", "Messages that came again");

    /// <summary>Turns ended, by outcome and responder.</summary>
    public static readonly Counter<long> Turns = Meter.CreateCounter<long>("agentplatform.turns", "{turn}", "Turns ended");

    /// <summary>Milliseconds from a turn's start to its commit.</summary>
    public static readonly Histogram<double> TurnDuration = Meter.CreateHistogram<double>("agentplatform.turn.duration", "ms", "From a turn's start to its commit");

    /// <summary>Sends, by platform and outcome.</summary>
    public static readonly Counter<long> Sends = Meter.CreateCounter<long>("agentplatform.sends", "{send}", "Requests to platforms");

    /// <summary>Commits refused because another activation had written: more than a few mean trouble in the cluster.</summary>
    public static readonly Counter<long> Conflicts = Meter.CreateCounter<long>("agentplatform.commits.conflict", "{commit}", "Commits of stale activations");

    /// <summary>The activity under way, else one of the trace with this id: what happens after a wait belongs to the message that began it.</summary>
    public static ActivityContext Parent(string? traceId) =>
        Activity.Current?.Context
        ?? (traceId is { Length: 32 } ? new ActivityContext(ActivityTraceId.CreateFromString(traceId), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true) : default);

    /// <summary>Starts an activity under a W3C trace parent that came by message; null when nobody listens.</summary>
    public static Activity? Start(string name, ActivityKind kind, string? traceParent)
    {
        if (!Activities.HasListeners())
        {
            return null;
        }
        return ActivityContext.TryParse(traceParent, null, isRemote: true, out var parent)
            ? Activities.StartActivity(name, kind, parent)
            : Activities.StartActivity(name, kind);
    }
}
