using System.Text.Json.Serialization;

namespace AgentPlatform.Conversations;

/// <summary>Which way a message goes. <c>Internal</c> is a note among members that never leaves the house.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<MessageDirection>))]
public enum MessageDirection { Inbound, Outbound, Internal }

/// <summary>Who wrote a message: the customer (<c>user</c>), a member (<c>agent</c>), the AI, or the system.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<SenderType>))]
public enum SenderType { User, Agent, Ai, System }

/// <summary>How far a message has come. Deliveries only move forward; <c>Failed</c> ends one unless a later receipt proves it delivered.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<MessageStatus>))]
public enum MessageStatus { Received, Pending, Sending, Sent, Failed, Delivered, Read }

/// <summary>Where a conversation stands: <c>Completed</c> is resolved, <c>Escalated</c> waits for a person, <c>Archived</c> is put away.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<ConversationStatus>))]
public enum ConversationStatus { Active, Escalated, Completed, Archived }

/// <summary>Who answers.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<ManagedBy>))]
public enum ManagedBy { Ai, Human }

/// <summary>The content types that the product knows. Others are kept as <see cref="Unsupported"/> with their raw payload.</summary>
public static class ContentTypes
{
    /// <summary>
    /// True for a kind by which somebody says something. Of a customer's, such a message opens the conversation and the platform's window again, counts as unread, is shown in lists,
    /// proves that the person can be reached, and is answered; of our own people, it takes the conversation over. Every other kind, an unknown one too, is stored and does nothing.
    /// </summary>
    public static bool IsSaid(string contentType) => contentType is Text or Image or Audio or Video or Document or Sticker or Location or Contacts or Interactive or Order;

    public const string Text = "text";
    public const string Image = "image";
    public const string Audio = "audio";
    public const string Video = "video";
    public const string Document = "document";
    public const string Sticker = "sticker";
    public const string Location = "location";
    public const string Contacts = "contacts";
    public const string Reaction = "reaction";

    /// <summary>Buttons or a list (outbound), or the choice made (inbound).</summary>
    public const string Interactive = "interactive";
    public const string Order = "order";
    public const string Edit = "edit";
    public const string Revoke = "revoke";
    public const string System = "system";
    public const string Note = "note";
    public const string Unsupported = "unsupported";
}
