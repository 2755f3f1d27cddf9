using System.Collections.Immutable;
using AgentPlatform.Conversations;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// Decides which echoes are of what we are sending ourselves: a platform may tell of a message before it has answered the send. Pure. Such an echo names our message by
/// what was sent, for nothing else is known yet.
/// </summary>
internal static class EchoDecision
{
    /// <summary>Pairs of an echo and our message; each echo names one message, in the order in which they leave.</summary>
    public static IReadOnlyList<(InboundMessage Echo, OutboxItem Item)> Match(ImmutableArray<InboundMessage> messages, IReadOnlyList<OutboxItem> outbox)
    {
        List<(InboundMessage Echo, OutboxItem Item)>? own = null;
        foreach (var message in messages)
        {
            if (!message.IsEcho)
            {
                continue;
            }
            foreach (var item in outbox)
            {
                if (item.IsWithPlatform && !item.IsSettled && IsSame(message, item) && own?.Exists(pair => ReferenceEquals(pair.Item, item)) != true)
                {
                    (own ??= []).Add((message, item));
                    break;
                }
            }
        }
        return (IReadOnlyList<(InboundMessage, OutboxItem)>?)own ?? [];
    }

    private static bool IsSame(InboundMessage echo, OutboxItem item) =>
        Kind(echo.ContentType) == Kind(item.Content.ContentType) && Written(echo.Text).SequenceEqual(Written(item.Content.Text));

    /// <summary>Buttons and lists are told as the text above them by some.</summary>
    private static string Kind(string contentType) => contentType == ContentTypes.Interactive ? ContentTypes.Text : contentType;

    /// <summary>A text without what platforms change on its way: space at its ends and at the ends of its lines, and how lines end.</summary>
    private static string Written(string? text) =>
        text is null ? "" : string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(static line => line.TrimEnd())).Trim();
}
