using AgentPlatform.Api.Operations;

namespace AgentPlatform.Api.Channels;

/// <summary>Whether this server may call an address that a tenant names.</summary>
internal static class EndpointCheck
{
    /// <summary>Null when it may; else what is wrong, as a sentence.</summary>
    public static Task<string?> Refuses(OperationRequest request, string url)
    {
        var allowsPrivate = request.Service<IConfiguration>().GetValue("ALLOW_PRIVATE_ENDPOINTS", false);
        return Task.FromResult(Uri.TryCreate(url, UriKind.Absolute, out var parsed) && (allowsPrivate || parsed.Scheme == Uri.UriSchemeHttps) ? null : "it must be an https URL.");
    }
}
