using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Billing;

/// <summary>Who looks after the whole installation.</summary>
internal static class SuperAdmins
{
    private const string Question = "SELECT is_super_admin()";

    public static Problem Refusal => new(ProblemType.Forbidden, "Only a super admin of this installation may do this.");

    public static async Task<bool> Include(OperationRequest request)
    {
        await using var row = await TenantSession.ReadAsync(request.Service<ApiDataSource>(), request.Caller.Tenant, Question, request.Cancelled);
        return await row.ReadAsync(request.Cancelled) && row.GetBoolean(0);
    }

    /// <summary>The same within a transaction that is under way.</summary>
    public static Task<bool> Include(TenantSession session, CancellationToken cancellationToken) => session.ScalarAsync<bool>(Question, cancellationToken);
}
