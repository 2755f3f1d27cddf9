namespace AgentPlatform.Grains.Agents;

/// <summary>Settings of a turn (section <c>Engine:Agents</c>).</summary>
public sealed record AgentOptions
{
    /// <summary>Messages of the conversation that an agent remembers, the ones to answer included. Default 20.</summary>
    public int HistoryMessages { get; init; } = 20;

    /// <summary>Most of the history that goes into a prompt, in estimated tokens; the oldest messages are left out first. Default 4,000.</summary>
    public int HistoryTokens { get; init; } = 4000;

    /// <summary>Longest message that goes into a prompt, in characters; the rest of a longer one is left out. Default 8,000.</summary>
    public int MessageLength { get; init; } = 8000;

    /// <summary>Longest answer to a customer, in characters; a longer one is cut at a sentence's end. Default 4,000.</summary>
    public int MaxReplyLength { get; init; } = 4000;

    /// <summary>Longest answer of the built-in responder, in characters. Default 700.</summary>
    public int MaxExtractLength { get; init; } = 700;

    /// <summary>Organizations whose configuration is kept in memory. Default 10,000.</summary>
    public int CachedOrganizations { get; init; } = 10_000;

    /// <summary>Bytes of the configurations that are kept in memory. Default 128 MiB.</summary>
    public long CachedBytes { get; init; } = 128L * 1024 * 1024;

    /// <summary>Null when the settings can be used, else what is wrong.</summary>
    public string? Problem() =>
        HistoryMessages <= 0 || HistoryTokens <= 0 || MessageLength <= 0 || MaxReplyLength <= 0 || MaxExtractLength <= 0 || CachedOrganizations <= 0 || CachedBytes <= 0
            ? "Engine:Agents: HistoryMessages, HistoryTokens, MessageLength, MaxReplyLength, MaxExtractLength, CachedOrganizations and CachedBytes must be positive."
            : null;
}
