using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Webhooks.Telegram;

/// <summary>
/// What one update of the Bot API becomes: messages of one conversation. Kinds that concern no conversation become nothing.
/// A conversation is a chat, or a topic of a forum, or a chat of a connected business account: <c>chat</c>, <c>chat:topic</c>, <c>chat@connection</c>.
/// </summary>
internal sealed record TelegramUpdate
{
    public static readonly TelegramUpdate Nothing = new();

    /// <summary>Longest id of a business connection, in characters.</summary>
    private const int MaxConnectionLength = 128;

    public PlatformContact Contact { get; private init; }

    public ImmutableArray<InboundMessage> Messages { get; private init; } = [];

    /// <summary>Set for a pressed button: it must be answered, else the person's app shows it as busy.</summary>
    public string? CallbackQueryId { get; private init; }

    /// <summary>Reads an update. Never throws: what can't be understood becomes nothing, or an unsupported message with its raw form.</summary>
    public static TelegramUpdate Read(JsonElement update)
    {
        if (update.ValueKind != JsonValueKind.Object || update.Whole("update_id") is not { } updateId)
        {
            return Nothing;
        }

        return update.Object("message") is { } message ? Message(message, null)
            : update.Object("edited_message") is { } edited ? Message(edited, updateId)
            : update.Object("callback_query") is { } query ? Callback(query)
            : update.Object("my_chat_member") is { } member ? Membership(member, updateId)
            : update.Object("message_reaction") is { } reaction ? Reaction(reaction, updateId)
            : update.Object("business_message") is { } business ? Message(business, null)
            : update.Object("edited_business_message") is { } editedBusiness ? Message(editedBusiness, updateId)
            : update.Object("deleted_business_messages") is { } deleted ? Deleted(deleted, updateId)
            : Nothing;
    }

    private static TelegramUpdate Message(JsonElement message, long? editUpdateId)
    {
        var chat = message.Object("chat");
        var from = message.Object("from");
        var connection = message.Text("business_connection_id", MaxConnectionLength);
        if (chat?.Whole("id") is not { } chatId || message.Whole("message_id") is not { } messageId)
        {
            return Nothing;
        }

        // In a business account's chat the owner writes too: the chat's id is the customer's. What a bot, an away message or a plan of yesterday sends there, nobody writes now.
        var isEcho = connection is not null && (message.Object("sender_business_bot") is not null || (from?.Whole("id") is { } sender && sender != chatId));
        var isAutomatic = isEcho && (message.Object("sender_business_bot") is not null || message.IsTrue("is_from_offline") || from?.IsTrue("is_bot") == true);
        // People who write as a group or as a channel come under a bot's name. What a channel posts into its own discussion group, and other bots, are no customers.
        var isSilent = !isEcho && (message.IsTrue("is_automatic_forward") || (from?.IsTrue("is_bot") == true && message.Object("sender_chat") is null));
        var contact = ContactOf(message, chat.Value, isEcho || isSilent ? null : from, connection);
        var content = TelegramContent.Read(message);
        var (movedFrom, movedTo) = (message.Whole("migrate_from_chat_id"), message.Whole("migrate_to_chat_id"));
        if ((movedFrom ?? movedTo) is not null)
        {
            // Told in both chats, in any order. The old one leads to the conversation.
            var old = Id(movedFrom ?? chatId);
            contact = contact with { Identities = [old], GivenUp = [old], IsGroup = true };
            contact = contact.With(Id(movedTo ?? chatId));
            content = new TelegramContent(ContentTypes.System, movedFrom is null ? "migrate_to_chat_id" : "migrate_from_chat_id");
        }

        var id = MessageId(chatId, Id(messageId), connection);
        var edit = editUpdateId is { } updateId ? $"{id}:edit:{Id(updateId)}" : null;
        // A location that moves is the same message, at another place.
        var isUpdate = edit is not null && content.Type == ContentTypes.Location;
        return new TelegramUpdate
        {
            Contact = content.Phone is null ? contact : contact with { Phone = content.Phone },
            Messages =
            [
                new InboundMessage
                {
                    PlatformMessageId = isUpdate ? id : edit ?? id,
                    ContentType = edit is null || isUpdate ? content.Type : ContentTypes.Edit,
                    Text = content.Text,
                    AttachmentUrl = content.Url,
                    AttachmentMetadata = content.Metadata,
                    Payload = content.Payload,
                    ReplyToPlatformId = edit is null ? ReplyTo(message, chatId, connection) : id,
                    PlatformTimestamp = JsonText.UnixTime((edit is null ? null : message.Text("edit_date")) ?? message.Text("date")),
                    IsEcho = isEcho,
                    IsAutomatic = isAutomatic,
                    IsSilent = isSilent,
                    AlbumId = edit is null ? message.Text("media_group_id", JsonText.MaxIdLength) : null,
                    IsUpdate = isUpdate,
                },
            ],
        };
    }

    /// <summary>The message that this one answers. Whatever is written in a topic answers its first message, which says nothing.</summary>
    private static string? ReplyTo(JsonElement message, long chatId, string? connection) =>
        message.Object("reply_to_message")?.Whole("message_id") is { } target && !(message.IsTrue("is_topic_message") && message.Whole("message_thread_id") == target)
            ? MessageId(chatId, Id(target), connection)
            : null;

    private static TelegramUpdate Callback(JsonElement query)
    {
        var from = query.Object("from");
        if (query.Text("id") is not { } queryId || from?.Whole("id") is not { } userId)
        {
            return Nothing;
        }

        var message = query.Object("message");
        var chat = message?.Object("chat");
        if (chat?.Whole("id") is null)
        {
            chat = null; // a button of an inline message: the person's own chat has the person's id
        }

        var chatId = chat?.Whole("id") ?? userId;
        var connection = message?.Text("business_connection_id", MaxConnectionLength);
        var data = query.Text("data");
        var title = message is null ? null : TitleOf(message.Value, data);
        return new TelegramUpdate
        {
            CallbackQueryId = queryId,
            Contact = chat is null
                ? Person(from.Value, Id(userId))
                : ContactOf(message!.Value, chat.Value, from, connection),
            Messages = from.Value.IsTrue("is_bot") ? [] :
            [
                new InboundMessage
                {
                    PlatformMessageId = "callback:" + JsonText.Cut(queryId, 256),
                    ContentType = ContentTypes.Interactive,
                    Text = title ?? data,
                    Payload = JsonText.WriteObject((queryId, data, title), static (json, state) =>
                    {
                        json.WriteString("type", "button_reply");
                        json.WriteOptional("id", state.data);
                        json.WriteOptional("title", state.title);
                        json.WriteString("callbackQueryId", state.queryId);
                    }),
                    ReplyToPlatformId = chat is not null && message?.Whole("message_id") is { } messageId ? MessageId(chatId, Id(messageId), connection) : null,
                },
            ],
        };
    }

    /// <summary>The bot's own standing in a chat: blocked or unblocked by the person, put out of a group.</summary>
    private static TelegramUpdate Membership(JsonElement member, long updateId)
    {
        var chat = member.Object("chat");
        var status = member.Object("new_chat_member")?.Text("status");
        if (chat?.Whole("id") is not { } chatId || status is null)
        {
            return Nothing;
        }

        var isReachable = status is not ("kicked" or "left") && !(status == "restricted" && member.Object("new_chat_member") is { } rights && rights.TryGetProperty("can_send_messages", out var may) && may.ValueKind == JsonValueKind.False);
        return new TelegramUpdate
        {
            Contact = ContactOf(member, chat.Value, member.Object("from"), null) with { IsReachable = isReachable },
            Messages =
            [
                Notice($"{Id(chatId)}:member:{Id(updateId)}", ContentTypes.System, member, isReachable ? null : "The bot was blocked or removed.", json =>
                {
                    json.WriteString("type", "my_chat_member");
                    json.WriteString("status", status);
                }),
            ],
        };
    }

    private static TelegramUpdate Reaction(JsonElement reaction, long updateId)
    {
        var chat = reaction.Object("chat");
        var user = reaction.Object("user");
        // Whoever reacts as a group or a channel is no user.
        if (chat?.Whole("id") is not { } chatId || reaction.Whole("message_id") is not { } messageId || (user ?? reaction.Object("actor_chat")) is null || user?.IsTrue("is_bot") == true)
        {
            return Nothing;
        }

        string? emoji = null;
        foreach (var kind in reaction.Items("new_reaction"))
        {
            emoji = kind.Text("emoji") ?? kind.Text("custom_emoji_id") ?? emoji;
        }

        var target = $"{Id(chatId)}:{Id(messageId)}";
        var message = Notice($"{target}:reaction:{Id(updateId)}", ContentTypes.Reaction, reaction, emoji, replyTo: target, payload: json =>
        {
            json.WriteString("messageId", target);
            json.WriteOptional("emoji", emoji);
            if (emoji is null)
            {
                json.WriteBoolean("removed", true);
            }
        });
        return new TelegramUpdate { Contact = ContactOf(reaction, chat.Value, user, null), Messages = [message] };
    }

    private static TelegramUpdate Deleted(JsonElement deleted, long updateId)
    {
        var chat = deleted.Object("chat");
        if (chat?.Whole("id") is not { } chatId)
        {
            return Nothing;
        }

        var connection = deleted.Text("business_connection_id", MaxConnectionLength);
        var messages = ImmutableArray.CreateBuilder<InboundMessage>();
        foreach (var item in deleted.Items("message_ids"))
        {
            if (JsonText.Read(item) is { Length: > 0 and < 32 } messageId)
            {
                var target = MessageId(chatId, messageId, connection);
                messages.Add(Notice($"{target}:revoke:{Id(updateId)}", ContentTypes.Revoke, deleted, null, json => json.WriteString("messageId", target), target));
            }
        }

        return messages.Count == 0
            ? Nothing
            : new TelegramUpdate { Contact = ContactOf(deleted, chat.Value, null, connection), Messages = messages.ToImmutable() };
    }

    private static InboundMessage Notice(string id, string type, JsonElement about, string? text, Action<Utf8JsonWriter> payload, string? replyTo = null) => new()
    {
        PlatformMessageId = id,
        ContentType = type,
        Text = text,
        Payload = JsonText.WriteObject(payload, static (json, write) => write(json)),
        ReplyToPlatformId = replyTo,
        PlatformTimestamp = JsonText.UnixTime(about.Text("date")),
    };

    private static PlatformContact ContactOf(JsonElement message, JsonElement chat, JsonElement? from, string? connection)
    {
        var chatId = Id(chat.Whole("id")!.Value);
        var identity = connection is not null ? $"{chatId}@{connection}"
            : message.IsTrue("is_topic_message") && message.Whole("message_thread_id") is { } topic ? $"{chatId}:{Id(topic)}"
            : chatId;
        identity = JsonText.Cut(identity, ConversationKey.MaxPlatformUserIdLength);
        return TypedText.Name(chat.Text("title")) is { } title
            ? new PlatformContact([identity], title, chat.Text("username"), IsGroup: true)
            : Person(chat, identity) with { Language = from?.Text("language_code", 35) };
    }

    private static PlatformContact Person(JsonElement person, string identity)
    {
        string?[] names = [TypedText.Name(person.Text("first_name")), TypedText.Name(person.Text("last_name"))];
        return new PlatformContact([identity], string.Join(' ', names.Where(part => part is not null)), person.Text("username"), Language: person.Text("language_code", 35));
    }

    private static string? TitleOf(JsonElement message, string? data)
    {
        if (data is null || message.Object("reply_markup") is not { } markup)
        {
            return null;
        }

        foreach (var row in markup.Items("inline_keyboard"))
        {
            foreach (var button in row.ValueKind == JsonValueKind.Array ? row.EnumerateArray() : default)
            {
                if (button.Text("callback_data") == data)
                {
                    return button.Text("text");
                }
            }
        }

        return null;
    }

    /// <summary>A message's number belongs to a chat and to a business account: chats of connected accounts count by themselves.</summary>
    private static string MessageId(long chatId, string messageId, string? connection) => connection is null ? $"{Id(chatId)}:{messageId}" : $"{Id(chatId)}:{messageId}@{connection}";

    private static string Id(long id) => id.ToString(CultureInfo.InvariantCulture);
}
