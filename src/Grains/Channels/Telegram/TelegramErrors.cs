using System.Globalization;
using System.Text.Json;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Grains.Channels.Telegram;

/// <summary>What to do about an answer of the Bot API.</summary>
internal static class TelegramErrors
{
    /// <summary>Reads an answer to a send.</summary>
    /// <param name="movedTo">The group has become a supergroup with this chat id: send there.</param>
    public static SendResult Read(int status, ReadOnlySpan<byte> body, TimeSpan? retryAfter, out long? movedTo)
    {
        movedTo = null;
        if (!PlatformJson.TryParseObject(body, out var document))
        {
            return Failed(status, status, null, retryAfter, isJson: false);
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.TryGetProperty("ok", out var ok) && ok.ValueKind == JsonValueKind.True)
            {
                return root.Object("result") is { } result && result.Whole("message_id") is { } message && result.Object("chat")?.Whole("id") is { } chat
                    ? new SendResult(SendOutcome.Sent, TelegramChat.MessageId(chat, message))
                    : Unreadable();
            }

            var parameters = root.Object("parameters");
            movedTo = parameters?.Whole("migrate_to_chat_id");
            if (parameters?.Whole("retry_after") is { } seconds)
            {
                retryAfter = PlatformWait.OfSeconds(seconds);
            }

            return Failed(status, root.Whole("error_code") ?? status, root.Text("description"), retryAfter, isJson: true);
        }
    }

    private static SendResult Failed(int status, long code, string? description, TimeSpan? retryAfter, bool isJson)
    {
        if (!isJson && status is >= 200 and < 300)
        {
            return Unreadable();
        }

        var outcome = code switch
        {
            429 => SendOutcome.PairThrottled, // Telegram counts by bot and chat
            401 or 404 => SendOutcome.ChannelBroken, // the token is revoked, or no token at all
            403 => SendOutcome.Unreachable,
            400 when ReasonOf(description) is not null => SendOutcome.Unreachable,
            409 => SendOutcome.Passing,
            502 or 504 when !isJson => SendOutcome.Doubtful, // a gateway gave up on the platform, which may have accepted it
            408 or >= 500 => SendOutcome.Passing,
            _ => SendOutcome.Permanent,
        };
        return new SendResult(outcome, ErrorCode: code.ToString(CultureInfo.InvariantCulture), Error: description ?? $"The platform answered {status}.", RetryAfter: retryAfter)
        {
            Trouble = outcome == SendOutcome.ChannelBroken ? ChannelTrouble.Token : ChannelTrouble.Other,
            Reason = outcome == SendOutcome.Unreachable ? ReasonOf(description) ?? "Telegram doesn't let the bot write to this chat." : null,
        };
    }

    /// <summary>
    /// Why nothing can be written to a chat any more, in plain words; null for what concerns one message only. The Bot API has no codes for it: its descriptions are what there is.
    /// </summary>
    private static string? ReasonOf(string? description)
    {
        if (description is null)
        {
            return null;
        }

        foreach (var (words, reason) in Reasons)
        {
            if (Says(description, words))
            {
                return reason;
            }
        }

        return null;
    }

    private static readonly (string Words, string Reason)[] Reasons =
    [
        ("blocked by the user", "The person has blocked the bot."),
        ("user is deactivated", "The person has deleted the Telegram account."),
        ("was kicked", "The bot was removed from the group or channel."),
        ("not a member", "The bot is not a member of the group or channel."),
        ("can't initiate conversation", "The person hasn't started the bot yet, or has stopped it."),
        ("can't send messages to bots", "The other side is a bot: bots can't write to each other."),
        ("can't send messages to the user", "The person doesn't take messages of this bot."),
        ("chat not found", "Telegram doesn't know this chat (any more)."),
        ("user not found", "Telegram doesn't know this person (any more)."),
        ("PEER_ID_INVALID", "Telegram doesn't know this chat (any more)."),
        ("USER_IS_BLOCKED", "The person has blocked the account."),
        ("INPUT_USER_DEACTIVATED", "The person has deleted the Telegram account."),
        ("group chat was deactivated", "The group was closed."),
        ("have no rights to send", "The bot may not write in this group."),
        ("not enough rights to send", "The bot may not write in this group."),
        ("need administrator rights", "The bot may not write here without being an administrator."),
        ("CHAT_WRITE_FORBIDDEN", "The bot may not write in this group."),
        ("CHAT_RESTRICTED", "The group is restricted."),
        ("CHANNEL_PRIVATE", "The bot has no access to the group or channel any more."),
        ("TOPIC_CLOSED", "The topic is closed."),
        ("TOPIC_DELETED", "The topic was deleted."),
        ("message thread not found", "The topic was deleted."),
        ("BUSINESS_CONNECTION", "The business account has disconnected the bot, or doesn't let it answer."),
        ("business connection", "The business account has disconnected the bot, or doesn't let it answer."),
        ("BUSINESS_PEER_INVALID", "The business account's settings keep the bot out of this chat."),
        ("BUSINESS_PEER_USAGE_MISSING", "The person hasn't written to the business account within the time in which the bot may answer."),
        ("USER_PRIVACY_RESTRICTED", "The person's privacy settings don't allow it."),
    ];

    private static bool Says(string description, string words) => description.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static SendResult Unreadable() =>
        new(SendOutcome.Doubtful, ErrorCode: "answer_unreadable", Error: "The platform accepted the message but its answer can't be read.");
}
