namespace AgentPlatform.Jobs;

/// <summary>One run of a background task; its key is the job's id. The row in Postgres is the truth: a lost call is made good by the sweep.</summary>
[Alias("jobs.IJobGrain")]
public interface IJobGrain : IGrainWithGuidKey
{
    /// <summary>Starts the job if it may run now, and returns at once. Harmless when it runs or has ended.</summary>
    [Alias("Run")]
    Task Run();

    /// <summary>Stops the job if it runs here; the row says already that it is to be cancelled.</summary>
    [Alias("Cancel")]
    Task Cancel();
}
