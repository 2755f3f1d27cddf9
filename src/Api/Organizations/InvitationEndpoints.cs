using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>What whoever holds an invitation's link does with it.</summary>
internal static class InvitationEndpoints
{
    private static readonly Operation ReadOperation = new()
    {
        Id = "readInvitationLink",
        Tag = "auth",
        Role = null,
        RateLimit = RateLimits.SignIn,
        Summary = "What an invitation's link is for",
        Body = new(Verbatim("token").Required()),
        Answer = new(Text("organizationName", 200), AnyEmail("email"), Choice("role", Roles.Names)),
        AnswerName = "InvitationLink",
        Problems = [ProblemType.LinkEnded],
    };

    private static readonly Operation AcceptOperation = ReadOperation with
    {
        Id = "acceptInvitation",
        SuccessStatus = StatusCodes.Status201Created,
        Summary = "Accept an invitation",
        Description = "Whoever has an account with the address gives its password; whoever has none chooses one, and gets the account. Signs in to the organization. An invitation works once.",
        Body = new(
            Verbatim("token").Required(), Password("password").Required(), MailedName("firstName").Nullable(), MailedName("lastName").Nullable(), Language("locale")),
        Example = new() { ["token"] = "token", ["password"] = "seven blue elephants", ["firstName"] = "Ada" },
        Answer = AuthEndpoints.Tokens,
        AnswerName = "Tokens",
        Problems = [ProblemType.LinkEnded, ProblemType.InvalidCredentials],
    };

    private static readonly Operation JoinOperation = new()
    {
        Id = "joinOrganization",
        Tag = "auth",
        Role = Role.Viewer,
        NeedsPerson = true,
        RateLimit = RateLimits.SignIn,
        SuccessStatus = StatusCodes.Status201Created,
        Summary = "Accept an invitation while signed in",
        Description = "The invitation must be for your own e-mail address. Signs in to the organization; the present session goes on.",
        Body = new(Verbatim("token").Required()),
        Answer = AuthEndpoints.Tokens,
        AnswerName = "Tokens",
        Problems = [ProblemType.LinkEnded],
    };

    public static void MapInvitations(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/auth/invitation", ReadOperation, Read);
        routes.MapOperation("POST", "/v1/auth/accept-invitation", AcceptOperation, Accept);
        routes.MapOperation("POST", "/v1/auth/join", JoinOperation, Join);
    }

    private static async Task<IResult> Read(OperationRequest request) => await Find(request) is { } found
        ? JsonAnswer.Of(json =>
        {
            json.WriteString("organizationName", found.OrganizationName);
            json.WriteString("email", found.Email);
            json.WriteString("role", found.Role.Name());
        })
        : new Problem(ProblemType.LinkEnded);

    private static async Task<IResult> Accept(OperationRequest request)
    {
        if (await Find(request) is not { } found)
        {
            return new Problem(ProblemType.LinkEnded);
        }
        var password = request.Body.Text("password")!;
        if (found.UserId is { } known)
        {
            return await PasswordProof.Refuse(request, found.Email, found.PasswordHash, password) is { } refused ? refused : await Join(request, found, known, null);
        }
        // The same throttle and about the same time as for a known person, so that neither tells which it is.
        if (PasswordRules.Check("password", password, found.Email, request.Service<AccountOptions>()) is { } weak)
        {
            return weak;
        }
        return await request.Service<Passwords>().HashInTurn(request, password) is { } hash
            ? await Join(request, found, Data.Uuid.New(request.Service<TimeProvider>()), hash)
            : Passwords.Busy();
    }

    private static async Task<IResult> Join(OperationRequest request) =>
        await Find(request) is { } found && found.UserId == request.Caller.UserId ? await Join(request, found, request.Caller.UserId, null) : new Problem(ProblemType.LinkEnded);

    /// <summary>One transaction: the account, if it is new, the membership, the audit rows. Of two at once, one finds the invitation used.</summary>
    private static async Task<IResult> Join(OperationRequest request, Invitation found, Guid person, string? newPasswordHash)
    {
        var user = new SignedIn(person, found.OrganizationId, found.Role);
        var caller = user.Caller(request);
        var hasJoined = await request.InTransaction(caller.Tenant, async session =>
        {
            if (newPasswordHash is not null && !await session.ScalarAsync<bool>(
                "SELECT create_invited_user($1, $2, $3, $4, $5, $6)", request.Cancelled, person, found.TokenHash, newPasswordHash,
                SignUpEndpoints.OptionalText(request.Body.Text("firstName")), SignUpEndpoints.OptionalText(request.Body.Text("lastName")), request.Body.Text("locale") ?? "en"))
            {
                return false;
            }
            if (await session.ScalarAsync<Guid>("SELECT invitation_id FROM accept_invitation($1, $2)", request.Cancelled, found.TokenHash, person) is var invitation && invitation == default)
            {
                return false;
            }
            var log = request.Service<ActivityLog>();
            await log.WriteAsync(session, caller, "invitation.accepted", "invitation", invitation, null, ActivityLog.Members(("email", found.Email)), [], request.Cancelled);
            await log.WriteAsync(session, caller, "member.created", "member", person, null, ActivityLog.Members(("role", found.Role.Name())), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
            return true;
        });
        return hasJoined
            ? AuthEndpoints.Answer(
                await request.Service<SignIn>().Open(user, Caller.UserAgentOf(request.Http.Request), caller.IpAddress, request.Cancelled), StatusCodes.Status201Created)
            : new Problem(ProblemType.LinkEnded);
    }

    private static async Task<Invitation?> Find(OperationRequest request)
    {
        if (request.Service<AccountLinks>().Invitations.Read(request.Body.Text("token")!) is not { } hash)
        {
            return null;
        }
        await using var command = request.Service<ApiDataSource>().CreateCommand("SELECT organization_id, organization_name, email, role, user_id, password_hash FROM find_invitation($1)");
        command.Parameters.Add(new() { Value = hash });
        await using var row = await command.ExecuteReaderAsync(request.Cancelled);
        return await row.ReadAsync(request.Cancelled)
            ? new Invitation(
                hash, row.GetGuid(0), row.GetString(1), row.GetString(2), Roles.Parse(row.GetString(3))!.Value, row.IsDBNull(4) ? null : row.GetGuid(4), row.IsDBNull(5) ? null : row.GetString(5))
            : null;
    }

    private sealed record Invitation(byte[] TokenHash, Guid OrganizationId, string OrganizationName, string Email, Role Role, Guid? UserId, string? PasswordHash);
}
