using AgentPlatform.Api.Auth;
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
        HasVersion = false,
        Source = "organization_members t JOIN users u ON u.id = t.user_id",
        Description = "The people of the organization. The id is the person's.",
        DefaultSort = "createdAt",
        Fields =
        [
            Email("email").ReadOnly().Searched() with { Expression = "u.email" },
            Text("firstName", 200).Nullable().ReadOnly().Searched() with { Expression = "u.first_name" },
            Text("lastName", 200).Nullable().ReadOnly().Searched() with { Expression = "u.last_name" },
            Text("fullName", 400).Nullable().ReadOnly().Searched() with { Expression = "u.full_name" },
            Url("avatarUrl").Nullable().ReadOnly() with { Expression = "u.avatar_url" },
            Choice("role", Roles.Names).ReadOnly().Filtered(),
            Choice("status", "active", "inactive", "suspended").ReadOnly().Filtered(),
            Timestamp("lastSignInAt").Nullable().ReadOnly() with { Expression = "u.last_sign_in_at" },
        ],
    };
}
