using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Conversations;

/// <summary>The messages of a conversation, by sequence. The engine alone writes them.</summary>
internal static class MessageResource
{
    public static readonly Resource Messages = new()
    {
        Path = "messages",
        Singular = "message",
        Plural = "messages",
        Table = "messages",
        HasVersion = false,
        HasUpdatedAt = false,
        Parent = new("conversations", "conversations", "conversation_id"),
        Description = "The messages of a conversation. `sequence` counts them without gaps; `sort=-sequence` gives the newest first, `after` and `before` go on from a known one in either direction.",
        DefaultSort = "sequence",
        Fields =
        [
            Reference("conversationId", "conversations").ReadOnly(),
            Uuid("turnId").Nullable().ReadOnly().About("The turn that made it, for a message of the AI."),
            Uuid("senderId").Nullable().ReadOnly().About("The member who wrote it."),
            Long("sequence").ReadOnly().Sorted(),
            Choice("direction", "inbound", "outbound", "internal").ReadOnly().Filtered(),
            Choice("senderType", "user", "agent", "ai", "system").ReadOnly().Filtered().About("`user` is the customer, `agent` a member, also one who wrote in the platform's own app."),
            Text("contentType", 50).ReadOnly().About("What it is: `text`, `image`, `audio`, `video`, `document`, `sticker`, `location`, `contacts`, `interactive` and `order` say something; `reaction`, `edit`, `revoke`, `system`, `unsupported` and `note` are kept, and nothing else comes of them."),
            Choice("status", "received", "pending", "sending", "sent", "delivered", "read", "failed").ReadOnly().Filtered(),
            Text("textContent", 100_000).Nullable().ReadOnly(),
            Text("attachmentUrl", 4096).Nullable().ReadOnly(),
            AnyJson("attachments").Nullable().ReadOnly().About("The parts of an album, in their order: `{platformMessageId, contentType, url, metadata}` each. Null for a message with one attachment or none."),
            Json("attachmentMetadata").Nullable().ReadOnly(),
            AnyJson("payload").Nullable().ReadOnly().About("What text can't say: buttons, a location, the raw body of an unknown type."),
            Text("platformMessageId", 500).Nullable().ReadOnly(),
            Text("replyToPlatformId", 500).Nullable().ReadOnly(),
            Text("language", 35).Nullable().ReadOnly(),
            Text("translatedContent", 100_000).Nullable().ReadOnly().About("The text in the organization's language, where it was translated."),
            Flag("isReadByAgent").ReadOnly(),
            Text("errorCode", 100).Nullable().ReadOnly(),
            Text("error", 4000).Nullable().ReadOnly(),
            Timestamp("platformTimestamp").Nullable().ReadOnly(),
            Timestamp("sentAt").ReadOnly().Sorted().About("When it was said: the platform's time for what came late. `sort=sentAt` shows a conversation as it went."),
            Timestamp("editedAt").Nullable().ReadOnly().About("When it was last corrected at the platform; the text is the corrected one."),
            Timestamp("deletedAt").Nullable().ReadOnly().About("When it was taken back at the platform; its content is gone."),
            Timestamp("deliveredAt").Nullable().ReadOnly(),
            Timestamp("readAt").Nullable().ReadOnly(),
        ],
        Filters =
        [
            new(new QueryParameter("after", new IntegerType(0, long.MaxValue, IsLong: true), "Only messages with a higher sequence."), "t.sequence > {0}"),
            new(new QueryParameter("before", new IntegerType(0, long.MaxValue, IsLong: true), "Only messages with a lower sequence."), "t.sequence < {0}"),
        ],
    };
}
