using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>A new key in place of an old one.</summary>
internal static class ApiKeyEndpoints
{
    /// <summary>Longest time for which the key before goes on working.</summary>
    public const int MaxOverlapHours = 7 * 24;

    /// <summary>How long it does where nothing is said.</summary>
    public const int DefaultOverlapHours = 24;

    private static readonly Operation RotateOperation = new()
    {
        Id = "rotateApiKey",
        ChangesAccess = true,
        Tag = "api keys",
        Role = Role.Admin,
        NeedsPerson = true,
        Summary = "Make a new key in place of the present one",
        Description = "The key before goes on for `overlapHours`, so that programs can be told the new one; a key before that one ends now.",
        Body = new(Integer("overlapHours", 0, MaxOverlapHours).WithDefault(DefaultOverlapHours)),
        IsBodyRequired = false,
        Answer = new(Uuid("id"), Text("key", 100).About("The new key: shown this once."), Text("prefix", 20), Timestamp("previousUntil").Nullable()),
        AnswerName = "RotatedApiKey",
        Problems = [ProblemType.Conflict],
    };

    public static void MapApiKeys(IEndpointRouteBuilder routes) => routes.MapOperation("POST", "/v1/api-keys/{id}/rotate", RotateOperation, Rotate);

    private static Task<IResult> Rotate(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        if (request.PathId() is not { } id)
        {
            return Problem.NotFound();
        }
        var caller = request.Caller;
        var hours = request.Body.Has("overlapHours") ? request.Body.Get<int>("overlapHours") : DefaultOverlapHours;
        var key = ApiKeyText.New();
        string role, before;
        Guid maker;
        await using (var row = await session.QueryAsync(
            "SELECT role, prefix, created_by FROM api_keys WHERE organization_id = $1 AND id = $2 AND revoked_at IS NULL FOR NO KEY UPDATE", request.Cancelled, caller.OrganizationId, id))
        {
            if (!await row.ReadAsync(request.Cancelled))
            {
                return Problem.NotFound();
            }
            (role, before, maker) = (row.GetString(0), row.GetString(1), row.GetGuid(2));
        }
        if (maker != caller.UserId)
        {
            return new Problem(ProblemType.Forbidden, ApiKeyResource.OfItsMaker);
        }
        if (Roles.Parse(role) > caller.Role)
        {
            return new Problem(ProblemType.Forbidden, $"The key's role is {role}; yours is {caller.Role.Name()}.");
        }
        var until = await session.ScalarAsync<DateTime?>("SELECT rotate_api_key($1, $2, $3, $4)", request.Cancelled, id, ApiKeyText.Hash(key), ApiKeyText.Shown(key), hours);
        await request.Service<ActivityLog>().WriteAsync(
            session, caller, "apiKey.rotated", "apiKey", id, ActivityLog.Members(("prefix", before)), ActivityLog.Members(("prefix", ApiKeyText.Shown(key))), [], request.Cancelled);
        await session.CommitAsync(request.Cancelled);
        return JsonAnswer.Of(json =>
        {
            json.WriteString("id", id);
            json.WriteString("key", key);
            json.WriteString("prefix", ApiKeyText.Shown(key));
            if (until is { } end)
            {
                json.WriteString("previousUntil", end);
            }
            else
            {
                json.WriteNull("previousUntil");
            }
        });
    });
}
