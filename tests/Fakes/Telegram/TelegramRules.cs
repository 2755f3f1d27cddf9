using System.Text;
using AgentPlatform.Fakes.Platforms;

namespace AgentPlatform.Fakes.Telegram;

/// <summary>The rules of the Bot API's methods that the product uses.</summary>
internal static class TelegramRules
{
    /// <summary>Checks a call; null when there is no such method.</summary>
    public static (long ChatId, string? Text, bool IsAction)? Check(string method, StrictJson body) => method switch
    {
        "sendMessage" => Message(body),
        "sendPhoto" => Media(body, "photo"),
        "sendAudio" => Media(body, "audio"),
        "sendVideo" => Media(body, "video"),
        "sendDocument" => Media(body, "document"),
        "sendChatAction" => Action(body),
        _ => null,
    };

    private static (long, string?, bool)? Message(StrictJson body)
    {
        var chatId = Chat(body);
        var text = body.Text("text", 1, 4096);
        if (body.Has("link_preview_options"))
        {
            var preview = body.Object("link_preview_options");
            preview.OptionalBoolean("is_disabled");
            preview.Done();
        }

        Keyboard(body);
        Reply(body);
        body.Done();
        return (chatId, text, false);
    }

    private static (long, string?, bool)? Media(StrictJson body, string member)
    {
        var chatId = Chat(body);
        body.Text(member, 1, 2048);
        var caption = body.OptionalText("caption", 0, 1024);
        Keyboard(body);
        Reply(body);
        body.Done();
        return (chatId, caption, false);
    }

    private static (long, string?, bool)? Action(StrictJson body)
    {
        var chatId = Chat(body);
        body.OneOf("action", "typing", "upload_photo", "record_voice", "upload_document");
        body.Done();
        return (chatId, null, true);
    }

    private static long Chat(StrictJson body)
    {
        if (body.Has("message_thread_id"))
        {
            body.Whole("message_thread_id");
        }

        body.OptionalText("business_connection_id", 1, 128);
        return body.Whole("chat_id");
    }

    private static void Keyboard(StrictJson body)
    {
        if (!body.Has("reply_markup"))
        {
            return;
        }

        var markup = body.Object("reply_markup");
        var rows = markup.Any("inline_keyboard");
        var buttons = 0;
        foreach (var row in rows.EnumerateArray())
        {
            foreach (var item in row.EnumerateArray())
            {
                var button = new StrictJson(item, "body.reply_markup.inline_keyboard");
                button.Text("text", 1, 128);
                if (Encoding.UTF8.GetByteCount(button.Text("callback_data", 1, 64)) > 64)
                {
                    throw new RejectedException("BUTTON_DATA_INVALID");
                }

                button.Done();
                buttons++;
            }
        }

        if (buttons is 0 or > 100)
        {
            throw new RejectedException("reply markup must have 1 to 100 buttons");
        }

        markup.Done();
    }

    private static void Reply(StrictJson body)
    {
        if (!body.Has("reply_parameters"))
        {
            return;
        }

        var reply = body.Object("reply_parameters");
        reply.Whole("message_id");
        if (reply.Has("chat_id"))
        {
            reply.Whole("chat_id");
        }

        reply.OptionalBoolean("allow_sending_without_reply");
        reply.Done();
    }
}
