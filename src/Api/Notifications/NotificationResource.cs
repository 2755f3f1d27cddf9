using System.Collections.Immutable;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Notifications;

/// <summary>What the caller was told.</summary>
internal static class NotificationResource
{
    /// <summary>Everything that people are told, as the database checks it.</summary>
    public static readonly ImmutableArray<string> Types =
    [
        "conversation_assigned", "conversation_escalated", "mention", "invitation_accepted", "activity_assigned", "activity_due", "quota_warning", "subscription_past_due", "job_finished",
    ];

    public static readonly Resource Notifications = new()
    {
        Path = "notifications",
        Singular = "notification",
        Plural = "notifications",
        Table = "notifications",
        IsOfCaller = true,
        Description = "What you were told, by type: nobody else sees it. New ones come live as `notification.updated`.",
        Fields =
        [
            Choice("type", [.. Types]).ReadOnly().Filtered(),
            Text("title", 300).ReadOnly(),
            Text("body", 2000).Nullable().ReadOnly(),
            Text("entityType", 100).Nullable().ReadOnly().About("What it is about, in the words of the activity log: `conversation`, `activity`, `member` …"),
            Uuid("entityId").Nullable().ReadOnly().Filtered(),
            Timestamp("readAt").Nullable().ReadOnly(),
            Flag("isRead").ReadOnly().Filtered() with { Expression = "(t.read_at IS NOT NULL)" },
            Reference("userId", "users").ReadOnly(),
        ],
    };
}
