using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.Telegram;

/// <summary>
/// Takes updates of the Telegram Bot API, at an address for each channel. An authentic update is answered 200 however odd it is: Telegram holds back a
/// chat's later updates until an earlier one is taken.
/// </summary>
internal sealed partial class TelegramWebhook(IGrainFactory grains, IChannelDirectory channels, WebhookOptions options, WebhookBodies bodies, ILogger<TelegramWebhook> logger)
{
    public const string SecretHeader = "X-Telegram-Bot-Api-Secret-Token";

    private const string Platform = "telegram";

    /// <summary>POST to a channel's address.</summary>
    public async Task Receive(HttpContext context)
    {
        try
        {
            if (!Guid.TryParse(context.Request.RouteValues["channelId"] as string, out var id)
                || await channels.Find(id, context.RequestAborted) is not { Platform: Platform } channel)
            {
                await Webhook.Refuse(context, Platform, ProblemType.NotFound, "There is no such Telegram channel.");
            }
            else if (channel.Credentials.GetValueOrDefault(CredentialNames.SecretToken) is not { Length: > 0 } secret)
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.NoSecret);
            }
            else if (!Webhook.IsSecret(context.Request.Headers[SecretHeader], secret))
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.NotAuthentic);
            }
            else if (!channel.IsActive)
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.Inactive);
            }
            else
            {
                await Store(context, channel);
            }
        }
        catch (Exception failure) when (Webhook.IsAnswerable(context, failure))
        {
            await Webhook.Answer(context, Platform, failure, options, logger);
        }
    }

    private async Task Store(HttpContext context, ChannelSettings channel)
    {
        using var body = await bodies.Read(context);
        if (body.Refusal is { } refusal)
        {
            await Webhook.Refuse(context, Platform, refusal);
            return;
        }

        if (!bodies.TryTake(channel.OrganizationId, body.Bytes.Length, out var memory))
        {
            await Webhook.Refuse(context, Platform, WebhookProblems.TooManyOfOrganization(options));
            return;
        }

        using var taken = memory;

        if (!Utf8.IsValid(body.Bytes.Span))
        {
            await Webhook.Refuse(context, Platform, ProblemType.MalformedBody, "The body is not valid UTF-8.");
            return;
        }

        TelegramUpdate update;
        try
        {
            using var document = JsonText.Parse(body.Bytes.Span);
            update = TelegramUpdate.Read(document.RootElement);
        }
        catch (JsonException malformed)
        {
            LogMalformed(channel.Id, JsonText.Describe(malformed));
            await Webhook.Refuse(context, Platform, ProblemType.MalformedBody, JsonText.Describe(malformed));
            return;
        }

        var events = new InboundEvents();
        foreach (var message in update.Messages)
        {
            events.Add(channel, update.Contact, message);
        }

        await Webhook.Commit(context, Platform, events, grains, update.CallbackQueryId is { } query ? AnswerOf(query) : default);
    }

    /// <summary>The one call that may travel in the answer: it ends the button's waiting sign.</summary>
    private static ReadOnlyMemory<byte> AnswerOf(string callbackQueryId) => JsonText.WriteUtf8Object(callbackQueryId, static (json, id) =>
    {
        json.WriteString("method", "answerCallbackQuery");
        json.WriteString("callback_query_id", id);
    });

    [LoggerMessage(3121, LogLevel.Warning, "An authentic update of Telegram channel {ChannelId} is not JSON and was refused: {Reason}")]
    private partial void LogMalformed(Guid channelId, string reason);
}
