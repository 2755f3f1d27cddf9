using System.Security.Claims;
using System.Text.Encodings.Web;
using AgentPlatform.Api.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Auth;

/// <summary>Reads <c>Authorization: Bearer</c>, checks the token and the session behind it, and makes the <see cref="Caller"/> known as a feature.</summary>
internal sealed class BearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenSigner signer, AuthOptions auth, SessionDirectory sessions)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Bearer";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }
        if (signer.Verify(header["Bearer ".Length..].Trim(), auth.Audience) is not { } claims
            || !Guid.TryParse(claims.GetValueOrDefault("sid"), out var sessionId)
            || !Guid.TryParse(claims.GetValueOrDefault("org"), out var organizationId))
        {
            return AuthenticateResult.Fail("The access token is malformed, expired or not genuine.");
        }
        var session = await sessions.Find(sessionId, Context.RequestAborted);
        if (session is null || session.OrganizationId != organizationId)
        {
            return AuthenticateResult.Fail("The session has ended.");
        }
        Context.Features.Set(new Caller(session.OrganizationId, session.UserId, session.Role, session.Id, Context.Connection.RemoteIpAddress));
        var identity = new ClaimsIdentity(
            [new("sub", session.UserId.ToString()), new("org", session.OrganizationId.ToString()), new("role", session.Role.Name())], SchemeName, "sub", "role");
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var given = Request.Headers.Authorization.Count > 0;
        Response.Headers.WWWAuthenticate = given ? "Bearer error=\"invalid_token\"" : "Bearer";
        return new Problem(ProblemType.Unauthenticated, given ? "The access token is malformed, expired, revoked or not genuine." : "Send Authorization: Bearer with an access token.")
            .ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => new Problem(ProblemType.Forbidden).ExecuteAsync(Context);
}
