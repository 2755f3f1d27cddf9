using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>What super admins do with the organizations of the installation: suspend, reactivate, enter.</summary>
internal static class InstallationEndpoints
{
    private const int MaxReasonLength = 500;

    private static readonly Operation SuspendOperation = new()
    {
        Id = "suspendOrganization",
        ChangesAccess = true,
        Tag = "all organizations",
        Role = Role.Viewer,
        NeedsSuperAdmin = true,
        Summary = "Suspend an organization",
        Description = "Its people are signed out at once and its API keys rest; the AI stops. What customers write is still taken in and waits. Only super admins who enter work in it.",
        Body = new(Prose("reason", MaxReasonLength).Required().About("Its log keeps it.")),
        Answer = InstallationResource.Organizations.Shape,
        AnswerName = InstallationResource.Organizations.SchemaName,
        AnswersEntityTag = true,
        Problems = [ProblemType.Conflict],
    };

    private static readonly Operation ReactivateOperation = SuspendOperation with
    {
        Id = "reactivateOrganization",
        Summary = "Let a suspended organization go on",
        Description = "Its people can sign in again, its API keys work, and the AI answers what has waited.",
    };

    private static readonly Operation EnterOperation = new()
    {
        Id = "enterOrganization",
        Tag = "all organizations",
        Role = Role.Viewer,
        NeedsSuperAdmin = true,
        RateLimit = RateLimits.SignIn,
        SuccessStatus = StatusCodes.Status201Created,
        Summary = "Enter an organization that you are no member of",
        Description = "Gives tokens of a session in it, in the role that you name, until `SUPER_ADMIN_ENTRY_MINUTES` are over or you log out. The organization's log says that you came, why, and whatever you do.",
        Body = new(Prose("reason", MaxReasonLength).Required(), Choice("role", Roles.Names).WithDefault(Role.Viewer.Name())),
        Answer = AuthEndpoints.Tokens,
        AnswerName = "Tokens",
        Problems = [ProblemType.Conflict],
    };

    public static void MapInstallation(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", $"{AnyOrganization.Path}/{{id}}/suspend", SuspendOperation, request => AnyOrganization.Run(request, bound =>
            bound.Caller.OrganizationId == request.Caller.OrganizationId
                ? Task.FromResult<IResult>(new Problem(ProblemType.Conflict, "You are signed in to this organization."))
                : Change(bound, "active", "suspended", "organization.suspended")));
        routes.MapOperation("POST", $"{AnyOrganization.Path}/{{id}}/reactivate", ReactivateOperation, request => AnyOrganization.Run(request, bound =>
            Change(bound, "suspended", "active", "organization.reactivated")));
        routes.MapOperation("POST", $"{AnyOrganization.Path}/{{id}}/enter", EnterOperation, request => AnyOrganization.Run(request, Enter));
    }

    private static async Task<IResult> Change(OperationRequest request, string from, string to, string action)
    {
        var (caller, reason) = (request.Caller, request.Body.Text("reason")!);
        var isChanged = await request.InTransaction(async session =>
        {
            var isSuspension = to == "suspended";
            if (await session.ExecuteAsync(
                "UPDATE organizations SET status = $3, suspended_at = $4, suspended_reason = $5, version = version + 1 WHERE id = $1 AND status = $2",
                request.Cancelled, caller.OrganizationId, from, to,
                new Npgsql.NpgsqlParameter { Value = isSuspension ? request.Service<TimeProvider>().GetUtcNow() : DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
                SignUpEndpoints.OptionalText(isSuspension ? reason : null)) == 0)
            {
                return false;
            }
            await request.Service<ActivityLog>().WriteAsync(
                session, caller, action, "organization", caller.OrganizationId, ActivityLog.Members(("status", from)), ActivityLog.Members(("status", to), ("reason", reason)), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
            return true;
        });
        return isChanged
            ? await ResourceReads.Read(InstallationResource.Organizations, request, caller.OrganizationId)
            : new Problem(ProblemType.Conflict, $"The organization is {to} already.");
    }

    private static Task<IResult> Enter(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var (caller, reason) = (request.Caller, request.Body.Text("reason")!);
        var role = Roles.Parse(request.Body.Text("role")) ?? Role.Viewer;
        var until = request.Service<TimeProvider>().GetUtcNow() + request.Service<AccountOptions>().EntryLifetime;
        if (await session.ScalarAsync<bool>(
            "SELECT true FROM organization_members WHERE organization_id = $1 AND user_id = $2", request.Cancelled, caller.OrganizationId, caller.UserId))
        {
            return new Problem(ProblemType.Conflict, "You are a member of this organization: switch to it with POST /v1/auth/switch.");
        }
        var tokens = await request.Service<SignIn>().Enter(session, caller, role, reason, until, request.Cancelled);
        await request.Service<ActivityLog>().WriteAsync(
            session, caller, "organization.entered", "organization", caller.OrganizationId, null,
            ActivityLog.Members(("role", role.Name()), ("reason", reason), ("until", until)), [], request.Cancelled);
        await session.CommitAsync(request.Cancelled);
        return AuthEndpoints.Answer(tokens, StatusCodes.Status201Created);
    });
}
