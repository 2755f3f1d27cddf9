using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Experiments;

/// <summary>What experiments compare.</summary>
internal static class ExperimentVariantResource
{
    public static readonly Resource ExperimentVariants = new()
    {
        Path = "experiment-variants",
        Singular = "experimentVariant",
        Plural = "experimentVariants",
        Table = "experiment_variants",
        Description = "What experiments compare: a prompt variant and its share of the clients. They change while the experiment is a draft or paused.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Reference("experimentId", "experiments").Required().Fixed().Filtered(),
            Reference("promptVariantId", "prompt_variants").Required().Fixed().Filtered(),
            Integer("weight", 1, 100).Required().About("Per cent of the clients."),
        ],
        Uniques = [new("variant_is_in_the_experiment_once", "promptVariantId", "The experiment has this variant.")],
        Checks =
        [
            new("variants_change_while_the_experiment_rests", "experimentId", "/experimentId names an experiment that runs or has ended: its variants change while it is a draft or paused.", IsAboutState: true),
            new("variant_is_of_the_type_of_its_experiment", "promptVariantId", "/promptVariantId must name a variant for the experiment's type of agent."),
        ],
    };
}
