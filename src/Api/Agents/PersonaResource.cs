using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Agents;

/// <summary>Manners of speech.</summary>
internal static class PersonaResource
{
    public static readonly Resource Personas = new()
    {
        Path = "personas",
        Singular = "persona",
        Plural = "personas",
        Table = "personas",
        Description = "Manners of speech that agents take on.",
        Import = new(),
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Name("name").Required().Sorted().Searched(),
            Choice("tone", "professional", "friendly", "casual", "formal").WithDefault("friendly").Filtered(),
            Text("greeting", 2000).Nullable(),
            Text("fallbackMessage", 2000).Nullable().About("Said when no answer can be found or the model fails."),
            Choice("escalationPolicy", "apologize", "escalate", "retry", "transfer").WithDefault("escalate"),
        ],
    };
}
