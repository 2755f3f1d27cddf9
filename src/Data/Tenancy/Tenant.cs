namespace AgentPlatform.Data.Tenancy;

/// <summary>On whose behalf a transaction runs: taken from a verified token or key, never from a request's body.</summary>
/// <param name="OrganizationId">The only organization whose rows the transaction sees.</param>
/// <param name="UserId">The person, or null for a key, a visitor or the system.</param>
/// <param name="Role">The person's role in the organization (<c>viewer</c> … <c>owner</c>), or null.</param>
/// <param name="ApiKeyId">The API key that acts for the person; null for the person.</param>
public sealed record Tenant(Guid OrganizationId, Guid? UserId = null, string? Role = null, Guid? ApiKeyId = null);
