using System.Net;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Auth;

/// <summary>Who makes a request: known from the access token and the session behind it, never from the request itself.</summary>
/// <param name="IpAddress">Where the request comes from, for the audit log.</param>
public sealed record Caller(Guid OrganizationId, Guid UserId, Role Role, Guid SessionId, IPAddress? IpAddress)
{
    /// <summary>For row level security.</summary>
    public Tenant Tenant { get; } = new(OrganizationId, UserId, Role.Name());

    /// <summary>For commands to grains.</summary>
    public Actor Actor => new() { OrganizationId = OrganizationId, UserId = UserId, IpAddress = IpAddress?.ToString() };
}
