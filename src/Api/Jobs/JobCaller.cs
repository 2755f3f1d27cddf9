using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Jobs;

/// <summary>The member (or the super admin who is in the organization) on whose behalf a job runs, with the role that he or she has now.</summary>
internal static class JobCaller
{
    /// <exception cref="JobFailedException">The member is gone or no longer active, or the organization is suspended.</exception>
    public static async Task<Caller> Find(IServiceProvider services, Job job, CancellationToken cancellationToken)
    {
        await using var row = await TenantSession.ReadAsync(
            services.GetRequiredService<ApiDataSource>(), new Tenant(job.OrganizationId),
            "SELECT acting_role($1), EXISTS (SELECT FROM organizations o WHERE o.id = $2 AND o.status = 'suspended')", cancellationToken, job.UserId ?? Guid.Empty, job.OrganizationId);
        return await row.ReadAsync(cancellationToken) && !row.IsDBNull(0) && Roles.Parse(row.GetString(0)) is { } role
            ? new Caller(job.OrganizationId, job.UserId!.Value, role, Guid.Empty, job.IpAddress) { UserAgent = job.UserAgent, ApiKeyId = job.ApiKeyId }
            : throw new JobFailedException(row.GetBoolean(1) ? "The organization is suspended." : "The member on whose behalf it runs is no longer active.");
    }

    /// <summary>A request as resources' own rules know it, though nobody sent one.</summary>
    public static OperationRequest Request(IServiceProvider services, Caller caller, CancellationToken cancellationToken) => new()
    {
        Http = new DefaultHttpContext { RequestServices = services, RequestAborted = cancellationToken },
        KnownCaller = caller,
        Query = new Dictionary<string, System.Collections.Immutable.ImmutableArray<object>>(),
    };
}
