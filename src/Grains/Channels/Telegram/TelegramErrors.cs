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
            if (parameters?.Whole("retry_after") is >= 0 and <= 86_400 and var seconds)
            {
                retryAfter = TimeSpan.FromSeconds(seconds);
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
            400 when IsGone(description) => SendOutcome.Unreachable,
            409 => SendOutcome.Passing,
            502 or 504 when !isJson => SendOutcome.Doubtful, // a gateway gave up on the platform, which may have accepted it
            408 or >= 500 => SendOutcome.Passing,
            _ => SendOutcome.Permanent,
        };
        return new SendResult(outcome, ErrorCode: code.ToString(CultureInfo.InvariantCulture), Error: description ?? $"The platform answered {status}.", RetryAfter: retryAfter);
    }

    private static bool IsGone(string? description) =>
        description is not null && (Says(description, "chat not found") || Says(description, "user not found") || Says(description, "have no rights to send")
            || Says(description, "not enough rights to send") || Says(description, "CHAT_WRITE_FORBIDDEN") || Says(description, "PEER_ID_INVALID"));

    private static bool Says(string description, string words) => description.Contains(words, StringComparison.OrdinalIgnoreCase);

    private static SendResult Unreadable() =>
        new(SendOutcome.Doubtful, ErrorCode: "answer_unreadable", Error: "The platform accepted the message but its answer can't be read.");
}
