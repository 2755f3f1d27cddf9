using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Notifications;

/// <summary>What the caller was told.</summary>
internal static class NotificationResource
{
    /// <summary>Everything that people are told, as the database checks it.</summary>
    public static readonly ImmutableArray<string> Types =
    [
        "conversation_assigned", "conversation_escalated", "mention", "invitation_accepted", "invitation_failed", "activity_assigned", "activity_due", "quota_warning", "subscription_past_due", "job_finished",
        "channel_broken", "message_failed", AlwaysTold,
    ];

    /// <summary>Nobody can wish not to be told of it.</summary>
    public const string AlwaysTold = "organization_deletion";

    /// <summary>What happened, and in which language the one reads it whom it was told.</summary>
    private const string Title =
        "jsonb_build_object('name', t.text_name, 'values', t.text_values, 'title', t.title, 'locale', (SELECT u.locale FROM users u WHERE u.id = t.user_id))";

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
            Text("title", ReaderLanguage.MaxTitleLength).ReadOnly().About("In your language (`locale` of `/v1/me`), where the product has it.") with { Expression = Title, Render = WriteTitle },
            Text("body", 2000).Nullable().ReadOnly(),
            Text("entityType", 100).Nullable().ReadOnly().About("What it is about, in the words of the activity log: `conversation`, `activity`, `member` …"),
            Uuid("entityId").Nullable().ReadOnly().Filtered(),
            Timestamp("readAt").Nullable().ReadOnly(),
            Flag("isRead").ReadOnly().Filtered() with { Expression = "(t.read_at IS NOT NULL)" },
            Reference("userId", "users").ReadOnly(),
        ],
    };

    private static void WriteTitle(Utf8JsonWriter json, object stored, FieldReadContext context)
    {
        var said = JsonSerializer.Deserialize<Told>((string)stored, JsonSerializerOptions.Web)!;
        json.WriteStringValue(ReaderLanguage.Of(said.Locale).Title(said.Name, said.Values) ?? said.Title);
    }

    private sealed record Told(string? Name, string?[]? Values, string Title, string? Locale);
}
