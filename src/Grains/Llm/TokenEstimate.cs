namespace AgentPlatform.Grains.Llm;

/// <summary>How many tokens a text has, roughly: what a limit or a missing usage count needs. Common tokenizers take about four Latin letters a token, about two of other scripts.</summary>
internal static class TokenEstimate
{
    /// <summary>What a message costs beside its text.</summary>
    public const int PerMessage = 4;

    /// <summary>Tokens of a text; at least 1 for one that isn't empty.</summary>
    public static int Of(ReadOnlySpan<char> text)
    {
        var quarters = 0;
        foreach (var letter in text)
        {
            quarters += letter < 0x250 ? 1 : letter < 0x2E80 ? 2 : 4;
        }

        return (quarters + 3) / 4;
    }
}
