using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Fakes.WhatsApp;

/// <summary>Webhook bodies as Meta sends them: characters outside ASCII are escaped.</summary>
public static class WhatsAppBodies
{
    /// <summary>The header's name.</summary>
    public const string SignatureHeader = "X-Hub-Signature-256";

    private static readonly JsonSerializerOptions Escaping = new() { Encoder = JavaScriptEncoder.Default };

    /// <summary>The header's value for a body under an app's secret.</summary>
    public static string Sign(ReadOnlySpan<byte> body, string appSecret) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(appSecret), body));

    /// <summary>One plain text message.</summary>
    public static byte[] Text(string phoneNumberId, string from, string id, string text, string name = "Test Name", DateTimeOffset? at = null) =>
        Messages(phoneNumberId, Contact(from, name), TextMessage(from, id, text, at));

    /// <summary>One body with one change that holds messages.</summary>
    public static byte[] Messages(string phoneNumberId, JsonObject? contact, params JsonObject[] messages) =>
        Body(Change(phoneNumberId, "messages", value =>
        {
            if (contact is not null)
            {
                value["contacts"] = new JsonArray(contact);
            }

            value["messages"] = new JsonArray([.. messages]);
        }));

    /// <summary>One body with one change that holds a status.</summary>
    /// <param name="callback">The <c>biz_opaque_callback_data</c> of the send.</param>
    /// <param name="errorCode">For <c>failed</c>.</param>
    public static byte[] Status(string phoneNumberId, string recipient, string id, string status, string? callback = null, int? errorCode = null, DateTimeOffset? at = null) =>
        Body(Change(phoneNumberId, "messages", value => value["statuses"] = new JsonArray(StatusOf(recipient, id, status, callback, errorCode, at))));

    /// <summary>A status object.</summary>
    public static JsonObject StatusOf(string recipient, string id, string status, string? callback = null, int? errorCode = null, DateTimeOffset? at = null)
    {
        var item = new JsonObject
        {
            ["id"] = id,
            ["status"] = status,
            ["timestamp"] = Seconds(at),
            [char.IsAsciiDigit(recipient[0]) ? "recipient_id" : "recipient_user_id"] = recipient,
        };
        if (callback is not null)
        {
            item["biz_opaque_callback_data"] = callback;
        }

        if (errorCode is { } code)
        {
            item["errors"] = new JsonArray(new JsonObject { ["code"] = code, ["title"] = "Emulated error", ["error_data"] = new JsonObject { ["details"] = "An emulated failure" } });
        }

        return item;
    }

    /// <summary>A text message object.</summary>
    public static JsonObject TextMessage(string from, string id, string text, DateTimeOffset? at = null) => new()
    {
        ["from"] = from,
        ["id"] = id,
        ["timestamp"] = Seconds(at),
        ["text"] = new JsonObject { ["body"] = text },
        ["type"] = "text",
    };

    /// <summary>An item of <c>contacts</c>.</summary>
    public static JsonObject Contact(string waId, string name, string? userId = null)
    {
        var contact = new JsonObject { ["profile"] = new JsonObject { ["name"] = name }, ["wa_id"] = waId };
        if (userId is not null)
        {
            contact["user_id"] = userId;
        }

        return contact;
    }

    /// <summary>A change about one of our numbers.</summary>
    public static JsonObject Change(string phoneNumberId, string field, Action<JsonObject> fill)
    {
        var value = new JsonObject
        {
            ["messaging_product"] = "whatsapp",
            ["metadata"] = new JsonObject { ["display_phone_number"] = "15550783881", ["phone_number_id"] = phoneNumberId },
        };
        fill(value);
        return new JsonObject { ["value"] = value, ["field"] = field };
    }

    /// <summary>A body with an entry for each change.</summary>
    public static byte[] Body(params JsonObject[] changes) => Serialize(new JsonObject
    {
        ["object"] = "whatsapp_business_account",
        ["entry"] = new JsonArray([.. changes.Select(change => new JsonObject { ["id"] = "102290129340398", ["changes"] = new JsonArray(change) })]),
    });

    /// <summary>Any JSON as Meta would write it.</summary>
    public static byte[] Serialize(JsonNode node) => JsonSerializer.SerializeToUtf8Bytes(node, Escaping);

    private static string Seconds(DateTimeOffset? at) => (at ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
}
