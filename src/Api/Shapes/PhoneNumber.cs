using System.Globalization;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Shapes;

/// <summary>Phone numbers as people write them, in E.164 form.</summary>
internal static class PhoneNumber
{
    /// <summary>Longest text that is taken for a number.</summary>
    public const int MaxLength = 40;

    private const string Separators = " -./()\u2010\u2011\u2012\u2013\u2212";

    /// <summary>
    /// The number without what stands between its digits, in the digits of ASCII, without the marks of direction that address books put around it. One that does not begin with a
    /// plus is left as it is: nobody knows of which country it is. So is one with a zero in brackets, which is not dialled from abroad.
    /// </summary>
    public static string Spelling(string text)
    {
        if (text.Length > MaxLength)
        {
            return text;
        }
        var seen = string.Concat(TypedText.Identifier(text).Select(Plain));
        return seen.StartsWith('+') && !seen.Contains("(0", StringComparison.Ordinal)
            ? string.Concat(seen.Where(character => !Separators.Contains(character, StringComparison.Ordinal)))
            : seen;
    }

    private static char Plain(char character) => character switch
    {
        '\uFF0B' => '+',
        _ when CharUnicodeInfo.GetDecimalDigitValue(character) is >= 0 and var digit => (char)('0' + digit),
        _ => character,
    };
}
