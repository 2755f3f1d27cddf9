using System.Security.Cryptography;
using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>Reads messages and statuses straight from the bytes; what is rare goes through <see cref="WhatsAppContent"/>.</summary>
internal static class WhatsAppEventReader
{
    /// <summary>Reads an array of messages, or of echoes of what the business wrote elsewhere; empty for none.</summary>
    public static void Messages(ReadOnlySpan<byte> array, ref WhatsAppChange change, bool isEcho, WhatsAppEvents events)
    {
        if (!array.IsEmpty)
        {
            var reader = new Utf8JsonReader(array, JsonText.ReaderOptions);
            reader.Read();
            Messages(ref reader, array, ref change, isEcho, events);
        }
    }

    /// <summary>Reads the array that the reader stands on, a part of <paramref name="source"/>.</summary>
    public static void Messages(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, ref WhatsAppChange change, bool isEcho, WhatsAppEvents events)
    {
        while (WhatsAppJson.NextObject(ref reader, events))
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
                waId = WhatsAppJson.Scalar(ref reader);
            }
            else if (reader.Is("id"u8))
            {
                id = WhatsAppJson.Scalar(ref reader);
            }
            else if (reader.Is("timestamp"u8))
            {
                at = WhatsAppJson.Time(ref reader);
            }
            else if (reader.Is("type"u8))
            {
                reader.Read();
                isText = reader.TokenType == JsonTokenType.String && reader.Is("text"u8);
                reader.Skip();
            }
            else if (reader.Is("text"u8))
            {
                text = WhatsAppJson.Member(ref reader, "body"u8, ref isPlain);
            }
            else if (reader.Is(isEcho ? "to_user_id"u8 : "from_user_id"u8))
            {
                userId = WhatsAppJson.Scalar(ref reader);
            }
            else if (reader.Is("context"u8))
            {
                replyTo = WhatsAppJson.Member(ref reader, "id"u8, ref isPlain);
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
            }
            : WhatsAppContent.Read(raw, id, at, isEcho, ref contact);
        events.Add(new(change.PhoneNumberId, contact, message, null));
    }

    /// <summary>Reads an array of statuses; empty for none.</summary>
    public static void Statuses(ReadOnlySpan<byte> array, ref WhatsAppChange change, WhatsAppEvents events)
    {
        if (array.IsEmpty)
        {
            return;
        }

        var reader = new Utf8JsonReader(array, JsonText.ReaderOptions);
        reader.Read();
        while (WhatsAppJson.NextObject(ref reader, events))
        {
            Status(ref reader, array, ref change, events);
        }
    }

    private static void Status(ref Utf8JsonReader reader, ReadOnlySpan<byte> source, ref WhatsAppChange change, WhatsAppEvents events)
    {
        string? id = null;
        MessageStatus? status = null;
        Guid? messageId = null;
        DateTimeOffset? at = null;
        Range errors = default;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("id"u8))
            {
                id = WhatsAppJson.Scalar(ref reader);
            }
            else if (reader.Is("status"u8))
            {
                reader.Read();
                status = StatusOf(ref reader);
                reader.Skip();
            }
            else if (reader.Is("timestamp"u8))
            {
                at = WhatsAppJson.Time(ref reader);
            }
            else if (reader.Is("biz_opaque_callback_data"u8))
            {
                messageId = Guid.TryParse(WhatsAppJson.Scalar(ref reader), out var guid) ? guid : null;
            }
            else if (reader.Is("errors"u8))
            {
                errors = WhatsAppJson.SkipValue(ref reader);
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

        // Whom a status names doesn't matter: people's names change, a message's don't.
        if (id is not { Length: > 0 and <= JsonText.MaxIdLength })
        {
            events.Unattributable++;
            return;
        }

        var (code, subcode, error) = status == MessageStatus.Failed ? WhatsAppNotices.Error(source[errors]) : default;
        events.Add(new(change.PhoneNumberId, default, null, new DeliveryReceipt
        {
            PlatformMessageId = id,
            Status = status.Value,
            MessageId = messageId,
            At = at,
            ErrorCode = code,
            ErrorSubcode = subcode,
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
    private static string Digest(ReadOnlySpan<byte> raw) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(raw));
}
