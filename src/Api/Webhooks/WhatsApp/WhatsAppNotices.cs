using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>What the platform itself has to say: that a person goes by another id, and what went wrong.</summary>
internal static class WhatsAppNotices
{
    /// <summary>The events of a change <c>user_id_update</c>: the person got another business-scoped id.</summary>
    public static void UserIdUpdates(ReadOnlySpan<byte> array, ref WhatsAppChange change, WhatsAppEvents events)
    {
        if (array.IsEmpty)
        {
            return;
        }

        using var document = JsonText.Parse(array);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        foreach (var update in document.RootElement.EnumerateArray())
        {
            var ids = update.Object("user_id");
            var previous = ids?.Text("previous");
            var current = ids?.Text("current");
            if (current is null || !change.TryIdentify(null, previous ?? current, out var contact))
            {
                events.Unattributable++;
                continue;
            }

            contact = (previous is null || previous == current ? contact : contact.With(previous, isGivenUp: true)).With(current).With(update.Text("wa_id"));
            events.Add(new(change.PhoneNumberId, contact, new InboundMessage
            {
                PlatformMessageId = JsonText.Cut($"user_id_update:{previous}:{current}", JsonText.MaxIdLength),
                ContentType = ContentTypes.System,
                Text = update.Text("detail", JsonText.MaxTextLength),
                Payload = JsonText.WriteObject(update, static (json, update) =>
                {
                    json.WriteString("type", "user_id_update");
                    json.WriteCopy("raw", update);
                }),
                PlatformTimestamp = JsonText.UnixTime(update.Text("timestamp")),
            }, null));
        }
    }

    /// <summary>The codes of <c>value.errors</c>.</summary>
    public static void PlatformErrors(ReadOnlySpan<byte> array, WhatsAppEvents events)
    {
        if (!array.IsEmpty)
        {
            (events.PlatformErrors ??= []).Add(Error(array).Code ?? "unknown");
        }
    }

    /// <summary>Code, subcode and text of the first of some <c>errors</c>.</summary>
    public static (string? Code, string? Subcode, string? Text) Error(ReadOnlySpan<byte> array)
    {
        if (array.IsEmpty)
        {
            return default;
        }

        using var document = JsonText.Parse(array);
        var first = document.RootElement is { ValueKind: JsonValueKind.Array } errors && errors.GetArrayLength() > 0 ? errors[0] : default;
        var title = first.Text("message") ?? first.Text("title");
        var details = first.ValueKind == JsonValueKind.Object ? first.Object("error_data")?.Text("details", 2048) : null;
        return (first.Text("code"), first.Text("error_subcode"), title is null || details is null || details == title ? details ?? title : $"{title}: {details}");
    }

    /// <summary>
    /// The old names stay first: they lead to the conversation that the person had. They are given up as far as the notice tells their successors. The names of the members differ
    /// between versions of the API.
    /// </summary>
    public static PlatformContact WithNewIds(PlatformContact contact, JsonElement message)
    {
        if (message.Object("system") is not { } notice || notice.Text("type") is not { } type)
        {
            return contact;
        }

        var isMove = type is "user_changed_number" or "user_changed_user_id";
        var number = notice.Text("new_wa_id") ?? (isMove ? notice.Text("wa_id") : null);
        var userId = isMove ? notice.Text("user_id") : null;
        foreach (var old in contact.Identities)
        {
            contact = WhatsAppChange.PhoneOf(old) is null
                ? userId is null || userId == old ? contact : contact.With(old, isGivenUp: true)
                : number is null || number == old ? contact : contact.With(old, isGivenUp: true);
        }

        contact = contact.With(number).With(userId);
        return number is not null && WhatsAppChange.PhoneOf(number) is { } phone ? contact with { Phone = phone } : contact;
    }
}
