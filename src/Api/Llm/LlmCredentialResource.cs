using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Channels;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Secrets;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Llm;

/// <summary>The organization's keys for model providers.</summary>
internal static class LlmCredentialResource
{
    public static readonly Resource LlmCredentials = new()
    {
        Path = "llm-credentials",
        Singular = "llmCredential",
        Plural = "llmCredentials",
        Table = "llm_credentials",
        Description = "The organization's keys for model providers, one for each. The key goes in and never comes out.",
        Read = Role.Admin,
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        Fields =
        [
            Choice("provider", "openai", "anthropic", "google", "openai_compatible").Required().Fixed().Filtered(),
            Url("baseUrl").Nullable().Called().About("The provider's API, where it isn't the provider's own. Required for openai_compatible."),
            HeaderSecret("apiKey").Required().Secret(),
            Flag("isActive").WithDefault(true).Filtered(),
        ],
        Uniques = [new("one_credential_per_provider", "provider", "There is a key for this provider: change it.")],
        BeforeWrite = static change => Task.FromResult(Seal(change)),
    };

    private static Problem? Seal(ResourceChange change)
    {
        if (change.IsDeletion)
        {
            return null;
        }
        if (change.Resulting<string>("provider") == "openai_compatible" && change.Resulting<string>("baseUrl") is null)
        {
            return Problem.Invalid("/baseUrl", "/baseUrl is required for openai_compatible.");
        }
        if (EndpointCheck.Refusal(change) is { } refused)
        {
            return refused;
        }
        if (change.Before is { } before && change.Values.Has("baseUrl")
            && SecretAddress.Refuses("/baseUrl", before.Get<string>("baseUrl"), change.Values.Text("baseUrl"), "/apiKey", change.Values.Has("apiKey")) is { } elsewhere)
        {
            return elsewhere;
        }
        if (change.Values.Has("apiKey"))
        {
            change.Seal("apiKey", SealedColumns.LlmApiKey);
        }
        return null;
    }
}
