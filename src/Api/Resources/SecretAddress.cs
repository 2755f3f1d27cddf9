using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Resources;

/// <summary>
/// A stored secret belongs to the address that it was given for. Whoever may change the address must not get the secret sent to another one: then it is given again, by somebody who knows it.
/// </summary>
internal static class SecretAddress
{
    /// <summary>Why an address can't be changed; null where it can.</summary>
    /// <param name="field">Pointer to the address.</param>
    /// <param name="before">The address so far; null for the provider's own.</param>
    /// <param name="after">The address from now on.</param>
    /// <param name="secret">Pointer to the secret that would go there.</param>
    /// <param name="isGiven">Whether the change brings the secret along, or there is none.</param>
    public static Problem? Refuses(string field, string? before, string? after, string secret, bool isGiven) => isGiven || Origin(before) == Origin(after)
        ? null
        : Problem.Invalid(secret, $"{secret} must be given again, since {field} leads to another server: the stored one was given for {(before is null ? "the provider's own" : Origin(before))}.");

    private static string Origin(string? url) => url is null ? "" : Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? WebOrigin.Of(parsed) : url;
}
