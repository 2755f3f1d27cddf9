using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Grains.Channels.Telegram;

/// <summary>Methods of the Bot API and their bodies.</summary>
internal static class TelegramRequest
{
    /// <summary>The method for a content type; null when it can't be sent.</summary>
    public static string? MethodFor(string contentType) => contentType switch
    {
        ContentTypes.Text or ContentTypes.Interactive => "sendMessage",
        ContentTypes.Image => "sendPhoto",
        ContentTypes.Audio => "sendAudio",
        ContentTypes.Video => "sendVideo",
        ContentTypes.Document => "sendDocument",
        _ => null,
    };

    /// <summary>The body of a send. Text goes as it is, without markup, so that no text can be malformed.</summary>
    public static ReadOnlyMemory<byte> Message(TelegramChat chat, OutboundMessage message) => JsonText.WriteUtf8Object(0, (json, _) =>
    {
        var content = message.Content;
        WriteChat(json, chat);
        switch (content.ContentType)
        {
            case ContentTypes.Text or ContentTypes.Interactive:
                json.WriteString("text", content.Text);
                json.WriteStartObject("link_preview_options");
                json.WriteBoolean("is_disabled", true);
                json.WriteEndObject();
                WriteKeyboard(json, content);
                break;
            default:
                var url = content.AttachmentUrl ?? "";
                json.WriteString(content.ContentType == ContentTypes.Image ? "photo" : content.ContentType,
                    url.StartsWith("media:", StringComparison.Ordinal) ? url["media:".Length..] : url);
                if (content.Text is not null)
                {
                    json.WriteString("caption", content.Text);
                }

                break;
        }

        if (TelegramChat.ParseMessageId(message.ReplyToPlatformId) is var (replyChat, replyMessage))
        {
            json.WriteStartObject("reply_parameters");
            json.WriteNumber("message_id", replyMessage);
            if (replyChat != chat.ChatId)
            {
                json.WriteNumber("chat_id", replyChat);
            }

            json.WriteBoolean("allow_sending_without_reply", true);
            json.WriteEndObject();
        }
    });

    /// <summary>The body of <c>sendChatAction</c>: the person sees that an answer is being written, for up to 5 s.</summary>
    public static ReadOnlyMemory<byte> Typing(TelegramChat chat) => JsonText.WriteUtf8Object(0, (json, _) =>
    {
        WriteChat(json, chat);
        json.WriteString("action", "typing");
    });

    private static void WriteChat(Utf8JsonWriter json, TelegramChat chat)
    {
        json.WriteNumber("chat_id", chat.ChatId);
        if (chat.Topic is { } topic)
        {
            json.WriteNumber("message_thread_id", topic);
        }

        if (chat.Connection is not null)
        {
            json.WriteString("business_connection_id", chat.Connection);
        }
    }

    private static void WriteKeyboard(Utf8JsonWriter json, PreparedContent content)
    {
        var choices = content.ContentType == ContentTypes.Interactive ? ChoicePayload.Read(content.Payload).Choices : [];
        if (choices.IsEmpty)
        {
            return;
        }

        json.WriteStartObject("reply_markup");
        json.WriteStartArray("inline_keyboard");
        foreach (var choice in choices)
        {
            json.WriteStartArray();
            json.WriteStartObject();
            json.WriteString("text", ContentPreparation.CutLabel(choice.Title, TelegramOptions.Limits.Buttons.Title));
            json.WriteString("callback_data", choice.Id);
            json.WriteEndObject();
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
