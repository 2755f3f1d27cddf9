using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Http;

namespace AgentPlatform.Api.Channels;

/// <summary>Whether this server may call the addresses that a tenant names.</summary>
internal static class EndpointCheck
{
    /// <summary>What is wrong with the first address of a change, however deep in it, that must not be called; null where all may.</summary>
    public static Problem? Refusal(ResourceChange change) => change.Values.Leaves()
        .Where(static leaf => leaf.Field.IsCalled)
        .Select(leaf => Refuses(change.Request.Service<EndpointPolicy>(), (string)leaf.Value) is { } reason ? Problem.Invalid(leaf.Pointer, $"{leaf.Pointer} can't be used: {reason}") : null)
        .FirstOrDefault(static problem => problem is not null);

    /// <summary>Null when an address may be called; else what is wrong, as a sentence.</summary>
    public static string? Refuses(EndpointPolicy policy, string url) => Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? policy.Check(parsed) : "it must be an absolute URL.";
}
