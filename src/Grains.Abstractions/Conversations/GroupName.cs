namespace AgentPlatform.Conversations;

/// <summary>A group on a platform whose ids of groups don't tell that they are: <c>group:</c> and the platform's id (WhatsApp).</summary>
public static class GroupName
{
    /// <summary>What stands before the platform's id.</summary>
    public const string Prefix = "group:";

    /// <summary>The platform's id of a group; null when the name is a person's.</summary>
    public static string? IdOf(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? name[Prefix.Length..] : null;
}
