namespace AgentPlatform.Api.Webhooks;

/// <summary>What a log line says of the events that it is about.</summary>
internal static class WebhookLog
{
    /// <summary>Most ids that one line names.</summary>
    private const int MaxNames = 10;

    /// <summary>Ids in a line: the first few, and how many more there are. A name of a platform's is no longer here than there, and breaks no line.</summary>
    public static string Names(IReadOnlyCollection<string> ids) =>
        ids.Count == 0 ? "no message" : string.Join(", ", ids.Take(MaxNames).Select(Plain)) + (ids.Count > MaxNames ? $" and {ids.Count - MaxNames} more" : "");

    private static string Plain(string id) => string.Concat(id.Take(256).Select(character => char.IsControl(character) ? '?' : character));
}
