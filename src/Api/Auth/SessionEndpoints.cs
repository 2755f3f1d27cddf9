using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>Where a person is signed in.</summary>
internal static class SessionEndpoints
{
    private static readonly Operation ListOperation = new()
    {
        Id = "listSessions",
        Tag = "sessions",
        Role = Role.Viewer,
        NeedsPerson = true,
        Summary = "List your own sessions",
        Description = "In all your organizations, the one used last first.",
        Answer = new(Shapes.Fields.List("items", new Shapes.ObjectType(new(
            Uuid("id"), Uuid("organizationId").Nullable(), Text("organizationName", 200).Nullable(), Text("userAgent", 500).Nullable(), Text("ipAddress", 50).Nullable(),
            Timestamp("createdAt"), Timestamp("lastUsedAt"), Timestamp("expiresAt"), Flag("current").About("The session of this request."))), 200)),
        AnswerName = "Sessions",
    };

    private static readonly Operation EndOperation = new()
    {
        Id = "endSession",
        ChangesAccess = true,
        Tag = "sessions",
        Role = Role.Viewer,
        NeedsPerson = true,
        SuccessStatus = StatusCodes.Status204NoContent,
        Summary = "End one of your own sessions",
        Description = "Its tokens stop working at once, its live streams close.",
    };

    private static readonly Operation EndOthersOperation = EndOperation with
    {
        Id = "endOtherSessions",
        SuccessStatus = StatusCodes.Status200OK,
        Summary = "End all your sessions but this one",
        Body = new(),
        IsBodyRequired = false,
        Answer = new(Integer("ended").About("How many ended.")),
        AnswerName = "EndedSessions",
    };

    public static void MapSessions(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("GET", "/v1/sessions", ListOperation, List);
        routes.MapOperation("DELETE", "/v1/sessions/{id}", EndOperation, End);
        routes.MapOperation("POST", "/v1/sessions/end-others", EndOthersOperation, EndOthers);
    }

    private static async Task<IResult> List(OperationRequest request)
    {
        var caller = request.Caller;
        await using var rows = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), caller.Tenant,
            "SELECT id, organization_id, organization_name, user_agent, ip_address, created_at, last_used_at, expires_at FROM sessions_of($1)", request.Cancelled, caller.UserId);
        var items = new List<ReadOnlyMemory<byte>>();
        while (await rows.ReadAsync(request.Cancelled))
        {
            items.Add(JsonAnswer.Write(json =>
            {
                json.WriteStartObject();
                json.WriteString("id", rows.GetGuid(0));
                string[] texts = ["organizationId", "organizationName", "userAgent", "ipAddress"];
                for (var index = 0; index < texts.Length; index++)
                {
                    json.WriteString(texts[index], rows.IsDBNull(index + 1) ? null : rows.GetValue(index + 1).ToString());
                }
                string[] times = ["createdAt", "lastUsedAt", "expiresAt"];
                for (var index = 0; index < times.Length; index++)
                {
                    json.WriteString(times[index], rows.GetDateTime(index + 5));
                }
                json.WriteBoolean("current", rows.GetGuid(0) == caller.SessionId);
                json.WriteEndObject();
            }));
        }
        return JsonAnswer.Of(json =>
        {
            json.WriteStartArray("items");
            items.ForEach(item => json.WriteRawValue(item.Span, skipInputValidation: true));
            json.WriteEndArray();
        });
    }

    private static Task<IResult> End(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        if (request.PathId() is not { } id)
        {
            return Problem.NotFound();
        }
        if (!await session.ScalarAsync<bool>("SELECT end_own_session($1)", request.Cancelled, id))
        {
            return Problem.NotFound();
        }
        await request.Service<ActivityLog>().WriteAsync(session, request.Caller, "session.ended", "session", id, null, null, [], request.Cancelled);
        await session.CommitAsync(request.Cancelled);
        return TypedResults.NoContent();
    });

    private static Task<IResult> EndOthers(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var caller = request.Caller;
        var ended = await session.ScalarAsync<int>("SELECT end_sessions_of($1, $2)", request.Cancelled, caller.UserId, caller.SessionId);
        await request.Service<ActivityLog>().WriteAsync(session, caller, "session.others_ended", "user", caller.UserId, null, ActivityLog.Members(("ended", ended)), [], request.Cancelled);
        await session.CommitAsync(request.Cancelled);
        return JsonAnswer.Of(json => json.WriteNumber("ended", ended));
    });
}
