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
        var connection = message.Text("business_connection_id");
        if (chat?.Whole("id") is not { } chatId || message.Whole("message_id") is not { } messageId
            || from?.IsTrue("is_bot") == true || message.Object("sender_business_bot") is not null)
        {
            return Nothing;
        }

        // In a business account's chat the owner writes too: the chat's id is the customer's.
        var isEcho = connection is not null && from?.Whole("id") is { } sender && sender != chatId;
        var contact = ContactOf(message, chat.Value, isEcho ? null : from, connection);
        var content = TelegramContent.Read(message);
        if (message.Whole("migrate_to_chat_id") is { } migratedTo)
        {
            contact = contact with { Identities = contact.Identities.Add(Id(migratedTo)) };
        }

        var id = $"{Id(chatId)}:{Id(messageId)}";
        var replyTo = message.Object("reply_to_message")?.Whole("message_id") is { } target ? $"{Id(chatId)}:{Id(target)}" : null;
        return new TelegramUpdate
        {
            Contact = content.Phone is null ? contact : contact with { Phone = content.Phone },
            Messages =
            [
                new InboundMessage
                {
                    PlatformMessageId = editUpdateId is { } updateId ? $"{id}:edit:{Id(updateId)}" : id,
                    ContentType = editUpdateId is null ? content.Type : ContentTypes.Edit,
                    Text = content.Text,
                    AttachmentUrl = content.Url,
                    AttachmentMetadata = content.Metadata,
                    Payload = content.Payload,
                    ReplyToPlatformId = editUpdateId is null ? replyTo : id,
                    PlatformTimestamp = JsonText.UnixTime((editUpdateId is null ? null : message.Text("edit_date")) ?? message.Text("date")),
                    IsEcho = isEcho,
                    ExpectsReply = editUpdateId is null && content.ExpectsReply && !isEcho,
                },
            ],
        };
    }

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
        var data = query.Text("data");
        var title = message is null ? null : TitleOf(message.Value, data);
        return new TelegramUpdate
        {
            CallbackQueryId = queryId,
            Contact = chat is null
                ? Person(from.Value, Id(userId))
                : ContactOf(message!.Value, chat.Value, from, message.Value.Text("business_connection_id")),
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
                    ReplyToPlatformId = message?.Whole("message_id") is { } messageId ? $"{Id(chatId)}:{Id(messageId)}" : null,
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

        var isReachable = status is not ("kicked" or "left");
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
        if (chat?.Whole("id") is not { } chatId || reaction.Whole("message_id") is not { } messageId || user is null || user.Value.IsTrue("is_bot"))
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

        var messages = ImmutableArray.CreateBuilder<InboundMessage>();
        foreach (var item in deleted.Items("message_ids"))
        {
            if (JsonText.Read(item) is { Length: > 0 and < 32 } messageId)
            {
                var target = $"{Id(chatId)}:{messageId}";
                messages.Add(Notice($"{target}:revoke:{Id(updateId)}", ContentTypes.Revoke, deleted, null, json => json.WriteString("messageId", target), target));
            }
        }

        return messages.Count == 0
            ? Nothing
            : new TelegramUpdate { Contact = ContactOf(deleted, chat.Value, null, deleted.Text("business_connection_id")), Messages = messages.ToImmutable() };
    }

    private static InboundMessage Notice(string id, string type, JsonElement about, string? text, Action<Utf8JsonWriter> payload, string? replyTo = null) => new()
    {
        PlatformMessageId = id,
        ContentType = type,
        Text = text,
        Payload = JsonText.WriteObject(payload, static (json, write) => write(json)),
        ReplyToPlatformId = replyTo,
        PlatformTimestamp = JsonText.UnixTime(about.Text("date")),
        ExpectsReply = false,
    };

    private static PlatformContact ContactOf(JsonElement message, JsonElement chat, JsonElement? from, string? connection)
    {
        var chatId = Id(chat.Whole("id")!.Value);
        var identity = connection is not null ? $"{chatId}@{connection}"
            : message.IsTrue("is_topic_message") && message.Whole("message_thread_id") is { } topic ? $"{chatId}:{Id(topic)}"
            : chatId;
        identity = JsonText.Cut(identity, ConversationKey.MaxPlatformUserIdLength);
        return TypedText.Name(chat.Text("title")) is { } title
            ? new PlatformContact([identity], title, chat.Text("username"))
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

    private static string Id(long id) => id.ToString(CultureInfo.InvariantCulture);
}
