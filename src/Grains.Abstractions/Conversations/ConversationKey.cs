namespace AgentPlatform.Conversations;

/// <summary>
/// The key of a conversation's grain: the channel, and the name by which the platform calls the person. Both are in every webhook,
/// so that a message finds its grain without a look-up.
/// </summary>
public readonly record struct ConversationKey(Guid ChannelId, string PlatformUserId)
{
    /// <summary>Longest platform user id accepted, in characters (WhatsApp's business-scoped ids are the longest in use, under 70).</summary>
    public const int MaxPlatformUserIdLength = 200;

    /// <summary>The grain key: 32 hexadecimal digits of the channel, a slash, the platform's user id.</summary>
    public override string ToString() => string.Create(33 + PlatformUserId.Length, this, static (span, key) =>
    {
        key.ChannelId.TryFormat(span, out _, "N");
        span[32] = '/';
        key.PlatformUserId.CopyTo(span[33..]);
    });

    /// <summary>Reads a grain key. Throws <see cref="FormatException"/> when it is not one.</summary>
    public static ConversationKey Parse(string key) =>
        key.Length > 33 && key[32] == '/' && Guid.TryParseExact(key.AsSpan(0, 32), "N", out var channelId)
            ? new ConversationKey(channelId, key[33..])
            : throw new FormatException($"'{key}' is not a conversation key: expected 32 hexadecimal digits, a slash and a platform user id.");
}
