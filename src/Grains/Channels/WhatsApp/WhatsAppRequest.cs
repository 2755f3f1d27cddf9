using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Grains.Channels.WhatsApp;

/// <summary>The bodies of requests to <c>/messages</c>.</summary>
internal static class WhatsAppRequest
{
    private const int MaxFilenameLength = 240;

    /// <summary>A message; null when its type can't be sent.</summary>
    public static ReadOnlyMemory<byte>? Message(OutboundMessage message, WhatsAppOptions options)
    {
        var type = message.Content.ContentType;
        var (style, choices) = type == ContentTypes.Interactive ? ChoicePayload.Read(message.Content.Payload) : (ChoicePayload.Buttons, []);
        if (type == ContentTypes.Interactive && choices.IsEmpty)
        {
            type = ContentTypes.Text;
        }

        if (type is not (ContentTypes.Text or ContentTypes.Interactive or ContentTypes.Image or ContentTypes.Audio or ContentTypes.Video or ContentTypes.Document))
        {
            return null;
        }

        return JsonText.WriteUtf8Object(0, (json, _) =>
        {
            json.WriteString("messaging_product", "whatsapp");
            var group = GroupName.IdOf(message.Recipient);
            json.WriteString("recipient_type", group is null ? "individual" : "group");
            json.WriteString(group is not null || IsNumber(message.Recipient) ? "to" : "recipient", group ?? message.Recipient);
            json.WriteString("type", type);
            json.WriteString("biz_opaque_callback_data", message.MessageId);
            if (message.ReplyToPlatformId is not null)
            {
                json.WriteStartObject("context");
                json.WriteString("message_id", message.ReplyToPlatformId);
                json.WriteEndObject();
            }

            json.WriteStartObject(type);
            switch (type)
            {
                case ContentTypes.Text:
                    json.WriteString("body", message.Content.Text);
                    json.WriteBoolean("preview_url", false);
                    break;
                case ContentTypes.Interactive:
                    WriteChoices(json, message.Content.Text ?? "", style, choices, options);
                    break;
                default:
                    WriteMedia(json, message.Content, type);
                    break;
            }

            json.WriteEndObject();
        });
    }

    /// <summary>Marks a message and all before it as read; with typing, the person sees that an answer is being written, for up to 25 s.</summary>
    public static ReadOnlyMemory<byte> Read(string platformMessageId, bool typing) => JsonText.WriteUtf8Object(0, (json, _) =>
    {
        json.WriteString("messaging_product", "whatsapp");
        json.WriteString("status", "read");
        json.WriteString("message_id", platformMessageId);
        if (typing)
        {
            json.WriteStartObject("typing_indicator");
            json.WriteString("type", "text");
            json.WriteEndObject();
        }
    });

    /// <summary>A phone number goes into <c>to</c>; a business-scoped user id, which begins with a country's letters, into <c>recipient</c>.</summary>
    private static bool IsNumber(string recipient) => recipient.Length > 0 && (char.IsAsciiDigit(recipient[0]) || recipient[0] == '+');

    private static void WriteMedia(Utf8JsonWriter json, PreparedContent content, string type)
    {
        var url = content.AttachmentUrl ?? "";
        if (url.StartsWith("media:", StringComparison.Ordinal))
        {
            json.WriteString("id", url["media:".Length..]);
        }
        else
        {
            json.WriteString("link", url);
        }

        if (content.Text is not null && type != ContentTypes.Audio)
        {
            json.WriteString("caption", content.Text);
        }

        if (type == ContentTypes.Document && content.AttachmentMetadata is not null)
        {
            using var metadata = JsonDocument.Parse(content.AttachmentMetadata);
            json.WriteOptional("filename", metadata.RootElement.Text("filename", MaxFilenameLength));
        }
    }

    private static void WriteChoices(Utf8JsonWriter json, string body, string style, IReadOnlyList<Choice> choices, WhatsAppOptions options)
    {
        var isList = style == ChoicePayload.List;
        json.WriteString("type", isList ? "list" : "button");
        json.WriteStartObject("body");
        json.WriteString("text", body);
        json.WriteEndObject();
        json.WriteStartObject("action");
        if (isList)
        {
            json.WriteString("button", ContentPreparation.CutLabel(options.ListButton, WhatsAppOptions.Limits.Buttons.Title));
            json.WriteStartArray("sections");
            json.WriteStartObject();
            json.WriteStartArray("rows");
        }
        else
        {
            json.WriteStartArray("buttons");
        }

        foreach (var choice in choices)
        {
            json.WriteStartObject();
            if (isList)
            {
                WriteRow(json, choice);
            }
            else
            {
                json.WriteString("type", "reply");
                json.WriteStartObject("reply");
                json.WriteString("id", choice.Id);
                json.WriteString("title", ContentPreparation.CutLabel(choice.Title, WhatsAppOptions.Limits.Buttons.Title));
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (isList)
        {
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    /// <summary>A title that had to be cut stands whole in the description, when that is free.</summary>
    private static void WriteRow(Utf8JsonWriter json, Choice choice)
    {
        var (_, titleLength, descriptionLength, _) = WhatsAppOptions.Limits.List;
        json.WriteString("id", choice.Id);
        json.WriteString("title", ContentPreparation.CutLabel(choice.Title, titleLength));
        if ((choice.Description ?? (choice.Title.Trim().Length > titleLength ? choice.Title : null)) is { Length: > 0 } description)
        {
            json.WriteString("description", ContentPreparation.CutLabel(description, descriptionLength));
        }
    }
}
