using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>Pipelines of other CRMs and their stages, as they are known here.</summary>
internal static class CrmPipelineResource
{
    public static readonly Resource Pipelines = new()
    {
        Path = "crm-pipelines",
        Singular = "crmPipeline",
        Plural = "crmPipelines",
        Table = "crm_pipelines",
        Description = "Pipelines of another CRM, as they are known here.",
        Import = new("externalId") { Within = "connectionId" },
        KnownBy = ["externalId", "name"],
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        DefaultSort = "sortOrder",
        Fields =
        [
            Reference("connectionId", "crm_connections").Required().Fixed().Filtered(),
            Identifier("externalId").Required().Fixed().Filtered(),
            Name("name").Required().Searched(),
            Flag("isActive").WithDefault(true).Filtered(),
            Integer("sortOrder", -1_000_000, 1_000_000).WithDefault(0).Sorted(),
            Json("metadata"),
        ],
        Uniques = [new("one_pipeline_per_external_id", "externalId", "The connection has a pipeline with this id.")],
    };

    public static readonly Resource Stages = new()
    {
        Path = "crm-pipeline-stages",
        Singular = "crmPipelineStage",
        Plural = "crmPipelineStages",
        Table = "crm_pipeline_stages",
        Description = "Stages of another CRM's pipelines, and which stage of a deal each stands for.",
        Import = new("externalId") { Within = "pipelineId" },
        KnownBy = ["externalId", "name"],
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        DefaultSort = "sortOrder",
        Fields =
        [
            Reference("pipelineId", "crm_pipelines").Required().Fixed().Filtered(),
            Identifier("externalId").Required().Fixed().Filtered(),
            Name("name").Required().Searched(),
            Integer("sortOrder", -1_000_000, 1_000_000).WithDefault(0).Sorted(),
            Choice("dealStage", "prospecting", "qualification", "proposal", "negotiation", "closed_won", "closed_lost").Nullable().Filtered().About("The stage here that this one stands for."),
            Json("metadata"),
        ],
        Uniques = [new("one_stage_per_external_id", "externalId", "The pipeline has a stage with this id.")],
    };
}
