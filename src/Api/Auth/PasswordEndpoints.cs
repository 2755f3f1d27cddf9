using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>Changing a password, and setting a new one when it is forgotten.</summary>
internal static class PasswordEndpoints
{
    private static readonly Operation ChangeOperation = new()
    {
        Id = "changePassword",
        ChangesAccess = true,
        Tag = "auth",
        Role = Role.Viewer,
        NeedsPerson = true,
        RateLimit = RateLimits.SignIn,
        SuccessStatus = StatusCodes.Status204NoContent,
        Summary = "Change your password",
        Description = "Ends all your other sessions, in every organization.",
        Body = new(Password("currentPassword").Required(), Password("newPassword").Required()),
        Problems = [ProblemType.InvalidCredentials],
    };

    private static readonly Operation ForgotOperation = new()
    {
        Id = "forgotPassword",
        Tag = "auth",
        Role = null,
        RateLimit = RateLimits.SignIn,
        SuccessStatus = StatusCodes.Status202Accepted,
        Summary = "Ask for a link to set a new password",
        Description = "The answer is always the same. If somebody has the address and this installation sends e-mail, a link follows.",
        Body = new(AnyEmail("email").Required()),
    };

    private static readonly Operation ResetOperation = new()
    {
        Id = "resetPassword",
        ChangesAccess = true,
        Tag = "auth",
        Role = null,
        RateLimit = RateLimits.SignIn,
        SuccessStatus = StatusCodes.Status204NoContent,
        Summary = "Set a new password with the link's token",
        Description = "A token works once. Ends all sessions of the person; sign in again with the new password.",
        Body = new(Verbatim("token").Required(), Password("password").Required()),
        Problems = [ProblemType.LinkEnded],
    };

    public static void MapPasswords(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/auth/change-password", ChangeOperation, Change);
        routes.MapOperation("POST", "/v1/auth/forgot-password", ForgotOperation, Forgot);
        routes.MapOperation("POST", "/v1/auth/reset-password", ResetOperation, Reset);
    }

    /// <summary>Between reading and writing a hash is made, which takes long: no connection waits for it.</summary>
    private static async Task<IResult> Change(OperationRequest request)
    {
        var caller = request.Caller;
        string email;
        string? hash;
        await using (var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), caller.Tenant, "SELECT email, password_hash FROM password_hash_of($1)", request.Cancelled, caller.UserId))
        {
            if (!await row.ReadAsync(request.Cancelled))
            {
                return new Problem(ProblemType.Unauthenticated);
            }
            (email, hash) = (row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1));
        }
        if (await PasswordProof.Refuse(request, email, hash, request.Body.Text("currentPassword")!) is { } refused)
        {
            return refused;
        }
        var password = request.Body.Text("newPassword")!;
        if (PasswordRules.Check("newPassword", password, email, request.Service<AccountOptions>()) is { } weak)
        {
            return weak;
        }
        if (await request.Service<Passwords>().HashInTurn(request, password) is not { } newHash)
        {
            return Passwords.Busy();
        }
        await request.InTransaction(async session =>
        {
            await session.ExecuteAsync(
                "SELECT set_password($1, $2, $3, 'user.password_changed', $4, $5)", request.Cancelled,
                caller.UserId, newHash, caller.SessionId, Address(caller.IpAddress), SignUpEndpoints.OptionalText(caller.UserAgent));
            await session.CommitAsync(request.Cancelled);
        });
        return TypedResults.NoContent();
    }

    private static async Task<IResult> Forgot(OperationRequest request)
    {
        var email = EmailAddress.Comparable(request.Body.Text("email")!);
        if (await request.Service<AccountThrottle>().Reset(email, request.Http.Connection.RemoteIpAddress, request.Cancelled) is var wait && wait > TimeSpan.Zero)
        {
            return new Problem(ProblemType.TooManyRequests, $"Too many requests for a new password ({AccountThrottle.MaxResetsPerEmailAndAddress} in {AccountThrottle.ResetWindow.TotalMinutes} minutes, {AccountThrottle.MaxResetsPerEmail} for one address in {AccountThrottle.ResetMailWindow.TotalMinutes}).") { RetryAfter = wait };
        }
        if (request.Service<MailOptions>().IsConfigured)
        {
            await using var command = request.Service<ApiDataSource>().CreateCommand("SELECT request_password_reset($1, $2)");
            command.Parameters.Add(new() { Value = email });
            command.Parameters.Add(new() { Value = request.Service<TimeProvider>().GetUtcNow() + request.Service<AccountOptions>().ResetLifetime });
            await command.ExecuteNonQueryAsync(request.Cancelled);
        }
        return TypedResults.StatusCode(StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> Reset(OperationRequest request)
    {
        if (request.Service<AccountLinks>().Resets.Read(request.Body.Text("token")!) is not { } hash)
        {
            return new Problem(ProblemType.LinkEnded);
        }
        var password = request.Body.Text("password")!;
        // A refused password leaves the token as it was, so it is looked at first, and taken once the hash is there: no connection waits for that.
        await using (var look = await request.Service<ApiDataSource>().OpenConnectionAsync(request.Cancelled))
        await using (var looking = await look.BeginTransactionAsync(request.Cancelled))
        {
            if (await Take(looking, hash, request.Cancelled) is not var (_, name))
            {
                return new Problem(ProblemType.LinkEnded);
            }
            if (PasswordRules.Check("password", password, name, request.Service<AccountOptions>()) is { } weak)
            {
                return weak;
            }
        }
        if (await request.Service<Passwords>().HashInTurn(request, password) is not { } newHash)
        {
            return Passwords.Busy();
        }
        var address = request.Http.Connection.RemoteIpAddress;
        await using var connection = await request.Service<ApiDataSource>().OpenConnectionAsync(request.Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(request.Cancelled);
        if (await Take(transaction, hash, request.Cancelled) is not var (person, email))
        {
            return new Problem(ProblemType.LinkEnded);
        }
        await using (var set = new NpgsqlCommand("SELECT set_password($1, $2, NULL, 'user.password_reset', $3, $4)", connection, transaction))
        {
            set.Parameters.Add(new() { Value = person });
            set.Parameters.Add(new() { Value = newHash });
            set.Parameters.Add(Address(address));
            set.Parameters.Add(SignUpEndpoints.OptionalText(Caller.UserAgentOf(request.Http.Request)));
            await set.ExecuteNonQueryAsync(request.Cancelled);
        }
        await transaction.CommitAsync(request.Cancelled);
        await request.Service<SignInThrottle>().Proved(email, address, request.Cancelled);
        return TypedResults.NoContent();
    }

    /// <summary>Whose token it is; it is used up with the transaction.</summary>
    private static async Task<(Guid Person, string Email)?> Take(NpgsqlTransaction transaction, byte[] hash, CancellationToken cancellationToken)
    {
        await using var take = new NpgsqlCommand("SELECT user_id, email FROM take_password_reset($1)", transaction.Connection, transaction) { Parameters = { new() { Value = hash } } };
        await using var row = await take.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? (row.GetGuid(0), row.GetString(1)) : null;
    }

    private static NpgsqlParameter Address(System.Net.IPAddress? address) => new() { Value = (object?)address ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Inet };
}
