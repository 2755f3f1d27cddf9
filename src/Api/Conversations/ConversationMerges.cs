using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Conversations;

/// <summary>
/// A conversation that turned out to be one with another has the other's address now: whoever still has the old one open is led there, with what was to be done (308).
/// </summary>
internal static class ConversationMerges
{
    /// <summary>Routes of one conversation begin so.</summary>
    public const string Route = "/v1/conversations/{id}";

    /// <summary>The same handler, and where it finds nothing a look at what became of the conversation.</summary>
    public static Func<OperationRequest, Task<IResult>> Follow(Func<OperationRequest, Task<IResult>> handler) => async request =>
    {
        var result = await handler(request);
        return result is Problem { Type: var type } && type == ProblemType.NotFound && await Find(request) is { } kept ? kept : result;
    };

    private static async Task<IResult?> Find(OperationRequest request)
    {
        if (request.PathId() is not { } id)
        {
            return null;
        }
        await using var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant, "SELECT conversation_id FROM conversation_merges WHERE organization_id = $1 AND merged_id = $2",
            request.Cancelled, request.Caller.OrganizationId, id);
        if (!await row.ReadAsync(request.Cancelled))
        {
            return null;
        }
        var path = request.Http.Request.Path.Value!.Replace(id.ToString("D"), row.GetGuid(0).ToString("D"), StringComparison.OrdinalIgnoreCase);
        return Results.Redirect(path + request.Http.Request.QueryString, permanent: true, preserveMethod: true);
    }
}
