using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Data.Jobs;

/// <summary>Limits of background jobs. Each has a setting of its name.</summary>
public sealed record JobOptions
{
    /// <summary>Jobs of one organization that run at the same time (setting <c>JOBS_PER_ORGANIZATION</c>, default 2); more wait.</summary>
    public int PerOrganization { get; init; } = 2;

    /// <summary>Jobs that one person has asked for, in all organizations, that run at the same time (setting <c>JOBS_PER_PERSON</c>, default 4); more wait.</summary>
    public int PerPerson { get; init; } = 4;

    /// <summary>Jobs that one process works on at the same time (setting <c>JOBS_AT_ONCE</c>, default 8: a quarter of the connections of <c>DATABASE_ENGINE_POOL</c>); more wait.</summary>
    public int AtOnce { get; init; } = 8;

    /// <summary>
    /// How long a job runs while others wait for its place in the process (setting <c>JOB_SLICE_SECONDS</c>, default 10): then it waits behind them, and goes on from its last position.
    /// </summary>
    public TimeSpan Slice { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Jobs of one organization that may wait (setting <c>JOBS_WAITING_PER_ORGANIZATION</c>, default 50); more are refused.</summary>
    public int WaitingPerOrganization { get; init; } = 50;

    /// <summary>How often progress is told at most (setting <c>JOB_PROGRESS_MILLISECONDS</c>, default 500). Positions are kept with each chunk.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Bad lines that are listed for one job (setting <c>JOB_ERRORS_KEPT</c>, default 10,000); more are only counted.</summary>
    public int ErrorsKept { get; init; } = 10_000;

    /// <summary>Processes in a row that may die while they run a job, without a chunk of it done, before it fails (setting <c>JOB_LOST_LEASES</c>, default 3).</summary>
    public int LostLeases { get; init; } = 3;

    /// <summary>How often a run that met a conflict, or a grain out of reach, is tried again before the job fails.</summary>
    public const int MaxConflicts = 5;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingException">A setting is not positive.</exception>
    public static JobOptions From(IConfiguration configuration)
    {
        var defaults = new JobOptions();
        var options = new JobOptions
        {
            PerOrganization = configuration.Setting("JOBS_PER_ORGANIZATION", defaults.PerOrganization),
            PerPerson = configuration.Setting("JOBS_PER_PERSON", defaults.PerPerson),
            AtOnce = configuration.Setting("JOBS_AT_ONCE", defaults.AtOnce),
            WaitingPerOrganization = configuration.Setting("JOBS_WAITING_PER_ORGANIZATION", defaults.WaitingPerOrganization),
            ProgressInterval = TimeSpan.FromMilliseconds(configuration.Setting("JOB_PROGRESS_MILLISECONDS", defaults.ProgressInterval.TotalMilliseconds)),
            Slice = TimeSpan.FromSeconds(configuration.Setting("JOB_SLICE_SECONDS", defaults.Slice.TotalSeconds)),
            ErrorsKept = configuration.Setting("JOB_ERRORS_KEPT", defaults.ErrorsKept),
            LostLeases = configuration.Setting("JOB_LOST_LEASES", defaults.LostLeases),
        };
        return options is { PerOrganization: > 0, PerPerson: > 0, AtOnce: > 0, WaitingPerOrganization: > 0, ErrorsKept: > 0, LostLeases: > 0 } && options.ProgressInterval >= TimeSpan.Zero && options.Slice >= TimeSpan.Zero
            ? options
            : throw new SettingException("JOBS_PER_ORGANIZATION, JOBS_PER_PERSON, JOBS_AT_ONCE, JOBS_WAITING_PER_ORGANIZATION, JOB_ERRORS_KEPT and JOB_LOST_LEASES must be positive, JOB_PROGRESS_MILLISECONDS and JOB_SLICE_SECONDS not negative.");
    }
}
