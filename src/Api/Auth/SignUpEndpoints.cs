using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>New accounts and organizations, and the way from one organization to another.</summary>
internal static class SignUpEndpoints
{
    /// <summary>Organizations that one person may own; a super admin may own more.</summary>
    public const int MaxOwnedOrganizations = 20;

    private static readonly Operation SignUpOperation = new()
    {
        Id = "signUp",
        Tag = "auth",
        Role = null,
        RateLimit = RateLimits.SignIn,
        SuccessStatus = StatusCodes.Status201Created,
        Summary = "Sign up: a new account and its organization",
        Description = "The person owns the new organization and is signed in to it. Refused where the installation has switched it off (`SIGN_UP`); limited for each address (`SIGN_UPS_PER_HOUR`).",
        Body = new(
            Email("email").Required(), Password("password").Required(), MailedName("organizationName").Required(),
            MailedName("firstName").Nullable(), MailedName("lastName").Nullable(), Language("locale")),
        Example = new() { ["email"] = "ada@example.com", ["password"] = "seven blue elephants", ["organizationName"] = "Ada's Tours", ["firstName"] = "Ada" },
        Answer = AuthEndpoints.Tokens,
        AnswerName = "Tokens",
        Problems = [ProblemType.Forbidden, ProblemType.Conflict],
    };

    private static readonly Operation SwitchOperation = new()
    {
        Id = "switchOrganization",
        Tag = "auth",
        Role = Role.Viewer,
        NeedsPerson = true,
        RateLimit = RateLimits.SignIn,
        Summary = "Sign in to another of your organizations",
        Description = "Opens a session there and gives its tokens. The present session goes on until it is signed out, so that two windows can show two organizations.",
        Body = new(Uuid("organizationId").Required()),
        Answer = AuthEndpoints.Tokens,
        AnswerName = "Tokens",
    };

    private static readonly Operation CreateOrganizationOperation = new()
    {
        Id = "createOrganization",
        Tag = "organization",
        Role = Role.Viewer,
        NeedsPerson = true,
        SuccessStatus = StatusCodes.Status201Created,
        Summary = "Create another organization, which you own",
        Description = "Switch to it with `POST /v1/auth/switch`. Refused where the installation has switched sign-up off, except for super admins.",
        Body = new(MailedName("name").Required()),
        Answer = new(Uuid("id"), Text("name", 200), Text("slug", 100)),
        AnswerName = "NewOrganization",
        Problems = [ProblemType.Conflict],
    };

    public static void MapSignUp(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/auth/sign-up", SignUpOperation, SignUp);
        routes.MapOperation("POST", "/v1/auth/switch", SwitchOperation, Switch);
        routes.MapOperation("POST", "/v1/organizations", CreateOrganizationOperation, CreateOrganization);
    }

    private static async Task<IResult> SignUp(OperationRequest request)
    {
        var options = request.Service<AccountOptions>();
        if (!options.IsSignUpOpen)
        {
            return new Problem(ProblemType.Forbidden, "SIGN_UP is off: ask for an invitation.");
        }
        var email = EmailAddress.Comparable(request.Body.Text("email")!);
        var password = request.Body.Text("password")!;
        if (PasswordRules.Check("password", password, email, options) is { } weak)
        {
            return weak;
        }
        var address = request.Http.Connection.RemoteIpAddress;
        if (await request.Service<AccountThrottle>().SignUp(address, request.Cancelled) is var wait && wait > TimeSpan.Zero)
        {
            return new Problem(ProblemType.TooManyRequests, $"SIGN_UPS_PER_HOUR is {options.SignUpsPerHour}.") { RetryAfter = wait };
        }
        if (await request.Service<Passwords>().HashInTurn(request, password) is not { } hash)
        {
            return Passwords.Busy();
        }
        var clock = request.Service<TimeProvider>();
        var user = new SignedIn(Data.Uuid.New(clock), Data.Uuid.New(clock), Role.Owner);
        var isNew = await request.InTransaction(new Tenant(user.OrganizationId, user.UserId, user.Role.Name()), async session =>
        {
            if (!await session.ScalarAsync<bool>(
                "SELECT sign_up($1, $2, $3, $4, $5, $6, $7, $8)", request.Cancelled,
                user.UserId, user.OrganizationId, email, hash, OptionalText(request.Body.Text("firstName")), OptionalText(request.Body.Text("lastName")),
                request.Body.Text("locale") ?? "en", request.Body.Text("organizationName")))
            {
                return false;
            }
            await Log(request, session, user.Caller(request), request.Body.Text("organizationName")!);
            await session.CommitAsync(request.Cancelled);
            return true;
        });
        return isNew
            ? AuthEndpoints.Answer(
                await request.Service<SignIn>().Open(user, Caller.UserAgentOf(request.Http.Request), address, request.Cancelled), StatusCodes.Status201Created)
            : new Problem(ProblemType.Conflict, "You can't sign up with this e-mail address. If it is yours, sign in, or ask for a new password.");
    }

    private static async Task<IResult> Switch(OperationRequest request)
    {
        var signIn = request.Service<SignIn>();
        return await signIn.Membership(request.Caller.UserId, request.Body.Id("organizationId")!.Value, request.Cancelled) is { } there
            ? AuthEndpoints.Answer(await signIn.Open(there, request.Caller.UserAgent, request.Caller.IpAddress, request.Cancelled))
            : Problem.Invalid("/organizationId", "/organizationId names no organization of yours.");
    }

    private static async Task<IResult> CreateOrganization(OperationRequest request)
    {
        var caller = request.Caller;
        if (!request.Service<AccountOptions>().IsSignUpOpen && !caller.IsSuperAdmin)
        {
            return new Problem(ProblemType.Forbidden, "SIGN_UP is off: only a super admin creates organizations.");
        }
        var id = Data.Uuid.New(request.Service<TimeProvider>());
        var name = request.Body.Text("name")!;
        return await request.InTransaction<IResult>(new Tenant(id, caller.UserId, Role.Owner.Name()), async session =>
        {
            var owned = await session.ScalarAsync<long>("SELECT count(*) FROM memberships_of($1) WHERE role = 'owner'", request.Cancelled, caller.UserId);
            if (owned >= MaxOwnedOrganizations && !caller.IsSuperAdmin)
            {
                return new Problem(ProblemType.Conflict, $"You own {owned} organizations; {MaxOwnedOrganizations} is the most.");
            }
            await session.ExecuteAsync("SELECT create_organization($1, $2, $3)", request.Cancelled, id, name, caller.UserId);
            var slug = await session.ScalarAsync<string>("SELECT slug FROM organizations WHERE id = $1", request.Cancelled, id);
            await Log(request, session, caller with { OrganizationId = id, Role = Role.Owner }, name);
            await session.CommitAsync(request.Cancelled);
            return JsonAnswer.Of(
                json =>
                {
                    json.WriteString("id", id);
                    json.WriteString("name", name);
                    json.WriteString("slug", slug);
                },
                StatusCodes.Status201Created);
        });
    }

    private static Task Log(OperationRequest request, TenantSession session, Caller caller, string name) => request.Service<ActivityLog>().WriteAsync(
        session, caller, "organization.created", "organization", caller.OrganizationId, null, ActivityLog.Members(("name", name)), [], request.Cancelled);

    /// <summary>A text parameter that may be null.</summary>
    internal static NpgsqlParameter OptionalText(string? text) => new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };
}
