namespace AgentPlatform.Jobs;

/// <summary>Starts the daily deletion of what organizations keep for a while only. Woken by a reminder; there is one, with key 0.</summary>
[Alias("jobs.IRetentionGrain")]
public interface IRetentionGrain : IGrainWithIntegerKey
{
    /// <summary>Starts the reminder. Harmless when it runs.</summary>
    [Alias("Start")]
    Task Start();

    /// <summary>Starts the jobs that are due now, and deletes files that have expired; returns how many jobs.</summary>
    [Alias("StartDue")]
    Task<int> StartDue();
}
