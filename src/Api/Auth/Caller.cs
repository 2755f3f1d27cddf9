using System.Collections.Immutable;
using System.Net;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Auth;

/// <summary>Who makes a request: known from the access token or API key and what stands behind it, never from the request itself.</summary>
/// <param name="SessionId">The person's session, or the API key.</param>
/// <param name="IpAddress">Where the request comes from, for the audit log.</param>
public sealed record Caller(Guid OrganizationId, Guid UserId, Role Role, Guid SessionId, IPAddress? IpAddress)
{
    /// <summary>Longest <c>User-Agent</c> that the audit log keeps.</summary>
    public const int MaxUserAgentLength = 500;

    /// <summary>What the client says it is, for the audit log.</summary>
    public string? UserAgent { get; init; }

    /// <summary>Looks after the whole installation.</summary>
    public bool IsSuperAdmin { get; init; }

    /// <summary>What an API key may do; null for a person, who may do all that the role may.</summary>
    public ImmutableArray<string>? Scopes { get; init; }

    /// <summary>Why a super admin who is no member acts in the organization; null for members.</summary>
    public string? EnteredReason { get; init; }

    /// <summary>The API key that acts for the person; null for the person.</summary>
    public Guid? ApiKeyId { get; init; }

    /// <summary>For row level security.</summary>
    public Tenant Tenant => new(OrganizationId, UserId, Role.Name(), ApiKeyId);

    /// <summary>For commands to grains.</summary>
    public Actor Actor => new() { OrganizationId = OrganizationId, UserId = UserId, IpAddress = IpAddress?.ToString(), UserAgent = UserAgent, ApiKeyId = ApiKeyId };

    /// <summary>What a request says it comes from, cut to what is kept; null where it says nothing.</summary>
    public static string? UserAgentOf(HttpRequest request)
    {
        // NUL is the one character that Postgres can't keep.
        var text = request.Headers.UserAgent.ToString().Replace("\0", "", StringComparison.Ordinal);
        return text.Length == 0 ? null : text.Length > MaxUserAgentLength ? text[..MaxUserAgentLength] : text;
    }
}
