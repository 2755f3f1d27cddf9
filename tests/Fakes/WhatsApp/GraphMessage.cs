using System.Text.Json;
using AgentPlatform.Fakes.Platforms;

namespace AgentPlatform.Fakes.WhatsApp;

/// <summary>A message that the emulated Graph API accepted.</summary>
/// <param name="Id">The <c>wamid</c> that it was given.</param>
/// <param name="Recipient">What stood in <c>to</c> or <c>recipient</c>.</param>
/// <param name="IsUserId">True when it was sent to a business-scoped user id.</param>
/// <param name="Text">Body, caption, or the text above choices.</param>
/// <param name="Callback"><c>biz_opaque_callback_data</c>.</param>
/// <param name="Body">The whole request.</param>
public sealed record GraphMessage(string PhoneNumberId, string Id, string Recipient, bool IsUserId, string Type, string? Text, string? Callback, string? ReplyTo, JsonElement Body);

/// <summary>A read mark that the emulated Graph API accepted.</summary>
public sealed record GraphReadMark(string PhoneNumberId, string MessageId, bool Typing);

/// <summary>The rules of <c>POST /{version}/{phone-number-id}/messages</c>, as strict as documented.</summary>
internal static class GraphRules
{
    /// <summary>Checks a read mark.</summary>
    public static GraphReadMark ReadMark(string phoneNumberId, StrictJson body)
    {
        body.OneOf("messaging_product", "whatsapp");
        body.OneOf("status", "read");
        var id = body.Text("message_id", 1, 512);
        var typing = body.Has("typing_indicator");
        if (typing)
        {
            var indicator = body.Object("typing_indicator");
            indicator.OneOf("type", "text");
            indicator.Done();
        }

        body.Done();
        return new GraphReadMark(phoneNumberId, id, typing);
    }

    /// <summary>Checks a message.</summary>
    public static GraphMessage Message(string phoneNumberId, string id, JsonElement root)
    {
        var body = new StrictJson(root, "body");
        body.OneOf("messaging_product", "whatsapp");
        if (body.Has("recipient_type"))
        {
            body.OneOf("recipient_type", "individual");
        }

        var isUserId = !body.Has("to");
        var recipient = isUserId ? UserId(body.Text("recipient", 3, 150)) : Number(body.Text("to", 5, 20));
        var type = body.OneOf("type", "text", "image", "audio", "video", "document", "interactive");
        var callback = body.OptionalText("biz_opaque_callback_data", 1, 512);
        string? replyTo = null;
        if (body.Has("context"))
        {
            var context = body.Object("context");
            replyTo = context.Text("message_id", 1, 512);
            context.Done();
        }

        var content = body.Object(type);
        var text = type switch
        {
            "text" => Text(content),
            "interactive" => Interactive(content),
            _ => Media(content, type),
        };
        content.Done();
        body.Done();
        return new GraphMessage(phoneNumberId, id, recipient, isUserId, type, text, callback, replyTo, root.Clone());
    }

    private static string Number(string to) =>
        to.TrimStart('+') is var digits && digits.All(char.IsAsciiDigit) ? digits : throw new RejectedException("body.to must be a phone number");

    private static string UserId(string recipient) =>
        recipient.Length > 3 && char.IsAsciiLetterUpper(recipient[0]) && char.IsAsciiLetterUpper(recipient[1]) && recipient[2] == '.'
            ? recipient
            : throw new RejectedException("body.recipient must be a business-scoped user id");

    private static string Text(StrictJson text)
    {
        text.OptionalBoolean("preview_url");
        return text.Text("body", 1, 4096);
    }

    private static string? Media(StrictJson media, string type)
    {
        if (media.Has("id") == media.Has("link"))
        {
            throw new RejectedException($"body.{type} needs an id or a link, not both");
        }

        media.OptionalText("id", 1, 512);
        if (media.OptionalText("link", 1, 2048) is { } link && !(Uri.TryCreate(link, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
        {
            throw new RejectedException($"body.{type}.link must be an http(s) URL");
        }

        if (type == "document")
        {
            media.OptionalText("filename", 1, 240);
        }

        return type == "audio" ? null : media.OptionalText("caption", 1, 1024);
    }

    private static string Interactive(StrictJson interactive)
    {
        var isList = interactive.OneOf("type", "button", "list") == "list";
        var body = interactive.Object("body");
        var text = body.Text("text", 1, isList ? 4096 : 1024);
        body.Done();
        var action = interactive.Object("action");
        var ids = new HashSet<string>(StringComparer.Ordinal);
        if (isList)
        {
            action.Text("button", 1, 20);
            var sections = action.Objects("sections", 1, 10);
            foreach (var section in sections)
            {
                if (sections.Length > 1)
                {
                    section.Text("title", 1, 24);
                }

                foreach (var row in section.Objects("rows", 1, 10))
                {
                    Unique(ids, row.Text("id", 1, 200));
                    row.Text("title", 1, 24);
                    row.OptionalText("description", 1, 72);
                    row.Done();
                }

                section.Done();
            }

            if (ids.Count > 10)
            {
                throw new RejectedException("body.interactive.action.sections may have 10 rows in all");
            }
        }
        else
        {
            foreach (var button in action.Objects("buttons", 1, 3))
            {
                button.OneOf("type", "reply");
                var reply = button.Object("reply");
                Unique(ids, reply.Text("id", 1, 256));
                reply.Text("title", 1, 20);
                reply.Done();
                button.Done();
            }
        }

        action.Done();
        return text;
    }

    private static void Unique(HashSet<string> ids, string id)
    {
        if (!ids.Add(id))
        {
            throw new RejectedException($"Two choices have the id {id}");
        }
    }
}
