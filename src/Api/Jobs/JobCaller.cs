using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Jobs;

/// <summary>The member (or the super admin who is in the organization) on whose behalf a job runs, with the role, and of an API key the scopes, of now.</summary>
internal static class JobCaller
{
    /// <exception cref="JobFailedException">The member is gone or no longer active, the API key no longer works, or the organization is suspended.</exception>
    public static async Task<Caller> Find(IServiceProvider services, Job job, CancellationToken cancellationToken)
    {
        await using var row = await TenantSession.ReadAsync(
            services.GetRequiredService<ApiDataSource>(), new Tenant(job.OrganizationId),
            """
            SELECT CASE WHEN $3::uuid IS NULL THEN acting_role($1) ELSE k.role END, k.scopes, EXISTS (SELECT FROM organizations o WHERE o.id = $2 AND o.status = 'suspended')
            FROM (SELECT 1) one LEFT JOIN LATERAL find_live_session($3) k ON true
            """,
            cancellationToken, job.UserId ?? Guid.Empty, job.OrganizationId, (object?)job.ApiKeyId ?? DBNull.Value);
        return await row.ReadAsync(cancellationToken) && !row.IsDBNull(0) && Roles.Parse(row.GetString(0)) is { } role
            ? new Caller(job.OrganizationId, job.UserId!.Value, role, Guid.Empty, job.IpAddress) { UserAgent = job.UserAgent, ApiKeyId = job.ApiKeyId, Scopes = await row.IsDBNullAsync(1, cancellationToken) ? null : [.. row.GetFieldValue<string[]>(1)] }
            : throw new JobFailedException(row.GetBoolean(2) ? "The organization is suspended." : job.ApiKeyId is not null ? "The API key by which it was asked for no longer works." : "The member on whose behalf it runs is no longer active.");
    }

    /// <summary>A request as resources' own rules know it, though nobody sent one.</summary>
    public static OperationRequest Request(IServiceProvider services, Caller caller, CancellationToken cancellationToken) => new()
    {
        Http = new DefaultHttpContext { RequestServices = services, RequestAborted = cancellationToken },
        KnownCaller = caller,
        Query = new Dictionary<string, System.Collections.Immutable.ImmutableArray<object>>(),
    };
}
