using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Conversations;

/// <summary>The inbox: conversations as lists and reads show them. Commands go to the conversation's grain: see <see cref="ConversationEndpoints"/>.</summary>
internal static class ConversationResource
{
    private static readonly Shape Contact = new(
        Uuid("id"), Text("name", 400).Nullable(), Text("username", 200).Nullable(), Text("phone", 50).Nullable(), Text("avatarUrl", 2048).Nullable(), Text("platform", 50),
        Text("platformUserId", 200), Text("language", 35).Nullable(), Flag("aiEnabled"), Flag("isGroup"), Flag("isMuted"), Flag("isBlocked"), Text("unreachableReason", 2000).Nullable(), Text("lastMessagePreview", 2000).Nullable());

    public static readonly Resource Conversations = new()
    {
        Path = "conversations",
        Singular = "conversation",
        Plural = "conversations",
        Table = "conversations",
        // Conversations first, in the order of their index, and a contact for each that is shown: OFFSET 0 keeps the planner from beginning with all contacts.
        Source = "conversations t CROSS JOIN LATERAL (SELECT c.* FROM contacts c WHERE c.id = t.contact_id OFFSET 0) k",
        Description = "The inbox: threads between a contact and the organization, newest message first.",
        DefaultSort = "-lastMessageAt",
        SearchCondition = "t.id IN (SELECT search_conversations({0}))",
        SearchAbout = "Only conversations whose contact (any part of name, user name, phone) or messages (whole words, the last may be unfinished) hold this text: the thousand newest of each. New messages are found within seconds.",
        Fields =
        [
            Reference("channelId", "channels").ReadOnly().Filtered(),
            Reference("contactId", "contacts").ReadOnly().Filtered(),
            Reference("clientId", "clients").Nullable().ReadOnly().Filtered(),
            Reference("agentId", "agents").Nullable().ReadOnly().About("Null: the channel's agent."),
            Choice("status", "active", "escalated", "completed", "archived").ReadOnly().Filtered().About("`completed` is resolved, `escalated` waits for a person."),
            Choice("managedBy", "ai", "human").ReadOnly().Filtered().About("Who answers."),
            Reference("assignedTo", "users").Nullable().ReadOnly().Filtered(),
            new Field("contact", new ObjectType(Contact)) { Access = FieldAccess.ReadOnly, Expression = ContactJson },
            Integer("unreadCount").ReadOnly() with { Expression = "k.unread_count" },
            Long("lastSequence").ReadOnly(),
            Timestamp("lastMessageAt").ReadOnly().Sorted().Ranged(),
            Timestamp("lastInboundAt").Nullable().ReadOnly(),
            Timestamp("startedAt").ReadOnly(),
            Timestamp("endedAt").Nullable().ReadOnly(),
            Text("internalNotes", InternalNotes.MaxLength).Nullable().ReadOnly().Detail().About("For members only; the customer never sees it. Written with `POST …/internal-notes`."),
            Integer("epoch").ReadOnly().About("Rises with each takeover: answers of the AI from before can't go out."),
        ],
        Filters = [new(new QueryParameter("unread", new BooleanType(), "Only conversations with unread messages (`true`), or without."), "(k.unread_count > 0) = {0}")],
    };

    private const string ContactJson = """
        json_build_object('id', k.id, 'name', k.name, 'username', k.username, 'phone', k.phone, 'avatarUrl', k.avatar_url, 'platform', k.platform,
            'platformUserId', k.platform_user_id, 'language', k.language, 'aiEnabled', k.ai_enabled, 'isGroup', k.is_group, 'isMuted', k.muted_at IS NOT NULL, 'isBlocked', k.blocked_at IS NOT NULL, 'unreachableReason', k.unreachable_reason,
            'lastMessagePreview', k.last_message_preview)
        """;
}
