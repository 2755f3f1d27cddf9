using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Texts;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>Sign-in, refresh, sign-out.</summary>
internal static class AuthEndpoints
{
    private const string Tag = "auth";

    internal static readonly Shape Tokens = new(
        Text("accessToken", 4096).About("Send it as `Authorization: Bearer`."),
        Text("refreshToken", 200).About("Exchanges once for the next pair at `/v1/auth/refresh`."),
        Integer("expiresIn").About("Seconds until the access token expires."),
        Text("tokenType", 10));

    private static readonly Operation LoginOperation = new()
    {
        Id = "login",
        Tag = Tag,
        Role = null,
        RateLimit = RateLimits.SignIn,
        Summary = "Sign in with e-mail address and password",
        Description = "Opens a session in the person's default organization. After too many failures for an address the answer is 429, whether or not the address is known.",
        Body = new(AnyEmail("email").Required(), Password("password").Required()),
        Answer = Tokens,
        AnswerName = "Tokens",
        Problems = [ProblemType.InvalidCredentials, ProblemType.Forbidden, ProblemType.TooManyRequests],
    };

    private static readonly Operation RefreshOperation = new()
    {
        Id = "refresh",
        Tag = Tag,
        Role = null,
        RateLimit = RateLimits.SignIn,
        Summary = "Exchange a refresh token for the next pair of tokens",
        Description = "A refresh token works once. For 10 seconds after that it gives the same pair again, so that two tabs can refresh together; later, using it ends the session.",
        Body = new(Verbatim("refreshToken").Required()),
        Answer = Tokens,
        AnswerName = "Tokens",
        Problems = [ProblemType.SessionEnded],
    };

    private static readonly Operation LogoutOperation = new()
    {
        Id = "logout",
        Tag = Tag,
        Role = Role.Viewer,
        SuccessStatus = StatusCodes.Status204NoContent,
        NeedsPerson = true,
        Summary = "End the session",
        Description = "Its access tokens and its refresh token stop working.",
        Body = new Shape(),
        IsBodyRequired = false,
    };

    public static void MapAuth(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/auth/login", LoginOperation, Login);
        routes.MapOperation("POST", "/v1/auth/refresh", RefreshOperation, Refresh);
        routes.MapOperation("POST", "/v1/auth/logout", LogoutOperation, Logout);
    }

    private static async Task<IResult> Login(OperationRequest request)
    {
        var email = EmailAddress.Comparable(request.Body.Text("email")!);
        var address = request.Http.Connection.RemoteIpAddress;
        var throttle = request.Service<SignInThrottle>();
        using var turn = await throttle.InTurn(email, address, request.Cancelled);
        if (turn is null)
        {
            return Passwords.Busy();
        }
        if (await throttle.Wait(email, address, request.Cancelled) is var wait && wait > TimeSpan.Zero)
        {
            return SignInThrottle.Refusal(wait);
        }
        var signIn = request.Service<SignIn>();
        var (busy, user, suspended) = await signIn.Check(email, request.Body.Text("password")!, request.Http.Connection.RemoteIpAddress, request.Cancelled);
        if (busy)
        {
            return Passwords.Busy();
        }
        if (suspended is not null)
        {
            return new Problem(ProblemType.Forbidden, $"{suspended} is suspended. Ask whoever looks after this installation.");
        }
        if (user is null)
        {
            await throttle.Failed(email, address, request.Cancelled);
            return new Problem(ProblemType.InvalidCredentials);
        }
        await throttle.Succeeded(email, address, request.Cancelled);
        return Answer(await signIn.Open(user, Caller.UserAgentOf(request.Http.Request), address, request.Cancelled));
    }

    private static async Task<IResult> Refresh(OperationRequest request) =>
        await request.Service<SignIn>().Refresh(request.Body.Text("refreshToken")!, request.Cancelled) is { } pair
            ? Answer(pair)
            : new Problem(ProblemType.SessionEnded);

    private static async Task<IResult> Logout(OperationRequest request)
    {
        var caller = request.Caller;
        if (caller.EnteredReason is { } reason)
        {
            await request.InTransaction(async session =>
            {
                await request.Service<ActivityLog>().WriteAsync(
                    session, caller, "organization.left", "organization", caller.OrganizationId, ActivityLog.Members(("role", caller.Role.Name()), ("reason", reason)), null, [], request.Cancelled);
                await session.CommitAsync(request.Cancelled);
            });
        }
        await request.Service<SignIn>().End(caller.SessionId, request.Cancelled);
        return TypedResults.NoContent();
    }

    internal static IResult Answer(TokenPair pair, int status = StatusCodes.Status200OK) => JsonAnswer.Of(
        json =>
        {
            json.WriteString("accessToken", pair.AccessToken);
            json.WriteString("refreshToken", pair.RefreshToken);
            json.WriteNumber("expiresIn", (int)pair.ExpiresIn.TotalSeconds);
            json.WriteString("tokenType", "Bearer");
        },
        status);
}
