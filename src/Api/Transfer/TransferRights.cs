using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;

namespace AgentPlatform.Api.Transfer;

/// <summary>Whoever may create a row may import rows; whoever may read a list may export it. Looked at when a job is asked for, and again when it runs.</summary>
internal static class TransferRights
{
    /// <summary>Null when the caller may.</summary>
    public static string? Refusal(Caller caller, Resource resource, ImportOrder order)
    {
        var needed = order.Key is not null && resource.Update > resource.Create ? resource.Update : resource.Create;
        return needed is null ? $"{resource.Path} can't be created." : Refusal(caller, needed.Value);
    }

    /// <summary>Null when the caller may.</summary>
    public static string? Refusal(Caller caller, Resource resource) => Refusal(caller, resource.Read ?? Role.Owner);

    private static string? Refusal(Caller caller, Role needed) => caller.Role >= needed ? null : $"This needs the role {needed.Name()}; yours is {caller.Role.Name()}.";
}
