using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>How people come into the organization.</summary>
internal static class InvitationResource
{
    public static readonly Resource Invitations = new()
    {
        Path = "invitations",
        Singular = "invitation",
        Plural = "invitations",
        Table = "invitations",
        Description = "How people come into the organization: by a link, which the answer to the creation holds, and which goes by e-mail too where the installation sends any. A new invitation for an address ends the one before; deleting one ends its link at once.",
        Read = Role.Admin,
        Create = Role.Admin,
        Delete = Role.Admin,
        CreationNeedsPerson = true,
        Fields =
        [
            Email("email").Required().Filtered().Searched(),
            Choice("role", Roles.Names).Required().Filtered().About("Not above your own role."),
            Choice("status", "pending", "accepted", "revoked", "expired").ReadOnly().Filtered() with
            {
                Expression = "CASE WHEN t.accepted_at IS NOT NULL THEN 'accepted' WHEN t.revoked_at IS NOT NULL THEN 'revoked' WHEN t.expires_at <= now() THEN 'expired' ELSE 'pending' END",
            },
            Reference("invitedBy", "users").Nullable().ReadOnly(),
            Timestamp("expiresAt").ReadOnly().Ranged(),
            Timestamp("acceptedAt").Nullable().ReadOnly(),
            Reference("acceptedBy", "users").Nullable().ReadOnly(),
            Timestamp("revokedAt").Nullable().ReadOnly().About("When a newer invitation took its place."),
            Choice("emailStatus", "pending", "sent", "failed", "dropped").Nullable().ReadOnly().About("What became of its e-mail, as `/v1/outgoing-emails` has it; null where none goes out.") with { Expression = OfEmail("state") },
            Text("emailAnswer", 500).Nullable().ReadOnly().About("What the mail server said last, or why it could not be asked.") with { Expression = OfEmail("last_answer") },
        ],
        RevealedOnce = [Text("link", 2048).About("Where the person accepts: shown this once."), Text("token", 200).About("What the link ends with.")],
        Example = new() { ["email"] = "ada@example.com", ["role"] = "member" },
        BeforeWrite = Prepare,
        AfterWrite = SendEmail,
    };

    private static string OfEmail(string column) => $"(SELECT e.{column} FROM outgoing_emails e WHERE e.entity_id = t.id AND e.kind = 'invitation')";

    private static async Task<Problem?> Prepare(ResourceChange change)
    {
        if (change.IsDeletion)
        {
            return null;
        }
        var (request, caller) = (change.Request, change.Caller);
        if (Roles.Parse(change.Values.Text("role")) > caller.Role)
        {
            return Problem.Invalid("/role", $"/role must not be above your own, {caller.Role.Name()}.");
        }
        var email = EmailAddress.Comparable(change.Values.Text("email")!);
        change.Columns["email"] = new NpgsqlParameter { Value = email };
        if (await change.Session.ScalarAsync<bool>(
            "SELECT true FROM organization_members m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1 AND u.email = $2", request.Cancelled, caller.OrganizationId, email))
        {
            const string taken = "/email is a member's already.";
            return new Problem(ProblemType.Conflict, taken) { Errors = [new("/email", taken)] };
        }
        var now = request.Service<TimeProvider>().GetUtcNow();
        // One at a time for an organization: of two for the same address at once, the later one stays.
        await change.Session.ExecuteAsync("SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE", request.Cancelled, caller.OrganizationId);
        await change.Session.ExecuteAsync(
            "UPDATE invitations SET revoked_at = $3, version = version + 1 WHERE organization_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL",
            request.Cancelled, caller.OrganizationId, email, now);
        var open = await change.Session.ScalarAsync<long>(
            "SELECT count(*) FROM invitations WHERE organization_id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2", request.Cancelled, caller.OrganizationId, now);
        if (open >= InvitationLimits.MaxOpen)
        {
            return new Problem(ProblemType.Conflict, $"{open} invitations are open; {InvitationLimits.MaxOpen} is the most.");
        }
        var options = request.Service<AccountOptions>();
        if (await AccountThrottle.Invitation(change.Session, caller.OrganizationId, options.InvitationsPerDay, request.Cancelled) is var wait && wait > TimeSpan.Zero)
        {
            return new Problem(ProblemType.TooManyRequests, $"INVITATIONS_PER_DAY is {options.InvitationsPerDay}.") { RetryAfter = wait };
        }
        var links = request.Service<AccountLinks>();
        var token = links.Invitations.Make(change.Id);
        change.Columns["token_hash"] = new NpgsqlParameter { Value = LinkTokens.Hash(token) };
        // An invitation lasts while its inviter is a member; a super admin who entered is none, and leaves no name.
        change.Columns["invited_by"] = new NpgsqlParameter { Value = caller.EnteredReason is null ? caller.UserId : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid };
        change.Columns["expires_at"] = new NpgsqlParameter { Value = now + options.InvitationLifetime };
        change.Revealed["link"] = links.Invitation(token, request.Http.Request);
        change.Revealed["token"] = token;
        return null;
    }

    private static Task SendEmail(ResourceChange change) => change.IsCreation && change.Request.Service<MailOptions>() is { IsConfigured: true } options
        ? change.Session.ExecuteAsync("SELECT queue_invitation_email($1, $2)", change.Request.Cancelled, change.Id, options.InvitationsPerRecipientPerDay)
        : Task.CompletedTask;
}
