using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Channels.Telegram;

/// <summary>Sends through the Telegram Bot API. The URL holds the bot's token: it is never logged, nor put into an error.</summary>
internal sealed partial class TelegramConnector(PlatformHttp http, TelegramOptions options, ILogger<TelegramConnector> logger) : IChannelConnector
{
    /// <summary>Name of the HTTP client.</summary>
    public const string Client = "telegram";

    public string Platform => "telegram";

    public double SendRatePerSecond => options.SendRatePerSecond;

    public (int Burst, TimeSpan Refill) PairLimit => (3, TimeSpan.FromSeconds(1));

    public bool ReportsCorrelation => false;

    public TimeSpan? ServiceWindow => null;

    public ContentParts Prepare(OutgoingContent content) => ContentPreparation.Prepare(content, TelegramOptions.Limits);

    public async Task<SendResult> Send(ChannelSettings channel, OutboundMessage message, CancellationToken cancellationToken)
    {
        if (TelegramRequest.MethodFor(message.Content.ContentType) is not { } method)
        {
            return new SendResult(SendOutcome.Permanent, ErrorCode: "content_type", Error: $"Telegram can't send content of type {message.Content.ContentType}.");
        }

        if (TelegramChat.Parse(message.Recipient) is not { } chat)
        {
            return new SendResult(SendOutcome.Permanent, ErrorCode: "recipient", Error: "The recipient is not a chat's id.");
        }

        if (UrlOf(channel, method) is not { } url)
        {
            return new SendResult(SendOutcome.ChannelBroken, ErrorCode: "incomplete", Error: "The channel has no credentials.botToken, or its settings.apiBaseUrl is not a URL.") { Trouble = ChannelTrouble.Token };
        }

        var (result, movedTo) = await SendTo(url, chat, message, cancellationToken).ConfigureAwait(false);
        if (movedTo is null)
        {
            return result;
        }

        var moved = chat with { ChatId = movedTo.Value };
        return (await SendTo(url, moved, message, cancellationToken).ConfigureAwait(false)).Result with { MovedTo = moved.ToString() };
    }

    public async Task MarkReadAndTyping(ChannelSettings channel, string recipient, string platformMessageId, bool typing, CancellationToken cancellationToken)
    {
        // A bot can't mark messages as read.
        if (typing && TelegramChat.Parse(recipient) is { } chat && UrlOf(channel, "sendChatAction") is { } url)
        {
            var answer = await http.Post(Client, url, TelegramRequest.Typing(chat), null, cancellationToken).ConfigureAwait(false);
            if (answer.Failure is not null || answer.Status is < 200 or >= 300)
            {
                LogNotShown(channel.Id, answer.Status);
            }
        }
    }

    private async Task<(SendResult Result, long? MovedTo)> SendTo(Uri url, TelegramChat chat, OutboundMessage message, CancellationToken cancellationToken)
    {
        var answer = await http.Post(Client, url, TelegramRequest.Message(chat, message), null, cancellationToken).ConfigureAwait(false);
        if (answer.Failure is { } failure)
        {
            return (failure, null);
        }

        var result = TelegramErrors.Read(answer.Status, answer.Body, answer.RetryAfter, out var movedTo);
        return (result.PlatformMessageId is { } id ? result with { PlatformMessageId = chat.Scoped(id) } : result, movedTo);
    }

    private Uri? UrlOf(ChannelSettings channel, string method) =>
        channel.Credentials.GetValueOrDefault(CredentialNames.BotToken) is { Length: > 0 } token
        && Uri.TryCreate($"{(channel.ApiBaseUrl ?? options.BaseUrl).TrimEnd('/')}/bot{token}/{method}", UriKind.Absolute, out var url) ? url : null;

    [LoggerMessage(2311, LogLevel.Debug, "A typing sign of channel {ChannelId} was not taken ({Status})")]
    private partial void LogNotShown(Guid channelId, int status);
}
