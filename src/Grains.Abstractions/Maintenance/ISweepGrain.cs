namespace AgentPlatform.Maintenance;

/// <summary>
/// Finds what a dead silo left: unfinished turns whose instance stopped its heartbeat, messages that wait to be sent, jobs that nobody runs. Kept awake
/// by every silo, and woken by a reminder. There is one, with key 0.
/// </summary>
[Alias("maintenance.ISweepGrain")]
public interface ISweepGrain : IGrainWithIntegerKey
{
    /// <summary>Starts the reminder. Harmless when it runs.</summary>
    [Alias("Start")]
    Task Start();

    /// <summary>Sees to it that the sweep is awake: each silo asks every few seconds, so that it goes on elsewhere at once when its own silo is gone.</summary>
    [Alias("KeepAwake")]
    Task KeepAwake();

    /// <summary>Sweeps now; returns how many conversations and jobs it woke.</summary>
    [Alias("Sweep")]
    Task<int> Sweep();
}
