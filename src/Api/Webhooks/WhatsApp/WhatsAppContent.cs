using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>Everything that a person sends besides plain text: media, choices, places, reactions, orders, edits, and what we don't know (kept with its raw form).</summary>
internal static class WhatsAppContent
{
    /// <summary>What a message of some type says, and how its own members are written into the payload.</summary>
    private readonly record struct Content(
        string Type, string? Text = null, string? Url = null, string? Metadata = null, string? ReplyTo = null, Action<Utf8JsonWriter>? Payload = null);

    /// <summary>Reads one message. A notice that the person goes by another id adds that id to the contact.</summary>
    public static InboundMessage Read(ReadOnlySpan<byte> raw, string id, DateTimeOffset? at, bool isEcho, ref PlatformContact contact)
    {
        using var document = JsonText.Parse(raw);
        var message = document.RootElement;
        var type = message.Text("type") ?? "";
        var content = Known(message, type) ?? Unsupported(message, type);
        PlatformContact? speaker = null;
        if (message.Text("group_id", JsonText.MaxIdLength) is { } group)
        {
            (speaker, contact) = (contact, GroupOf(group));
        }
        else if (type == "system")
        {
            contact = WhatsAppNotices.WithNewIds(contact, message);
        }

        return new InboundMessage
        {
            PlatformMessageId = id,
            ContentType = content.Type,
            Text = content.Text is null ? null : JsonText.Cut(content.Text, JsonText.MaxTextLength),
            AttachmentUrl = content.Url,
            AttachmentMetadata = content.Metadata,
            Payload = Payload(message, content, speaker),
            ReplyToPlatformId = content.ReplyTo ?? message.Object("context")?.Text("id", JsonText.MaxIdLength),
            PlatformTimestamp = at,
            IsEcho = isEcho,
        };
    }

    /// <summary>What is written in a group is the group's: nobody in it is answered in private.</summary>
    private static PlatformContact GroupOf(string id) => new([JsonText.Cut(GroupName.Prefix + id, ConversationKey.MaxPlatformUserIdLength)], IsGroup: true);

    private static Content? Known(JsonElement message, string type) => type switch
    {
        "text" => message.Object("text")?.Text("body", JsonText.MaxTextLength) is { } body ? new Content(ContentTypes.Text, body) : null,
        "image" => Media(message, type, ContentTypes.Image),
        "video" => Media(message, type, ContentTypes.Video),
        "audio" or "voice" => Media(message, type, ContentTypes.Audio),
        "document" => Media(message, type, ContentTypes.Document),
        "sticker" => Media(message, type, ContentTypes.Sticker),
        "location" => Location(message),
        "contacts" => Contacts(message),
        "reaction" => Reaction(message),
        "interactive" => Interactive(message),
        "button" => Button(message),
        "order" => Order(message),
        "system" => SystemNotice(message),
        "edit" => Edit(message),
        "revoke" => Revoke(message),
        _ => null,
    };

    private static Content Unsupported(JsonElement message, string type) => new(ContentTypes.Unsupported, Payload: json =>
    {
        json.WriteString("type", type);
        json.WriteCopy("raw", message);
    });

    private static Content? Media(JsonElement message, string property, string type)
    {
        if (message.Object(property) is not { } media)
        {
            return null;
        }

        var id = media.Text("id", JsonText.MaxIdLength);
        var link = media.Text("url", JsonText.MaxTextLength) ?? media.Text("link", JsonText.MaxTextLength);
        if (id is null && link is null)
        {
            return null;
        }

        var metadata = JsonText.WriteObject((media, id, link), static (json, state) =>
        {
            var (media, id, link) = state;
            json.WriteOptional("mediaId", id);
            json.WriteOptional("mimeType", media.Text("mime_type"));
            json.WriteOptional("sha256", media.Text("sha256"));
            json.WriteOptional("filename", media.Text("filename"));
            json.WriteOptional("url", link);
            foreach (var flag in (ReadOnlySpan<string>)["voice", "animated"])
            {
                if (media.IsTrue(flag))
                {
                    json.WriteBoolean(flag, true);
                }
            }
        });

        // The id can be resolved for a week; a link lives minutes.
        return new Content(type, media.Text("caption", JsonText.MaxTextLength), id is null ? link : "media:" + id, metadata);
    }

    private static Content? Location(JsonElement message)
    {
        if (message.Object("location") is not { } location || location.Text("latitude") is not { } latitude || location.Text("longitude") is not { } longitude)
        {
            return null;
        }

        string?[] parts = [location.Text("name"), location.Text("address")];
        var text = string.Join(", ", parts.Where(part => part is not null));
        return new Content(ContentTypes.Location, text.Length > 0 ? text : $"{latitude}, {longitude}", Payload: json =>
        {
            foreach (var member in (ReadOnlySpan<string>)["latitude", "longitude", "name", "address", "url"])
            {
                if (location.TryGetProperty(member, out var value))
                {
                    json.WriteCopy(member, value);
                }
            }
        });
    }

    private static Content? Contacts(JsonElement message)
    {
        if (!message.TryGetProperty("contacts", out var contacts) || contacts.ValueKind != JsonValueKind.Array || contacts.GetArrayLength() == 0)
        {
            return null;
        }

        var lines = contacts.EnumerateArray().Select(card => string.Join(", ",
            new[] { card.Object("name")?.Text("formatted_name") ?? card.Object("name")?.Text("first_name") }
                .Concat(card.Items("phones").Select(phone => phone.Text("phone")))
                .Concat(card.Items("emails").Select(email => email.Text("email")))
                .Where(part => part is not null)));
        return new Content(ContentTypes.Contacts, string.Join('\n', lines), Payload: json => json.WriteCopy("contacts", contacts));
    }

    private static Content? Reaction(JsonElement message)
    {
        if (message.Object("reaction") is not { } reaction || reaction.Text("message_id", JsonText.MaxIdLength) is not { } target)
        {
            return null;
        }

        var emoji = reaction.Text("emoji");
        return new Content(ContentTypes.Reaction, emoji, ReplyTo: target, Payload: json =>
        {
            json.WriteString("messageId", target);
            json.WriteOptional("emoji", emoji);
            if (emoji is null)
            {
                json.WriteBoolean("removed", true);
            }
        });
    }

    private static Content? Interactive(JsonElement message)
    {
        var interactive = message.Object("interactive");
        var type = interactive?.Text("type");
        if (type is null || interactive?.Object(type) is not { } reply)
        {
            return null;
        }

        return type switch
        {
            "button_reply" or "list_reply" => Choice(type, reply.Text("id"), reply.Text("title"), reply.Text("description")),
            "nfm_reply" => new Content(ContentTypes.Interactive, reply.Text("body", JsonText.MaxTextLength) ?? reply.Text("name"), Payload: json =>
            {
                json.WriteString("type", "nfm_reply");
                json.WriteOptional("name", reply.Text("name"));
                json.WriteOptional("body", reply.Text("body", JsonText.MaxTextLength));
                json.WriteOptional("responseJson", reply.Text("response_json", JsonText.MaxTextLength));
            }),
            _ => null,
        };
    }

    private static Content? Button(JsonElement message) =>
        message.Object("button") is { } button && (button.Text("text") ?? button.Text("payload")) is { } title
            ? Choice("template_button", button.Text("payload"), title, null)
            : null;

    private static Content Choice(string type, string? id, string? title, string? description) => new(ContentTypes.Interactive, title ?? id, Payload: json =>
    {
        json.WriteString("type", type);
        json.WriteOptional("id", id);
        json.WriteOptional("title", title);
        json.WriteOptional("description", description);
    });

    private static Content? Order(JsonElement message)
    {
        if (message.Object("order") is not { } order)
        {
            return null;
        }

        var items = string.Join(", ", order.Items("product_items").Select(item => $"{item.Text("quantity") ?? "1"} × {item.Text("product_retailer_id") ?? "?"}"));
        string?[] lines = [order.Text("text", JsonText.MaxTextLength), items.Length > 0 ? items : null];
        return new Content(ContentTypes.Order, string.Join('\n', lines.Where(line => line is not null)), Payload: json => json.WriteCopy("order", order));
    }

    private static Content? SystemNotice(JsonElement message) =>
        message.Object("system") is { } notice
            ? new Content(ContentTypes.System, notice.Text("body", JsonText.MaxTextLength), Payload: json =>
            {
                json.WriteOptional("type", notice.Text("type"));
                json.WriteCopy("raw", notice);
            })
            : null;

    private static Content? Edit(JsonElement message)
    {
        if (message.Object("edit") is not { } edit || edit.Text("original_message_id", JsonText.MaxIdLength) is not { } target || edit.Object("message") is not { } changed)
        {
            return null;
        }

        var content = changed.Text("type") is { } type and not ("edit" or "revoke") ? Known(changed, type) : null;
        return new Content(ContentTypes.Edit, content?.Text, content?.Url, content?.Metadata, target, Payload: json =>
        {
            json.WriteString("messageId", target);
            json.WriteCopy("message", changed);
        });
    }

    private static Content? Revoke(JsonElement message) =>
        message.Object("revoke")?.Text("original_message_id", JsonText.MaxIdLength) is { } target
            ? new Content(ContentTypes.Revoke, ReplyTo: target, Payload: json => json.WriteString("messageId", target))
            : null;

    /// <summary>The content's own members, and what any message may carry: the ad that it came from, that it was forwarded, what the platform couldn't do.</summary>
    private static string? Payload(JsonElement message, Content content, PlatformContact? speaker)
    {
        var referral = message.Object("referral");
        var context = message.Object("context");
        var isForwarded = context?.IsTrue("forwarded") == true || context?.IsTrue("frequently_forwarded") == true;
        var product = context?.Object("referred_product");
        var isRaw = content.Type == ContentTypes.Unsupported; // holds all of it already
        if (content.Payload is null && referral is null && product is null && !isForwarded && speaker is null)
        {
            return null;
        }

        return JsonText.WriteObject((content, referral, product, isForwarded, isRaw, speaker), static (json, state) =>
        {
            state.content.Payload?.Invoke(json);
            if (state.speaker is { } speaker)
            {
                json.WriteStartObject("from");
                json.WriteString("id", speaker.Identities[0]);
                json.WriteOptional("name", speaker.Name);
                json.WriteOptional("username", speaker.Username);
                json.WriteOptional("phone", speaker.Phone);
                json.WriteEndObject();
            }

            if (state.isRaw)
            {
                return;
            }

            if (state.referral is { } referral)
            {
                json.WriteCopy("referral", referral);
            }

            if (state.product is { } product)
            {
                json.WriteCopy("referredProduct", product);
            }

            if (state.isForwarded)
            {
                json.WriteBoolean("forwarded", true);
            }
        });
    }
}
