using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Jobs;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Jobs;

/// <summary>Background tasks. They are started by actions of their own, and followed here.</summary>
internal static class JobResource
{
    public static readonly Resource Jobs = new()
    {
        Path = "jobs",
        Singular = "job",
        Plural = "jobs",
        Table = "jobs",
        Description = "Background tasks: imports, exports, erasures. `job.updated` of the event stream tells of progress.",
        Read = Role.Member,
        Fields =
        [
            Choice("type", JobTypes.All).ReadOnly().Filtered(),
            Text("work", 63).ReadOnly().Filtered().About("What exactly is done, such as `resource_import`."),
            Choice("status", JobStatuses.All).ReadOnly().Filtered(),
            Reference("userId", "users").Nullable().ReadOnly().Filtered().About("On whose behalf; null for the product's own."),
            Json("payload").ReadOnly().About("What was asked for; empty of jobs of admins and owners.") with { Expression = "CASE WHEN t.minimum_role IN ('admin', 'owner') THEN '{}' ELSE t.payload END" },
            Json("progress").ReadOnly().About("`processed`, `total` (null while unknown), `succeeded`, `failed`, `phase`; `skipped` of an import."),
            Json("result").Nullable().ReadOnly().About("What came of it; `fileId` names a file to download."),
            Text("error", 4000).Nullable().ReadOnly().About("Why it failed. What is wrong with single lines stands under `/v1/jobs/{id}/job-errors`."),
            Integer("duration").Nullable().ReadOnly().About("Milliseconds from the start to the end."),
            Integer("attempts").ReadOnly(),
            Timestamp("dueAt").ReadOnly().About("Not before."),
            Timestamp("cancelRequestedAt").Nullable().ReadOnly(),
            Timestamp("startedAt").Nullable().ReadOnly(),
            Timestamp("completedAt").Nullable().ReadOnly(),
            Timestamp("failedAt").Nullable().ReadOnly(),
            Timestamp("cancelledAt").Nullable().ReadOnly(),
        ],
    };
}
