using System.Collections.Immutable;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Emails;

/// <summary>What became of e-mails: to whom, of which kind, when, and what the mail server said. Never what is written in them, which is between the sender and the one who gets it.</summary>
internal static class OutgoingEmailResource
{
    private static readonly Field Kind = Choice("kind", "notification", "invitation", "password_reset").ReadOnly();

    private static readonly ImmutableArray<Field> Fields =
    [
        AnyEmail("to").ReadOnly().Filtered().FromColumn("to_address").FoundBy("to_address"),
        Reference("userId", "users").Nullable().ReadOnly().About("Whom it is for, where that is a member."),
        Text("entityType", 100).Nullable().ReadOnly().About("What it is about, in the words of the activity log."),
        Uuid("entityId").Nullable().ReadOnly(),
        Choice("status", "pending", "sent", "failed", "dropped").ReadOnly().Filtered().FromColumn("state")
            .About("`pending` waits for its first try or another one. `sent`: the mail server took it. `failed`: it refused it for good, or took it at no try before `expiresAt`. `dropped`: it was not tried, for the reason that `lastAnswer` says."),
        Integer("attempts").ReadOnly(),
        Timestamp("lastAttemptAt").Nullable().ReadOnly().FromColumn("attempted_at"),
        Text("lastAnswer", 500).Nullable().ReadOnly().About("What the mail server answered last, or why it could not be asked."),
        Timestamp("nextAttemptAt").Nullable().ReadOnly().About("Null where none follows.") with { Expression = "CASE t.state WHEN 'pending' THEN t.next_attempt_at END" },
        Timestamp("expiresAt").ReadOnly().About("It is not tried any more after this."),
        Timestamp("finishedAt").Nullable().ReadOnly(),
    ];

    public static readonly Resource OutgoingEmails = new()
    {
        Path = "outgoing-emails",
        Singular = "outgoingEmail",
        Plural = "outgoingEmails",
        Table = "outgoing_emails",
        HasVersion = false,
        Read = Role.Admin,
        Description = "E-mails of the organization that wait, were sent or failed, for 30 days: not what is said in them. A link for a new password belongs to no organization and is not among them.",
        Fields = [Kind.Filtered(), .. Fields],
    };

    public static readonly Resource OfInstallation = OutgoingEmails with
    {
        Path = "installation-emails",
        Singular = "installationEmail",
        Plural = "installationEmails",
        Source = "outgoing_emails_of_installation t",
        IsGlobal = true,
        NeedsSuperAdmin = true,
        NeedsPerson = true,
        HasUpdatedAt = false,
        Read = Role.Viewer,
        Description = "E-mails of all organizations of this installation, and links for new passwords, that wait, were sent or failed, for 30 days: not what is said in them.",
        Fields = [Uuid("organizationId").Nullable().ReadOnly().Filtered(), Kind, .. Fields],
    };
}
