using System.Security.Claims;
using System.Text.Encodings.Web;
using AgentPlatform.Api.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// Reads <c>Authorization: Bearer</c>: an access token with the session behind it, or an API key. Makes the <see cref="Caller"/> known as a feature.
/// </summary>
internal sealed class BearerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenSigner signer, AuthOptions auth, SessionDirectory sessions, ApiKeyUse keyUse)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Bearer";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // Routes without sign-in may have tokens of their own, such as a visitor's.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return AuthenticateResult.NoResult();
        }
        var header = Request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return AuthenticateResult.NoResult();
        }
        var token = header["Bearer ".Length..].Trim();
        var session = ApiKeyText.IsKey(token) ? await FindKey(token) : await FindSession(token);
        if (session is null)
        {
            return AuthenticateResult.Fail("The token is malformed, expired, revoked or not genuine.");
        }
        Context.Features.Set(new Caller(session.OrganizationId, session.UserId, session.Role, session.Id, Context.Connection.RemoteIpAddress)
        {
            UserAgent = Caller.UserAgentOf(Request),
            IsSuperAdmin = session.IsSuperAdmin,
            Scopes = session.Scopes,
            ApiKeyId = session.Scopes is null ? null : session.Id,
            EnteredReason = session.EnteredReason,
        });
        var identity = new ClaimsIdentity(
            [new("sub", session.UserId.ToString()), new("org", session.OrganizationId.ToString()), new("role", session.Role.Name())], SchemeName, "sub", "role");
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    private async Task<LiveSession?> FindSession(string token) =>
        signer.Verify(token, auth.Audience) is { } claims
        && Guid.TryParse(claims.GetValueOrDefault("sid"), out var sessionId)
        && Guid.TryParse(claims.GetValueOrDefault("org"), out var organizationId)
        && await sessions.Find(sessionId, Context.RequestAborted) is { } session && session.OrganizationId == organizationId && session.Scopes is null
            ? session
            : null;

    private async Task<LiveSession?> FindKey(string key)
    {
        if (await sessions.FindKey(ApiKeyText.Hash(key), Context.RequestAborted) is not { } session)
        {
            return null;
        }
        keyUse.Used(session.Id);
        return session;
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var given = Request.Headers.Authorization.Count > 0;
        Response.Headers.WWWAuthenticate = given ? "Bearer error=\"invalid_token\"" : "Bearer";
        return new Problem(ProblemType.Unauthenticated, given ? "The access token or API key is malformed, expired, revoked or not genuine." : "Send Authorization: Bearer with an access token or an API key.")
            .ExecuteAsync(Context);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => new Problem(ProblemType.Forbidden).ExecuteAsync(Context);
}
