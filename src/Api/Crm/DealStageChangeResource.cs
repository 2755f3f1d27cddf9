using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>How deals came to their stages.</summary>
internal static class DealStageChangeResource
{
    public static readonly Resource DealStageChanges = new()
    {
        Path = "deal-stage-changes",
        Singular = "dealStageChange",
        Plural = "dealStageChanges",
        Table = "deal_stage_history",
        HasVersion = false,
        HasUpdatedAt = false,
        Description = "How deals came to their stages. The database writes them with the change itself.",
        Fields =
        [
            Reference("dealId", "deals").ReadOnly().Filtered(),
            Text("fromStage", 50).Nullable().ReadOnly().About("Null where the deal began."),
            Text("toStage", 50).ReadOnly().Filtered(),
            Reference("changedBy", "users").Nullable().ReadOnly().Filtered(),
            Text("notes", 2000).Nullable().ReadOnly(),
        ],
    };
}
