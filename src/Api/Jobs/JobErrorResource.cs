using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Jobs;

/// <summary>What is wrong with single lines of a job's input.</summary>
internal static class JobErrorResource
{
    public static readonly Resource JobErrors = new()
    {
        Path = "job-errors",
        Singular = "jobError",
        Plural = "jobErrors",
        Table = "job_errors",
        HasVersion = false,
        HasUpdatedAt = false,
        Parent = new("jobs", "jobs", "job_id"),
        Description = "What is wrong with single lines of a job's input. All other lines went in.",
        Read = Role.Member,
        DefaultSort = "line",
        Fields =
        [
            Reference("jobId", "jobs").ReadOnly(),
            Long("line").ReadOnly().Sorted().Ranged().About("Line of the file, from 1; where a value spans several, the first."),
            Text("field", 200).Nullable().ReadOnly().Filtered().About("The field, where it is one."),
            Text("detail", 4000).ReadOnly(),
        ],
    };
}
