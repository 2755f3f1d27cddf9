using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Channels.WhatsApp;

/// <summary>Sends through the WhatsApp Cloud API, or whatever stands at the channel's base URL and speaks its protocol.</summary>
internal sealed partial class WhatsAppConnector(PlatformHttp http, WhatsAppOptions options, ILogger<WhatsAppConnector> logger) : IChannelConnector
{
    /// <summary>Name of the HTTP client.</summary>
    public const string Client = "whatsapp";

    private readonly ConditionalWeakTable<ChannelSettings, Endpoint> _endpoints = [];

    public string Platform => "whatsapp";

    public double SendRatePerSecond => options.SendRatePerSecond;

    public (int Burst, TimeSpan Refill) PairLimit => (45, TimeSpan.FromSeconds(6));

    public bool ReportsCorrelation => true;

    public TimeSpan? ServiceWindow => TimeSpan.FromHours(24);

    public ContentParts Prepare(OutgoingContent content) => ContentPreparation.Prepare(content, WhatsAppOptions.Limits);

    public async Task<SendResult> Send(ChannelSettings channel, OutboundMessage message, CancellationToken cancellationToken)
    {
        var endpoint = EndpointOf(channel);
        if (endpoint.Url is null)
        {
            return new SendResult(SendOutcome.ChannelBroken, ErrorCode: "incomplete", Error: endpoint.Error);
        }

        if (WhatsAppRequest.Message(message, options) is not { } body)
        {
            return new SendResult(SendOutcome.Permanent, ErrorCode: "content_type", Error: $"WhatsApp can't send content of type {message.Content.ContentType}.");
        }

        var answer = await http.Post(Client, endpoint.Url, body, endpoint.Token, cancellationToken).ConfigureAwait(false);
        return answer.Failure ?? WhatsAppErrors.Read(answer.Status, answer.Body, answer.RetryAfter, message.Attempt, options.LongestPairWait);
    }

    public PlatformVerdict Judge(in PlatformError error) => WhatsAppErrors.Judge(error);

    public async Task MarkReadAndTyping(ChannelSettings channel, string recipient, string platformMessageId, bool typing, CancellationToken cancellationToken)
    {
        if (EndpointOf(channel) is { Url: { } url, Token: var token })
        {
            var answer = await http.Post(Client, url, WhatsAppRequest.Read(platformMessageId, typing), token, cancellationToken).ConfigureAwait(false);
            if (answer.Failure is not null || answer.Status is < 200 or >= 300)
            {
                LogNotMarked(channel.Id, answer.Status);
            }
        }
    }

    /// <summary>
    /// Asks for the number with a proof of the app's secret, which the Graph API checks whenever one is given: only who has a token for the number, of an app whose secret he has too,
    /// gets an answer.
    /// </summary>
    public async Task<bool?> ConfirmAccount(ChannelSettings channel, CancellationToken cancellationToken)
    {
        if (channel.ApiBaseUrl is not null || channel.PlatformChannelId is not { Length: > 0 } number
            || channel.Credentials.GetValueOrDefault(CredentialNames.AccessToken) is not { Length: > 0 } token || channel.Credentials.GetValueOrDefault(CredentialNames.AppSecret) is not { Length: > 0 } secret)
        {
            return channel.ApiBaseUrl is null ? false : null;
        }
        var proof = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(token)));
        var answer = await http.Get(
            Client, new Uri($"{options.BaseUrl.TrimEnd('/')}/{options.GraphVersion}/{Uri.EscapeDataString(number)}?fields=id&appsecret_proof={proof}"), token, cancellationToken).ConfigureAwait(false);
        return answer.Status switch
        {
            >= 200 and < 300 => IsOf(number, answer.Body),
            429 => null,
            >= 400 and < 500 => false,
            _ => null,
        };
    }

    private static bool IsOf(string number, byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.String && id.GetString() == number;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private Endpoint EndpointOf(ChannelSettings channel) => _endpoints.GetValue(channel, settings =>
    {
        var token = settings.Credentials.GetValueOrDefault(CredentialNames.AccessToken);
        return string.IsNullOrEmpty(token) ? new Endpoint(null, null, "The channel has no credentials.accessToken.")
            : string.IsNullOrEmpty(settings.PlatformChannelId) ? new Endpoint(null, null, "The channel has no platformChannelId, the phone number's id.")
            : Uri.TryCreate($"{(settings.ApiBaseUrl ?? options.BaseUrl).TrimEnd('/')}/{options.GraphVersion}/{Uri.EscapeDataString(settings.PlatformChannelId)}/messages", UriKind.Absolute, out var url)
                ? new Endpoint(url, token, null)
                : new Endpoint(null, null, "The channel's settings.apiBaseUrl is not a URL.");
    });

    private sealed record Endpoint(Uri? Url, string? Token, string? Error);

    [LoggerMessage(2301, LogLevel.Debug, "A read mark of channel {ChannelId} was not taken ({Status})")]
    private partial void LogNotMarked(Guid channelId, int status);
}
