using System.Globalization;

namespace AgentPlatform.Grains.Channels.Telegram;

/// <summary>
/// Whom a message goes to: <c>chat</c>, <c>chat:topic</c> or <c>chat@connection</c> (a chat of a connected business account). Ids of messages are
/// <c>chat:message</c>, or <c>chat:message@connection</c>: the chats of a connected account count their messages by themselves.
/// </summary>
internal readonly record struct TelegramChat(long ChatId, long? Topic, string? Connection)
{
    /// <summary>The recipient that this is read from.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{ChatId}{(Topic is { } topic ? $":{topic.ToString(CultureInfo.InvariantCulture)}" : "")}{(Connection is null ? "" : "@" + Connection)}");

    /// <summary>Reads a recipient; null when it is none.</summary>
    public static TelegramChat? Parse(string recipient)
    {
        var at = recipient.IndexOf('@', StringComparison.Ordinal);
        var connection = at < 0 ? null : recipient[(at + 1)..];
        return ParsePair(at < 0 ? recipient : recipient[..at]) is var (chat, topic) ? new TelegramChat(chat, topic, connection) : null;
    }

    /// <summary>Reads a message's id; null when it is none of a chat's messages (a pressed button has another kind of id).</summary>
    public static (long ChatId, long MessageId)? ParseMessageId(string? platformMessageId) =>
        platformMessageId is not null && ParsePair(platformMessageId.Split('@')[0]) is var (chat, second) && second is { } message ? (chat, message) : null;

    /// <summary>A message's id.</summary>
    public static string MessageId(long chat, long message) => string.Create(CultureInfo.InvariantCulture, $"{chat}:{message}");

    /// <summary>A message's id as it is known in this chat.</summary>
    public string Scoped(string messageId) => Connection is null ? messageId : $"{messageId}@{Connection}";

    private static (long First, long? Second)? ParsePair(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (!Number(colon < 0 ? text : text[..colon], out var first))
        {
            return null;
        }

        return colon < 0 ? (first, null) : Number(text[(colon + 1)..], out var second) ? (first, second) : null;
    }

    private static bool Number(string text, out long number) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
}
