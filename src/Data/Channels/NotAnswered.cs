using System.Collections.Frozen;

namespace AgentPlatform.Data.Channels;

/// <summary>Why nobody answers in a channel: the codes that <c>channel_answer</c> gives, and what they mean.</summary>
public static class NotAnswered
{
    private static readonly FrozenDictionary<string, string> Words = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["channel_inactive"] = "The channel is switched off (isActive).",
        ["bot_inactive"] = "Answers are switched off for the channel (isBotActive).",
        ["organization_ai_disabled"] = "Answers are switched off for the whole organization (aiEnabled).",
        ["agent_inactive"] = "The channel's own agent (agentId) is not active.",
        ["no_active_agent"] = "The channel names no agent, and the organization has no active agent to answer instead.",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>All codes.</summary>
    public static string[] Codes { get; } = [.. Words.Keys.Order(StringComparer.Ordinal)];

    /// <summary>A code in plain words; a code that this build doesn't know is its own.</summary>
    public static string Describe(string code) => Words.GetValueOrDefault(code, code);
}
