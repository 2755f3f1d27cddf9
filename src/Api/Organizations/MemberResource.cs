using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>The people of the organization.</summary>
internal static class MemberResource
{
    public static readonly Resource Members = new()
    {
        Path = "members",
        Singular = "member",
        Plural = "members",
        Table = "organization_members",
        KeyColumn = "user_id",
        KnownBy = ["email"],
        Description = "The people of the organization. The id is the person's. People come by invitation. Nobody changes a member above, nor raises anybody above, himself or herself; an organization keeps an active owner.",
        Update = Role.Admin,
        Delete = Role.Admin,
        DefaultSort = "createdAt",
        Fields =
        [
            AnyEmail("email").ReadOnly().Searched() with { Expression = OfPerson("email") },
            Text("firstName", 200).Nullable().ReadOnly().Searched() with { Expression = OfPerson("first_name") },
            Text("lastName", 200).Nullable().ReadOnly().Searched() with { Expression = OfPerson("last_name") },
            Text("fullName", 400).Nullable().ReadOnly().Searched() with { Expression = OfPerson("full_name") },
            Url("avatarUrl").Nullable().ReadOnly() with { Expression = OfPerson("avatar_url") },
            Choice("role", Roles.Names).Filtered(),
            Choice("status", "active", "inactive", "suspended").Filtered().About("Whoever is not active is signed out everywhere at once, and his or her API keys rest."),
            Reference("invitedBy", "users").Nullable().ReadOnly(),
            Timestamp("lastSignInAt").Nullable().ReadOnly() with { Expression = OfPerson("last_sign_in_at") },
        ],
        DecidesAccess = true,
        FurtherEffects = "SELECT * FROM goes_with_member($1) UNION ALL SELECT * FROM work_of_member($1)",
        BeforeWrite = Guard,
    };

    private static string OfPerson(string column) => $"(SELECT u.{column} FROM users u WHERE u.id = t.user_id)";

    private static async Task<Problem?> Guard(ResourceChange change)
    {
        var mine = change.Caller.Role;
        var before = Roles.Parse(change.Before!.Get<string>("role"))!.Value;
        var after = change.IsDeletion ? (Role?)null : Roles.Parse(change.Resulting<string>("role"));
        if (change.Caller.Scopes is not null && (after > before || (!change.IsDeletion && change.Before!.Get<string>("status") != "active" && change.Resulting<string>("status") == "active")))
        {
            return new Problem(ProblemType.Forbidden, "A person must raise a member, or let one in again; an API key can't.");
        }
        if (before > mine)
        {
            return new Problem(ProblemType.Forbidden, $"The member's role is {before.Name()}; yours is {mine.Name()}.");
        }
        if (after > mine)
        {
            return Problem.Invalid("/role", $"/role must not be above your own, {mine.Name()}.");
        }
        var staysOwner = after == Role.Owner && change.Resulting<string>("status") == "active";
        return before == Role.Owner && change.Before.Get<string>("status") == "active" && !staysOwner && await IsLastOwner(change)
            ? new Problem(ProblemType.Conflict, "The organization would be left without an owner. Hand it over first.")
            : null;
    }

    /// <summary>The organization's row is the lock: of two who leave at once, the second sees that the first has left. The database's own trigger holds the same.</summary>
    private static async Task<bool> IsLastOwner(ResourceChange change)
    {
        await change.Session.ExecuteAsync("SELECT 1 FROM organizations WHERE id = $1 FOR NO KEY UPDATE", change.Request.Cancelled, change.Caller.OrganizationId);
        return !await change.Session.ScalarAsync<bool>(
            "SELECT true FROM organization_members WHERE organization_id = $1 AND role = 'owner' AND status = 'active' AND user_id <> $2 LIMIT 1",
            change.Request.Cancelled, change.Caller.OrganizationId, change.Id);
    }
}
