using AgentPlatform.Api.Operations;
using AgentPlatform.Data.Http;

namespace AgentPlatform.Api.Channels;

/// <summary>Whether this server may call an address that a tenant names.</summary>
internal static class EndpointCheck
{
    /// <summary>Null when it may; else what is wrong, as a sentence.</summary>
    public static Task<string?> Refuses(OperationRequest request, string url) => Task.FromResult(
        Uri.TryCreate(url, UriKind.Absolute, out var parsed) ? request.Service<EndpointPolicy>().Check(parsed) : "it must be an absolute URL.");
}
