using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Llm;

/// <summary>Models that agents can use.</summary>
internal static class LlmModelResource
{
    public static readonly string[] Providers = ["openai", "anthropic", "google", "openai_compatible", "built_in"];

    public static readonly Resource LlmModels = new()
    {
        Path = "llm-models",
        Singular = "llmModel",
        Plural = "llmModels",
        Table = "llm_models",
        HasSharedRows = true,
        Description = "Models that agents can use: the organization's own, and those offered to everyone (`isShared`), which can't be changed.",
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        Fields =
        [
            Choice("provider", Providers).Required().Filtered(),
            Name("name").Required().Sorted().Searched(),
            Identifier("modelId").Required().Searched().About("What the provider calls it."),
            Integer("contextWindow", 1).Nullable().About("Tokens."),
            Number("inputCostPer1k", 0, 1000, 6).WithDefault(0).FromColumn("input_cost_per_1k").About("US dollars for 1,000 tokens in."),
            Number("outputCostPer1k", 0, 1000, 6).WithDefault(0).FromColumn("output_cost_per_1k").About("US dollars for 1,000 tokens out."),
            Flag("isDefault").WithDefault(false).Filtered().About("Used by agents that name no model; taken from the default before."),
            Json("capabilities"),
            Flag("isShared").ReadOnly() with { Expression = "(t.organization_id IS NULL)" },
        ],
        Uniques = [new("llm_models_one_default", "isDefault", "Another model became the default at the same moment.")],
        BeforeWrite = async change =>
        {
            if (change.Values.Get<bool>("isDefault"))
            {
                await change.Session.ExecuteAsync(
                    "UPDATE llm_models SET is_default = false, version = version + 1 WHERE organization_id = $1 AND is_default AND id <> $2",
                    change.Request.Cancelled, change.Caller.OrganizationId, change.Id);
            }
            return null;
        },
    };
}
