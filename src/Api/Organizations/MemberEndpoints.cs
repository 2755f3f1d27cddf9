using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>What is done to members besides changing them.</summary>
internal static class MemberEndpoints
{
    private static readonly Operation EndSessionsOperation = new()
    {
        Id = "endMemberSessions",
        ChangesAccess = true,
        Tag = "members",
        Role = Role.Admin,
        Summary = "Sign a member out everywhere",
        Description = "In this organization. His or her tokens stop working at once, live streams close.",
        Body = new(),
        IsBodyRequired = false,
        Answer = new(Integer("ended").About("How many sessions ended.")),
        AnswerName = "EndedSessions",
    };

    private static readonly Operation TransferOperation = new()
    {
        Id = "transferOwnership",
        ChangesAccess = true,
        Tag = "organization",
        Role = Role.Owner,
        NeedsPerson = true,
        NeedsMember = true,
        RateLimit = RateLimits.SignIn,
        SuccessStatus = StatusCodes.Status204NoContent,
        Summary = "Hand the organization over",
        Description = "The member becomes an owner and you become an admin, both or neither. Asks for your password.",
        Body = new(Reference("userId", "users").Required().About("An active member."), Password("password").Required()),
        Problems = [ProblemType.InvalidCredentials, ProblemType.Conflict],
    };

    private static readonly Operation LeaveOperation = new()
    {
        Id = "leaveOrganization",
        ChangesAccess = true,
        Tag = "organization",
        Role = Role.Viewer,
        NeedsPerson = true,
        NeedsMember = true,
        SuccessStatus = StatusCodes.Status204NoContent,
        Summary = "Leave the organization",
        Description = "Your sessions and API keys in it end. The last owner hands over first.",
        Body = new(),
        IsBodyRequired = false,
        Problems = [ProblemType.Conflict],
    };

    public static void MapMembers(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/members/{id}/end-sessions", EndSessionsOperation, EndSessions);
        routes.MapOperation("POST", "/v1/organization/transfer-ownership", TransferOperation, Transfer);
        routes.MapOperation("POST", "/v1/organization/leave", LeaveOperation, Leave);
    }

    private static Task<IResult> EndSessions(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var caller = request.Caller;
        if (request.PathId() is not { } id || await RoleOf(session, request, id) is not { } role)
        {
            return Problem.NotFound();
        }
        if (role > caller.Role)
        {
            return new Problem(ProblemType.Forbidden, $"The member's role is {role.Name()}; yours is {caller.Role.Name()}.");
        }
        var ended = await session.ScalarAsync<int>("SELECT end_member_sessions($1)", request.Cancelled, id);
        await Log(request, session, "member.sessions_ended", "member", id, null, ActivityLog.Members(("ended", ended)));
        await session.CommitAsync(request.Cancelled);
        return JsonAnswer.Of(json => json.WriteNumber("ended", ended));
    });

    private static async Task<IResult> Transfer(OperationRequest request)
    {
        // Before anything is held: the check of a password takes long.
        var (isMember, email, hash) = await request.InTransaction(async session =>
        {
            var known = await session.ScalarAsync<bool>(
                "SELECT EXISTS (SELECT FROM organization_members WHERE organization_id = $1 AND user_id = $2 AND status = 'active')", request.Cancelled, request.Caller.OrganizationId, request.Body.Id("userId")!.Value);
            var (address, stored) = await PasswordOf(session, request);
            return (known, address, stored);
        });
        if (!isMember)
        {
            return NoHeir();
        }
        return await PasswordProof.Refuse(request, email, hash, request.Body.Text("password")!) is { } refused ? refused : await HandOver(request);
    }

    private static Problem NoHeir() => Problem.Invalid("/userId", "/userId names no other active member of this organization.");

    private static Task<IResult> HandOver(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var caller = request.Caller;
        var heir = request.Body.Id("userId")!.Value;
        var members = new Dictionary<Guid, (Role Role, string Status)>();
        // In order of id, and the organization's row after them, as every change of a member takes them.
        await using (var rows = await session.QueryAsync(
            "SELECT user_id, role, status FROM organization_members WHERE organization_id = $1 AND user_id IN ($2, $3) ORDER BY user_id FOR NO KEY UPDATE",
            request.Cancelled, caller.OrganizationId, caller.UserId, heir))
        {
            while (await rows.ReadAsync(request.Cancelled))
            {
                members[rows.GetGuid(0)] = (Roles.Parse(rows.GetString(1))!.Value, rows.GetString(2));
            }
        }
        if (heir == caller.UserId || !members.TryGetValue(heir, out var next) || next.Status != "active")
        {
            return NoHeir();
        }
        if (members.GetValueOrDefault(caller.UserId) is not { Role: Role.Owner, Status: "active" })
        {
            return new Problem(ProblemType.Conflict, "You are no longer an owner.");
        }
        await SetRole(session, request, heir, Role.Owner);
        await SetRole(session, request, caller.UserId, Role.Admin);
        await Log(request, session, "organization.handed_over", "organization", caller.OrganizationId, ActivityLog.Members(("owner", caller.UserId), ("role", next.Role.Name())), ActivityLog.Members(("owner", heir)));
        await session.CommitAsync(request.Cancelled);
        return TypedResults.NoContent();
    });

    private static Task<IResult> Leave(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var caller = request.Caller;
        await session.ExecuteAsync(
            "SELECT 1 FROM organization_members WHERE organization_id = $1 AND user_id = $2 FOR UPDATE", request.Cancelled, caller.OrganizationId, caller.UserId);
        await session.ExecuteAsync("SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE", request.Cancelled, caller.OrganizationId);
        if (caller.Role == Role.Owner && !await session.ScalarAsync<bool>(
            "SELECT true FROM organization_members WHERE organization_id = $1 AND role = 'owner' AND status = 'active' AND user_id <> $2 LIMIT 1",
            request.Cancelled, caller.OrganizationId, caller.UserId))
        {
            return new Problem(ProblemType.Conflict, "The organization would be left without an owner. Hand it over first.");
        }
        await Log(request, session, "member.left", "member", caller.UserId, ActivityLog.Members(("role", caller.Role.Name())), null);
        await session.ExecuteAsync("DELETE FROM organization_members WHERE organization_id = $1 AND user_id = $2", request.Cancelled, caller.OrganizationId, caller.UserId);
        await session.CommitAsync(request.Cancelled);
        return TypedResults.NoContent();
    });

    private static async Task<Role?> RoleOf(TenantSession session, OperationRequest request, Guid member) => Roles.Parse(await session.ScalarAsync<string>(
        "SELECT role FROM organization_members WHERE organization_id = $1 AND user_id = $2", request.Cancelled, request.Caller.OrganizationId, member));

    private static async Task<(string Email, string? Hash)> PasswordOf(TenantSession session, OperationRequest request)
    {
        await using var row = await session.QueryAsync("SELECT email, password_hash FROM password_hash_of($1)", request.Cancelled, request.Caller.UserId);
        return await row.ReadAsync(request.Cancelled) ? (row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1)) : ("", null);
    }

    private static Task SetRole(TenantSession session, OperationRequest request, Guid member, Role role) => session.ExecuteAsync(
        "UPDATE organization_members SET role = $3, version = version + 1 WHERE organization_id = $1 AND user_id = $2",
        request.Cancelled, request.Caller.OrganizationId, member, role.Name());

    private static Task Log(OperationRequest request, TenantSession session, string action, string entity, Guid id, ReadOnlyMemory<byte>? before, ReadOnlyMemory<byte>? after) =>
        request.Service<ActivityLog>().WriteAsync(session, request.Caller, action, entity, id, before, after, [], request.Cancelled);
}
