namespace AgentPlatform.Api.Shapes;

/// <summary>Phone numbers as people write them, in E.164 form.</summary>
internal static class PhoneNumber
{
    /// <summary>Longest text that is taken for a number.</summary>
    public const int MaxLength = 40;

    private const string Separators = " \u00A0-./()";

    /// <summary>
    /// The number without what stands between its digits. One that does not begin with a plus is left as it is: nobody knows of which country it is. So is one with a zero
    /// in brackets, which is not dialled from abroad.
    /// </summary>
    public static string Spelling(string text) =>
        text.Length <= MaxLength && text.StartsWith('+') && !text.Contains("(0", StringComparison.Ordinal)
            ? string.Concat(text.Where(character => !Separators.Contains(character, StringComparison.Ordinal)))
            : text;
}
