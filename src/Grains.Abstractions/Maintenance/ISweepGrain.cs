namespace AgentPlatform.Maintenance;

/// <summary>
/// Finds what a dead silo left: unfinished turns whose instance stopped its heartbeat, messages that wait to be sent, jobs that nobody runs. Woken by a reminder
/// and by every silo that starts. There is one, with key 0.
/// </summary>
[Alias("maintenance.ISweepGrain")]
public interface ISweepGrain : IGrainWithIntegerKey
{
    /// <summary>Starts the reminder. Harmless when it runs.</summary>
    [Alias("Start")]
    Task Start();

    /// <summary>Sweeps now; returns how many conversations and jobs it woke.</summary>
    [Alias("Sweep")]
    Task<int> Sweep();
}
