using System.Net;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Auth;

/// <summary>What a sign-in or a refresh gives.</summary>
internal sealed record TokenPair(string AccessToken, string RefreshToken, TimeSpan ExpiresIn);

/// <summary>Opens sessions, exchanges refresh tokens, ends sessions.</summary>
internal sealed class SignIn(ApiDataSource database, AuthOptions options, TokenSigner signer, SessionDirectory sessions, Passwords passwords, TimeProvider clock)
{
    private readonly RefreshTokens _refresh = new(options);

    /// <summary>
    /// Who has this e-mail address and password, and where a sign-in leads; null where anything is wrong. <c>Busy</c> when too many checks wait. <c>Suspended</c> is the
    /// organization of somebody who proved who he is and has no other.
    /// </summary>
    public async Task<(bool Busy, SignedIn? User, string? Suspended)> Check(string email, string password, IPAddress? address, CancellationToken cancellationToken)
    {
        Guid userId = default;
        string? hash = null;
        string? suspended = null;
        SignedIn? user = null;
        await using (var command = database.CreateCommand("SELECT user_id, password_hash, organization_id, role, suspended_organization FROM find_user_for_sign_in($1)"))
        {
            command.Parameters.Add(new() { Value = email });
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            if (await row.ReadAsync(cancellationToken))
            {
                userId = row.GetGuid(0);
                hash = row.IsDBNull(1) ? null : row.GetString(1);
                user = row.IsDBNull(2) || Roles.Parse(row.GetString(3)) is not { } role ? null : new SignedIn(userId, row.GetGuid(2), role);
                suspended = row.IsDBNull(4) ? null : row.GetString(4);
            }
        }
        var (outcome, newHash) = await passwords.Check(Passwords.Who(address), hash, password, cancellationToken);
        if (newHash is not null)
        {
            await using var renew = database.CreateCommand("SELECT renew_password_hash($1, $2, $3)");
            renew.Parameters.Add(new() { Value = userId });
            renew.Parameters.Add(new() { Value = hash });
            renew.Parameters.Add(new() { Value = newHash });
            await renew.ExecuteNonQueryAsync(cancellationToken);
        }
        return outcome == PasswordOutcome.Right ? (false, user, suspended) : (outcome == PasswordOutcome.Busy, null, null);
    }

    /// <summary>The person's session in another of his or her organizations; null where there is no active membership.</summary>
    public async Task<SignedIn?> Membership(Guid userId, Guid organizationId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT role FROM membership_of($1, $2)");
        command.Parameters.Add(new() { Value = userId });
        command.Parameters.Add(new() { Value = organizationId });
        return Roles.Parse(await command.ExecuteScalarAsync(cancellationToken) as string) is { } role ? new SignedIn(userId, organizationId, role) : null;
    }

    public async Task<TokenPair> Open(SignedIn user, string? userAgent, IPAddress? address, CancellationToken cancellationToken)
    {
        var sessionId = Uuid.New(clock);
        var refresh = _refresh.Make(sessionId, 1);
        await using var command = database.CreateCommand("SELECT open_session($1, $2, $3, $4, $5, $6, $7)");
        command.Parameters.Add(new() { Value = sessionId });
        command.Parameters.Add(new() { Value = user.UserId });
        command.Parameters.Add(new() { Value = user.OrganizationId });
        command.Parameters.Add(new() { Value = RefreshTokens.Hash(refresh) });
        command.Parameters.Add(new() { Value = (object?)userAgent ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = (object?)address ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Inet });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() + options.RefreshTokenLifetime });
        await command.ExecuteNonQueryAsync(cancellationToken);
        return Pair(new LiveSession(sessionId, user.UserId, user.OrganizationId, user.Role, default), refresh);
    }

    /// <summary>Lets a super admin into an organization, in the transaction that tells its log; the tokens work once that is committed.</summary>
    public async Task<TokenPair> Enter(TenantSession session, Caller bound, Role role, string reason, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var sessionId = Uuid.New(clock);
        var refresh = _refresh.Make(sessionId, 1);
        await session.ExecuteAsync(
            "SELECT enter_organization($1, $2, $3, $4, $5, $6, $7)", cancellationToken,
            sessionId, role.Name(), reason, RefreshTokens.Hash(refresh), SignUpEndpoints.OptionalText(bound.UserAgent),
            new NpgsqlParameter { Value = (object?)bound.IpAddress ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Inet }, until);
        return Pair(new LiveSession(sessionId, bound.UserId, bound.OrganizationId, role, until), refresh);
    }

    /// <summary>The next pair of tokens; null when the session has ended, this call ended it included.</summary>
    public async Task<TokenPair?> Refresh(string token, CancellationToken cancellationToken)
    {
        if (_refresh.Read(token) is not var (sessionId, generation))
        {
            return null;
        }
        var next = _refresh.Make(sessionId, generation + 1);
        string outcome;
        byte[]? current;
        await using (var command = database.CreateCommand("SELECT outcome, current_hash FROM rotate_session($1, $2, $3, $4, $5)"))
        {
            command.Parameters.Add(new() { Value = sessionId });
            command.Parameters.Add(new() { Value = RefreshTokens.Hash(token) });
            command.Parameters.Add(new() { Value = RefreshTokens.Hash(next) });
            command.Parameters.Add(new() { Value = AuthOptions.RefreshGrace });
            command.Parameters.Add(new() { Value = clock.GetUtcNow() + options.RefreshTokenLifetime });
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            await row.ReadAsync(cancellationToken);
            outcome = row.GetString(0);
            current = row.IsDBNull(1) ? null : row.GetFieldValue<byte[]>(1);
        }
        if (outcome == "repeated")
        {
            next = _refresh.MakeAll(sessionId, generation + 1).FirstOrDefault(token => RefreshTokens.Hash(token).AsSpan().SequenceEqual(current));
        }
        else if (outcome != "rotated")
        {
            sessions.Forget(sessionId);
            return null;
        }
        return next is not null && await sessions.Find(sessionId, cancellationToken) is { } session ? Pair(session, next) : null;
    }

    /// <summary>Ends the session of a refresh token or of an access token.</summary>
    public async Task End(Guid sessionId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT end_session($1)");
        command.Parameters.Add(new() { Value = sessionId });
        await command.ExecuteNonQueryAsync(cancellationToken);
        sessions.Forget(sessionId);
    }

    private TokenPair Pair(LiveSession session, string refreshToken) =>
        new(
            signer.Sign(options.Audience, options.AccessTokenLifetime,
            [
                new("sub", session.UserId.ToString()), new("org", session.OrganizationId.ToString()), new("role", session.Role.Name()), new("sid", session.Id.ToString()),
            ]),
            refreshToken,
            options.AccessTokenLifetime);
}

/// <summary>A person who proved who they are, and the organization that the session is for.</summary>
internal sealed record SignedIn(Guid UserId, Guid OrganizationId, Role Role)
{
    /// <summary>The person as the caller of the request that signs him or her in, for the audit log.</summary>
    public Caller Caller(Operations.OperationRequest request) =>
        new(OrganizationId, UserId, Role, Guid.Empty, request.Http.Connection.RemoteIpAddress) { UserAgent = Auth.Caller.UserAgentOf(request.Http.Request) };
}
