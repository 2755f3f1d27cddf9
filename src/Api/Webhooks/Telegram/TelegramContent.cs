using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.Telegram;

/// <summary>What a message of the Bot API says.</summary>
/// <param name="Phone">The writer's own number, when the writer shared it.</param>
internal readonly record struct TelegramContent(
    string Type, string? Text = null, string? Url = null, string? Metadata = null, string? Payload = null, string? Phone = null)
{
    /// <summary>Reads a message. What isn't known (most of it tells of the chat, and nobody said it) is kept with its raw form.</summary>
    public static TelegramContent Read(JsonElement message)
    {
        if (Known(message) is { } known)
        {
            return known with { Payload = known.Payload ?? Extras(message) };
        }

        // A caption is the person's own sentence, whatever it stands under.
        var caption = message.Text("caption", JsonText.MaxTextLength);
        return new(string.IsNullOrWhiteSpace(caption) ? ContentTypes.Unsupported : ContentTypes.Text, caption, Payload: JsonText.WriteObject(message, static (json, message) => json.WriteCopy("raw", message)));
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
            : message.Object("dice") is { } dice ? new TelegramContent(ContentTypes.Text, $"{dice.Text("emoji")} {dice.Text("value")}".Trim())
            : message.Object("poll") is { } poll ? Lines(poll.Text("question", JsonText.MaxTextLength), poll.Items("options"))
            : message.Object("checklist") is { } list ? Lines(list.Text("title", JsonText.MaxTextLength), list.Items("tasks"))
            : message.Object("game")?.Text("title") is { } game ? new TelegramContent(ContentTypes.Text, game)
            : message.Object("web_app_data") is { } sent ? Submitted(sent)
            : null;
    }

    private static TelegramContent? Lines(string? title, IEnumerable<JsonElement> items) =>
        title is null ? null : new(ContentTypes.Text, JsonText.Cut(string.Join('\n', items.Select(item => $"- {item.Text("text")}").Prepend(title)), JsonText.MaxTextLength));

    /// <summary>What the person entered in a page that the bot opened.</summary>
    private static TelegramContent Submitted(JsonElement sent) => new(ContentTypes.Interactive, sent.Text("button_text"), Payload: JsonText.WriteObject(sent, static (json, sent) =>
    {
        json.WriteString("type", "web_app_data");
        json.WriteOptional("data", sent.Text("data", JsonText.MaxTextLength));
    }));

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
            WriteNumber(json, "livePeriod", state.location.Whole("live_period"));
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
        // Whoever writes as the group, or as a channel, comes under a stand-in's name; the chat tells who it is.
        var sender = message.Object("sender_chat");
        if (from is null && sender is null && !isForwarded && start is null)
        {
            return null;
        }

        return JsonText.WriteObject((from, sender, isForwarded, start), static (json, state) =>
        {
            if (state.sender is { } sender)
            {
                json.WriteStartObject("from");
                json.WriteOptional("id", sender.Text("id"));
                json.WriteOptional("title", sender.Text("title"));
                json.WriteOptional("username", sender.Text("username"));
                json.WriteEndObject();
            }
            else if (state.from is { } from)
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
