using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Experiments;

/// <summary>What the study of dialogues found.</summary>
internal static class DialogueAnalysisResource
{
    public static readonly Resource DialogueAnalyses = new()
    {
        Path = "dialogue-analyses",
        Singular = "dialogueAnalysis",
        Plural = "dialogueAnalyses",
        Table = "dialogue_analyses",
        HasVersion = false,
        HasUpdatedAt = false,
        Description = "What the study of dialogues found: patterns of success, problems, conversion, recommendations. Kept as found, or thrown away.",
        Create = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Choice("analysisType", "success_patterns", "problem_areas", "conversion_metrics", "recommendations").Required().Filtered(),
            Reference("promptVariantId", "prompt_variants").Nullable().Filtered().About("The variant that was looked at; null for all dialogues."),
            Json("data").Required().Detail(),
            Json("recommendations").Nullable().Detail(),
        ],
    };
}
