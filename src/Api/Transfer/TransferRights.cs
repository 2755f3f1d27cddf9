using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;

namespace AgentPlatform.Api.Transfer;

/// <summary>
/// Whoever may create a row may import rows; whoever may read a list may export it. Looked at when a job is asked for, and again when it runs, by the role and
/// the scopes of that moment.
/// </summary>
internal static class TransferRights
{
    /// <summary>The role for it; null for what can't be created.</summary>
    public static Role? Needed(Resource resource, ImportOrder order) => order.Key is not null && resource.Update > resource.Create ? resource.Update : resource.Create;

    /// <summary>Null when the caller may.</summary>
    public static string? Refusal(Caller caller, Resource resource, ImportOrder order)
    {
        var needed = Needed(resource, order);
        return needed is null ? $"{resource.Path} can't be created." : Refusal(caller, needed.Value, resource.Path, "POST");
    }

    /// <summary>Null when the caller may.</summary>
    public static string? Refusal(Caller caller, Resource resource) => resource.NeedsPerson && caller.Scopes is not null
        ? "A person must do this; an API key can't."
        : Refusal(caller, resource.Read ?? Role.Owner, resource.Path, "GET");

    /// <summary>Null when the caller may do what a method of a route below <c>/v1/</c> does.</summary>
    public static string? Refusal(Caller caller, Role needed, string path, string method) =>
        caller.Role < needed ? $"This needs the role {needed.Name()}; yours is {caller.Role.Name()}."
        : caller.Scopes is { } scopes && ApiKeyScopes.Of(method, $"/v1/{path}") is { } scope && !ApiKeyScopes.Allow(scopes, scope) ? $"The API key needs the scope {scope}."
        : null;
}
