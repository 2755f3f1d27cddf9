using System.Text;

namespace AgentPlatform.Fakes.Telegram;

/// <summary>The platform's side of a channel: delivers updates.</summary>
/// <param name="client">Used as it is.</param>
/// <param name="webhookUrl">A channel's address.</param>
/// <param name="secretToken">What authenticates.</param>
public sealed class TelegramPlatform(HttpClient client, Uri webhookUrl, string secretToken)
{
    /// <summary>The header's name.</summary>
    public const string SecretHeader = "X-Telegram-Bot-Api-Secret-Token";

    /// <summary>Delivers an update once.</summary>
    public async Task<HttpResponseMessage> Deliver(string update, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, webhookUrl) { Content = new StringContent(update, Encoding.UTF8, "application/json") };
        request.Headers.Add(SecretHeader, secretToken);
        return await client.SendAsync(request, cancellationToken);
    }

    /// <summary>An update with a private text message.</summary>
    public static string TextUpdate(long updateId, long chatId, long messageId, string text) =>
        $$$"""
        {"update_id":{{{updateId}}},"message":{"message_id":{{{messageId}}},"date":1750000000,
        "from":{"id":{{{chatId}}},"is_bot":false,"first_name":"Test","last_name":"Name","username":"testname","language_code":"en"},
        "chat":{"id":{{{chatId}}},"first_name":"Test","last_name":"Name","username":"testname","type":"private"},
        "text":{{{System.Text.Json.JsonSerializer.Serialize(text)}}}}}
        """;
}
