using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Agents;

/// <summary>Prompts under test.</summary>
internal static class PromptVariantResource
{
    public static readonly Resource PromptVariants = new()
    {
        Path = "prompt-variants",
        Singular = "promptVariant",
        Plural = "promptVariants",
        Table = "prompt_variants",
        Description = "Prompts for a type of agent. One of each type is the default: making another one the default takes it from the first.",
        Import = new(),
        KnownBy = ["name"],
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Choice("agentType", AgentResource.Types).Required().Fixed().Filtered(),
            Name("name").Required().Sorted().Searched(),
            Text("description", 4000).Nullable(),
            Prose("prompt", 50_000).Required(),
            Flag("isActive").WithDefault(true).Filtered(),
            Flag("isDefault").WithDefault(false).Filtered(),
        ],
        Uniques = [new("prompt_variants_one_default_per_agent_type", "isDefault", "Another variant became the default at the same moment.")],
        BeforeWrite = async change =>
        {
            if (change.Values.Get<bool>("isDefault"))
            {
                await change.Session.ExecuteAsync(
                    "UPDATE prompt_variants SET is_default = false, version = version + 1 WHERE organization_id = $1 AND agent_type = $2 AND is_default AND id <> $3",
                    change.Request.Cancelled, change.Caller.OrganizationId, change.Resulting<string>("agentType"), change.Id);
            }
            return null;
        },
    };
}
