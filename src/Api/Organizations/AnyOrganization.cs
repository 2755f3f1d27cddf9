using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Organizations;

/// <summary>Requests of super admins about an organization that the path names: <c>/v1/organizations/{id}/…</c>.</summary>
internal static class AnyOrganization
{
    /// <summary>Path of all organizations.</summary>
    public const string Path = "/v1/organizations";

    /// <summary>An operation of one's own organization, as one that super admins may call for any.</summary>
    public static Operation Operation(Operation own, string id, string? summary = null) => own with
    {
        Id = id,
        Role = Role.Viewer,
        NeedsSuperAdmin = true,
        Summary = summary ?? own.Summary,
    };

    /// <summary>Runs a request bound to the organization that the path names: row level security shows that one and no other, and its log hears of changes.</summary>
    public static async Task<IResult> Run(OperationRequest request, Func<OperationRequest, Task<IResult>> run)
    {
        if (request.PathId() is not { } organization)
        {
            return Problem.NotFound();
        }
        var caller = request.Caller;
        var bound = new OperationRequest
        {
            Http = request.Http,
            KnownCaller = new Caller(organization, caller.UserId, Role.Owner, caller.SessionId, caller.IpAddress) { IsSuperAdmin = true, UserAgent = caller.UserAgent },
            Body = request.Body,
            Fingerprint = request.Fingerprint,
            Query = request.Query,
            ExpectedVersions = request.ExpectedVersions,
            IdempotencyKey = request.IdempotencyKey,
        };
        await using (var row = await TenantSession.ReadAsync(request.Service<ApiDataSource>(), bound.Caller.Tenant, "SELECT 1 FROM organizations WHERE id = $1", request.Cancelled, organization))
        {
            if (!await row.ReadAsync(request.Cancelled))
            {
                return Problem.NotFound();
            }
        }
        return await run(bound);
    }
}
