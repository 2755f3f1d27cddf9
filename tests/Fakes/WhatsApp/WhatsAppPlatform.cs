namespace AgentPlatform.Fakes.WhatsApp;

/// <summary>The platform's side of a channel: delivers signed webhooks.</summary>
/// <param name="client">Used as it is.</param>
/// <param name="webhookUrl">A channel's address, or that of an app.</param>
/// <param name="appSecret">What signs.</param>
public sealed class WhatsAppPlatform(HttpClient client, Uri webhookUrl, string appSecret)
{
    /// <summary>Delivers a body once.</summary>
    public async Task<HttpResponseMessage> Deliver(byte[] body, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, webhookUrl) { Content = new ByteArrayContent(body) { Headers = { { "Content-Type", "application/json" } } } };
        request.Headers.Add(WhatsAppBodies.SignatureHeader, WhatsAppBodies.Sign(body, appSecret));
        return await client.SendAsync(request, cancellationToken);
    }

    /// <summary>Delivers the receipts of a message that the emulator accepted.</summary>
    public async Task DeliverReceipts(GraphMessage message, params string[] statuses)
    {
        foreach (var status in statuses)
        {
            using var answer = await Deliver(WhatsAppBodies.Status(message.PhoneNumberId, message.Recipient, message.Id, status, message.Callback));
            answer.EnsureSuccessStatusCode();
        }
    }
}
