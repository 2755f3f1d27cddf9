using System.Text.Json;

namespace AgentPlatform.Api.Auth;

/// <summary>A member's role in one organization. A higher one may do all that a lower one may.</summary>
public enum Role
{
    /// <summary>Reads.</summary>
    Viewer = 1,

    /// <summary>Handles conversations and clients.</summary>
    Member = 2,

    /// <summary>Configures what agents know and say.</summary>
    Manager = 3,

    /// <summary>Configures channels, keys and the organization.</summary>
    Admin = 4,

    /// <summary>Everything, its end included.</summary>
    Owner = 5,
}

/// <summary>Roles as the database and the API write them.</summary>
public static class Roles
{
    public static readonly string[] Names = [.. Enum.GetValues<Role>().Select(Name)];

    public static string Name(this Role role) => JsonNamingPolicy.SnakeCaseLower.ConvertName(role.ToString());

    /// <summary>Null for a text that names no role.</summary>
    public static Role? Parse(string? name) => Array.IndexOf(Names, name) is >= 0 and var index ? (Role)(index + 1) : null;
}
