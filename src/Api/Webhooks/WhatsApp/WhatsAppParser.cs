using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>
/// Reads a webhook of the WhatsApp Cloud API: every entry, change, message, echo and status. Plain text messages and statuses are read
/// straight from the bytes; what is rare goes through <see cref="WhatsAppContent"/>. An odd event never costs the others.
/// </summary>
internal static class WhatsAppParser
{
    /// <summary>Reads a body. The bytes must be valid UTF-8.</summary>
    /// <exception cref="JsonException">The body is not JSON, or nested deeper than <see cref="JsonText.MaxDepth"/>.</exception>
    /// <exception cref="WhatsAppFormatException">The body is JSON, but no webhook.</exception>
    public static WhatsAppEvents Parse(ReadOnlySpan<byte> body)
    {
        var events = new WhatsAppEvents();
        var reader = new Utf8JsonReader(body, JsonText.ReaderOptions);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new WhatsAppFormatException("The body must be a JSON object.");
        }

        var hasEntries = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.Is("entry"u8))
            {
                reader.Skip();
                continue;
            }

            reader.Read();
            hasEntries |= reader.TokenType == JsonTokenType.StartArray;
            while (NextObject(ref reader))
            {
                Entry(ref reader, body, events);
            }
        }

        reader.Read(); // nothing may follow
        return hasEntries ? events : throw new WhatsAppFormatException("The body has no array named entry.");
    }

    private static void Entry(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, WhatsAppEvents events)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!reader.Is("changes"u8))
            {
                reader.Skip();
                continue;
            }

            reader.Read();
            while (NextObject(ref reader))
            {
                Change(ref reader, body, events);
            }
        }
    }

    private static void Change(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, WhatsAppEvents events)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isValue = reader.Is("value"u8);
            reader.Read();
            if (isValue && reader.TokenType == JsonTokenType.StartObject)
            {
                Value(ref reader, body, events);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static void Value(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, WhatsAppEvents events)
    {
        var change = new WhatsAppChange();
        Range messages = default, echoes = default, statuses = default, userIdUpdates = default, errors = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("metadata"u8))
            {
                Metadata(ref reader, ref change);
            }
            else if (reader.Is("contacts"u8))
            {
                Contacts(ref reader, ref change);
            }
            else if (reader.Is("messages"u8))
            {
                if (change.PhoneNumberId is not null && change.People > 0)
                {
                    reader.Read();
                    Messages(ref reader, body, ref change, isEcho: false, events);
                }
                else
                {
                    messages = SkipValue(ref reader); // whom it concerns comes later
                }
            }
            else if (reader.Is("statuses"u8))
            {
                statuses = SkipValue(ref reader);
            }
            else if (reader.Is("message_echoes"u8))
            {
                echoes = SkipValue(ref reader);
            }
            else if (reader.Is("user_id_update"u8))
            {
                userIdUpdates = SkipValue(ref reader);
            }
            else if (reader.Is("errors"u8))
            {
                errors = SkipValue(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        MessagesIn(body[messages], ref change, isEcho: false, events);
        MessagesIn(body[echoes], ref change, isEcho: true, events);
        StatusesIn(body[statuses], ref change, events);
        WhatsAppContent.UserIdUpdates(body[userIdUpdates], ref change, events);
        WhatsAppContent.PlatformErrors(body[errors], events);
    }

    private static void Metadata(ref Utf8JsonReader reader, ref WhatsAppChange change)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("phone_number_id"u8))
            {
                change.PhoneNumberId = Scalar(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static void Contacts(ref Utf8JsonReader reader, ref WhatsAppChange change)
    {
        reader.Read();
        while (NextObject(ref reader))
        {
            string? waId = null, userId = null, name = null, username = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.Is("wa_id"u8))
                {
                    waId = Scalar(ref reader);
                }
                else if (reader.Is("user_id"u8))
                {
                    userId = Scalar(ref reader);
                }
                else if (reader.Is("profile"u8))
                {
                    Profile(ref reader, ref name, ref username);
                }
                else
                {
                    reader.Skip();
                }
            }

            change.Add(new(waId, userId, name, username));
        }
    }

    private static void Profile(ref Utf8JsonReader reader, ref string? name, ref string? username)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("name"u8))
            {
                name = Name(Scalar(ref reader));
            }
            else if (reader.Is("username"u8))
            {
                username = Name(Scalar(ref reader));
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static void MessagesIn(ReadOnlySpan<byte> array, ref WhatsAppChange change, bool isEcho, WhatsAppEvents events)
    {
        if (!array.IsEmpty)
        {
            var reader = new Utf8JsonReader(array, JsonText.ReaderOptions);
            reader.Read();
            Messages(ref reader, array, ref change, isEcho, events);
        }
    }

    private static void Messages(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, ref WhatsAppChange change, bool isEcho, WhatsAppEvents events)
    {
        while (NextObject(ref reader, events))
        {
            Message(ref reader, source, ref change, isEcho, events);
        }
    }

    private static void Message(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, ref WhatsAppChange change, bool isEcho, WhatsAppEvents events)
    {
        var start = (int)reader.TokenStartIndex;
        string? waId = null, userId = null, id = null, text = null, replyTo = null;
        DateTimeOffset? at = null;
        bool isText = false, isPlain = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is(isEcho ? "to"u8 : "from"u8))
            {
                waId = Scalar(ref reader);
            }
            else if (reader.Is("id"u8))
            {
                id = Scalar(ref reader);
            }
            else if (reader.Is("timestamp"u8))
            {
                at = Time(ref reader);
            }
            else if (reader.Is("type"u8))
            {
                reader.Read();
                isText = reader.TokenType == JsonTokenType.String && reader.Is("text"u8);
                reader.Skip();
            }
            else if (reader.Is("text"u8))
            {
                text = Member(ref reader, "body"u8, ref isPlain);
            }
            else if (reader.Is(isEcho ? "to_user_id"u8 : "from_user_id"u8))
            {
                userId = Scalar(ref reader);
            }
            else if (reader.Is("context"u8))
            {
                replyTo = Member(ref reader, "id"u8, ref isPlain);
            }
            else
            {
                isPlain &= reader.Is(isEcho ? "from"u8 : "from_parent_user_id"u8) || (isEcho && reader.Is("to_parent_user_id"u8));
                reader.Skip();
            }
        }

        if (!change.TryIdentify(waId, userId, out var contact))
        {
            events.Unattributable++;
            return;
        }

        var raw = source[start..(int)reader.BytesConsumed];
        id = id is { Length: > 0 and <= JsonText.MaxIdLength } ? id : Digest(raw);
        var message = isText && isPlain && text is not null && replyTo is null or { Length: <= JsonText.MaxIdLength }
            ? new InboundMessage
            {
                PlatformMessageId = id,
                ContentType = ContentTypes.Text,
                Text = JsonText.Cut(text!, JsonText.MaxTextLength),
                ReplyToPlatformId = replyTo,
                PlatformTimestamp = at,
                IsEcho = isEcho,
                ExpectsReply = !isEcho,
            }
            : WhatsAppContent.Read(raw, id, at, isEcho, ref contact);
        events.Add(new(change.PhoneNumberId, contact, message, null));
    }

    private static void StatusesIn(ReadOnlySpan<byte> array, ref WhatsAppChange change, WhatsAppEvents events)
    {
        if (array.IsEmpty)
        {
            return;
        }

        var reader = new Utf8JsonReader(array, JsonText.ReaderOptions);
        reader.Read();
        while (NextObject(ref reader, events))
        {
            Status(ref reader, array, ref change, events);
        }
    }

    private static void Status(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, ref WhatsAppChange change, WhatsAppEvents events)
    {
        string? id = null, waId = null, userId = null;
        MessageStatus? status = null;
        Guid? messageId = null;
        DateTimeOffset? at = null;
        Range errors = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("id"u8))
            {
                id = Scalar(ref reader);
            }
            else if (reader.Is("status"u8))
            {
                reader.Read();
                status = StatusOf(ref reader);
                reader.Skip();
            }
            else if (reader.Is("timestamp"u8))
            {
                at = Time(ref reader);
            }
            else if (reader.Is("recipient_id"u8))
            {
                waId = Scalar(ref reader);
            }
            else if (reader.Is("recipient_user_id"u8))
            {
                userId = Scalar(ref reader);
            }
            else if (reader.Is("biz_opaque_callback_data"u8))
            {
                messageId = Guid.TryParse(Scalar(ref reader), out var guid) ? guid : null;
            }
            else if (reader.Is("errors"u8))
            {
                errors = SkipValue(ref reader);
            }
            else
            {
                reader.Skip();
            }
        }

        if (status is null)
        {
            return; // a kind of status that says nothing about how far the message has come
        }

        if (id is not { Length: > 0 and <= JsonText.MaxIdLength } || !change.TryIdentify(waId, userId, out var contact))
        {
            events.Unattributable++;
            return;
        }

        var (code, error) = status == MessageStatus.Failed ? WhatsAppContent.Error(source[errors]) : default;
        events.Add(new(change.PhoneNumberId, contact, null, new DeliveryReceipt
        {
            PlatformMessageId = id,
            Status = status.Value,
            MessageId = messageId,
            At = at,
            ErrorCode = code,
            Error = error,
        }));
    }

    private static MessageStatus? StatusOf(ref Utf8JsonReader reader) =>
        reader.TokenType != JsonTokenType.String ? null
        : reader.Is("sent"u8) ? MessageStatus.Sent
        : reader.Is("delivered"u8) ? MessageStatus.Delivered
        : reader.Is("read"u8) || reader.Is("played"u8) ? MessageStatus.Read
        : reader.Is("failed"u8) ? MessageStatus.Failed
        : null;

    /// <summary>A name for what came without a usable id, the same at every delivery.</summary>
    internal static string Digest(ReadOnlySpan<byte> raw) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(raw));

    private static string? Name(string? name) => string.IsNullOrWhiteSpace(name) ? null : JsonText.Cut(name, JsonText.MaxNameLength);

    private static string? Scalar(ref Utf8JsonReader reader)
    {
        reader.Read();
        var text = JsonText.Read(ref reader);
        reader.Skip();
        return text;
    }

    private static DateTimeOffset? Time(ref Utf8JsonReader reader)
    {
        reader.Read();
        DateTimeOffset? at = reader.TokenType is JsonTokenType.String or JsonTokenType.Number
            && Utf8Parser.TryParse(reader.ValueSpan, out long seconds, out var used) && used == reader.ValueSpan.Length && seconds is >= 0 and <= 253_402_300_799
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
        reader.Skip();
        return at;
    }

    /// <summary>One member of an object; <paramref name="isPlain"/> becomes false when the object says more than that (and who is meant, which we know).</summary>
    private static string? Member(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, ref bool isPlain)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            isPlain = false;
            return null;
        }

        string? text = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is(name))
            {
                text = Scalar(ref reader);
            }
            else
            {
                isPlain &= reader.Is("from"u8);
                reader.Skip();
            }
        }

        return text;
    }

    /// <summary>Moves to the next object of the array that the reader stands in; skips what is no object. False at the array's end, or when it is no array.</summary>
    private static bool NextObject(ref Utf8JsonReader reader, WhatsAppEvents? countOthers = null)
    {
        if (reader.TokenType == JsonTokenType.StartArray || reader.TokenType == JsonTokenType.EndObject)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    return true;
                }

                reader.Skip();
                _ = countOthers is null ? 0 : countOthers.Unattributable++;
            }

            return false;
        }

        reader.Skip();
        return false;
    }

    private static Range SkipValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return start..(int)reader.BytesConsumed;
    }
}
