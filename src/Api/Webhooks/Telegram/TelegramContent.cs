using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.Telegram;

/// <summary>What a message of the Bot API says.</summary>
/// <param name="Phone">The writer's own number, when the writer shared it.</param>
internal readonly record struct TelegramContent(
    string Type, string? Text = null, string? Url = null, string? Metadata = null, string? Payload = null, bool ExpectsReply = true, string? Phone = null)
{
    /// <summary>Messages that the platform writes about the chat; nobody said anything.</summary>
    private static readonly string[] Notices =
    [
        "new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created",
        "channel_chat_created", "message_auto_delete_timer_changed", "migrate_to_chat_id", "migrate_from_chat_id", "pinned_message", "forum_topic_created",
        "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden", "video_chat_scheduled",
        "video_chat_started", "video_chat_ended", "video_chat_participants_invited", "boost_added", "chat_background_set", "write_access_allowed",
        "users_shared", "chat_shared", "proximity_alert_triggered",
    ];

    /// <summary>Reads a message. What isn't known is kept with its raw form.</summary>
    public static TelegramContent Read(JsonElement message)
    {
        if (Known(message) is { } known)
        {
            return known with { Payload = known.Payload ?? Extras(message) };
        }

        foreach (var notice in Notices)
        {
            if (message.TryGetProperty(notice, out var value))
            {
                return new(ContentTypes.System, notice, ExpectsReply: false, Payload: JsonText.WriteObject((notice, value), static (json, state) =>
                {
                    json.WriteString("type", state.notice);
                    json.WriteCopy("raw", state.value);
                }));
            }
        }

        var text = message.Text("caption", JsonText.MaxTextLength) ?? message.Object("dice")?.Text("emoji");
        return new(ContentTypes.Unsupported, text, Payload: JsonText.WriteObject(message, static (json, message) => json.WriteCopy("raw", message)));
    }

    private static TelegramContent? Known(JsonElement message)
    {
        var caption = message.Text("caption", JsonText.MaxTextLength);
        return message.Text("text", JsonText.MaxTextLength) is { } text ? new TelegramContent(ContentTypes.Text, text)
            : LargestPhoto(message) is { } photo ? Media(message, ContentTypes.Image, photo, caption)
            : message.Object("voice") is { } voice ? Media(message, ContentTypes.Audio, voice, caption, "voice")
            : message.Object("audio") is { } audio ? Media(message, ContentTypes.Audio, audio, caption)
            : message.Object("animation") is { } animation ? Media(message, ContentTypes.Video, animation, caption, "animated") // comes with a document: the same file
            : message.Object("document") is { } document ? Media(message, ContentTypes.Document, document, caption)
            : message.Object("video") is { } video ? Media(message, ContentTypes.Video, video, caption)
            : message.Object("video_note") is { } note ? Media(message, ContentTypes.Video, note, caption, "videoNote")
            : message.Object("sticker") is { } sticker ? Media(message, ContentTypes.Sticker, sticker, sticker.Text("emoji"), sticker.IsTrue("is_animated") ? "animated" : null)
            : message.Object("venue") is { } venue && venue.Object("location") is { } place ? Location(place, venue)
            : message.Object("location") is { } location ? Location(location, null)
            : message.Object("contact") is { } card ? Contact(message, card)
            : null;
    }

    /// <summary>The sizes of a photo come smallest first.</summary>
    private static JsonElement? LargestPhoto(JsonElement message)
    {
        JsonElement? last = null;
        foreach (var size in message.Items("photo"))
        {
            last = size.ValueKind == JsonValueKind.Object ? size : last;
        }

        return last;
    }

    private static TelegramContent? Media(JsonElement message, string type, JsonElement file, string? text, string? flag = null)
    {
        if (file.Text("file_id") is not { } fileId)
        {
            return null;
        }

        var metadata = JsonText.WriteObject((message, file, fileId, flag), static (json, state) =>
        {
            var (message, file, fileId, flag) = state;
            json.WriteString("mediaId", fileId);
            json.WriteOptional("uniqueId", file.Text("file_unique_id"));
            json.WriteOptional("mimeType", file.Text("mime_type"));
            json.WriteOptional("filename", file.Text("file_name"));
            json.WriteOptional("title", file.Text("title"));
            json.WriteOptional("performer", file.Text("performer"));
            json.WriteOptional("mediaGroupId", message.Text("media_group_id"));
            WriteNumber(json, "size", file.Whole("file_size"));
            WriteNumber(json, "duration", file.Whole("duration"));
            WriteNumber(json, "width", file.Whole("width"));
            WriteNumber(json, "height", file.Whole("height"));
            if (flag is not null)
            {
                json.WriteBoolean(flag, true);
            }
        });
        return new(type, text, "media:" + fileId, metadata);
    }

    private static TelegramContent? Location(JsonElement location, JsonElement? venue)
    {
        if (location.Text("latitude") is not { } latitude || location.Text("longitude") is not { } longitude)
        {
            return null;
        }

        string?[] parts = [venue?.Text("title"), venue?.Text("address")];
        var text = string.Join(", ", parts.Where(part => part is not null));
        var payload = JsonText.WriteObject((location, venue), static (json, state) =>
        {
            json.WriteCopy("latitude", state.location.GetProperty("latitude"));
            json.WriteCopy("longitude", state.location.GetProperty("longitude"));
            json.WriteOptional("name", state.venue?.Text("title"));
            json.WriteOptional("address", state.venue?.Text("address"));
        });
        return new(ContentTypes.Location, text.Length > 0 ? text : $"{latitude}, {longitude}", Payload: payload);
    }

    private static TelegramContent? Contact(JsonElement message, JsonElement card)
    {
        if (card.Text("phone_number") is not { } number)
        {
            return null;
        }

        string?[] parts = [card.Text("first_name"), card.Text("last_name"), number];
        var isOwn = card.Whole("user_id") is { } userId && userId == message.Object("from")?.Whole("id");
        var payload = JsonText.WriteObject(card, static (json, card) =>
        {
            json.WriteStartArray("contacts");
            json.WriteCopy(card);
            json.WriteEndArray();
        });
        return new(ContentTypes.Contacts, string.Join(' ', parts.Where(part => part is not null)), Payload: payload, Phone: isOwn ? E164(number) : null);
    }

    /// <summary>Digits behind a plus sign; null when it is no such number.</summary>
    private static string? E164(string number)
    {
        var digits = string.Concat(number.Where(char.IsAsciiDigit));
        return digits.Length is >= 5 and <= 15 && digits[0] != '0' ? "+" + digits : null;
    }

    /// <summary>Who speaks in a group, that a message was forwarded, and what a deep link carried.</summary>
    private static string? Extras(JsonElement message)
    {
        var from = message.Object("chat")?.Text("type") is "group" or "supergroup" ? message.Object("from") : null;
        var isForwarded = message.TryGetProperty("forward_origin", out _) || message.TryGetProperty("forward_date", out _);
        var start = message.Text("text") is { } text && text.StartsWith("/start ", StringComparison.Ordinal) ? text["/start ".Length..] : null;
        if (from is null && !isForwarded && start is null)
        {
            return null;
        }

        return JsonText.WriteObject((from, isForwarded, start), static (json, state) =>
        {
            if (state.from is { } from)
            {
                json.WriteStartObject("from");
                json.WriteOptional("id", from.Text("id"));
                json.WriteOptional("firstName", from.Text("first_name"));
                json.WriteOptional("lastName", from.Text("last_name"));
                json.WriteOptional("username", from.Text("username"));
                json.WriteEndObject();
            }

            if (state.isForwarded)
            {
                json.WriteBoolean("forwarded", true);
            }

            json.WriteOptional("start", state.start);
        });
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }
}
