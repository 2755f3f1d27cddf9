using System.Text.Json;
using AgentPlatform.Data.Json;
using AgentPlatform.Data.Texts;

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
            while (WhatsAppJson.NextObject(ref reader))
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
            while (WhatsAppJson.NextObject(ref reader))
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
                    WhatsAppEventReader.Messages(ref reader, body, ref change, isEcho: false, events);
                }
                else
                {
                    messages = WhatsAppJson.SkipValue(ref reader); // whom it concerns comes later
                }
            }
            else if (reader.Is("statuses"u8))
            {
                statuses = WhatsAppJson.SkipValue(ref reader);
            }
            else if (reader.Is("message_echoes"u8))
            {
                echoes = WhatsAppJson.SkipValue(ref reader);
            }
            else if (reader.Is("user_id_update"u8))
            {
                userIdUpdates = WhatsAppJson.SkipValue(ref reader);
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

        WhatsAppEventReader.Messages(body[messages], ref change, isEcho: false, events);
        WhatsAppEventReader.Messages(body[echoes], ref change, isEcho: true, events);
        WhatsAppEventReader.Statuses(body[statuses], ref change, events);
        WhatsAppNotices.UserIdUpdates(body[userIdUpdates], ref change, events);
        WhatsAppNotices.PlatformErrors(body[errors], events);
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
                change.PhoneNumberId = WhatsAppJson.Scalar(ref reader);
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
        while (WhatsAppJson.NextObject(ref reader))
        {
            string? waId = null, userId = null, name = null, username = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.Is("wa_id"u8))
                {
                    waId = WhatsAppJson.Scalar(ref reader);
                }
                else if (reader.Is("user_id"u8))
                {
                    userId = WhatsAppJson.Scalar(ref reader);
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
                name = Name(WhatsAppJson.Scalar(ref reader));
            }
            else if (reader.Is("username"u8))
            {
                username = Name(WhatsAppJson.Scalar(ref reader));
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private static string? Name(string? name) => TypedText.Name(name);
}
