using System.Globalization;
using System.Text.Json;

namespace AgentPlatform.Api.Shapes;

/// <summary>Numbers as they are written: what a <see cref="decimal"/> would round, such as 1e-308 to zero, is none.</summary>
internal static class ExactNumber
{
    /// <summary>Digits that every decimal has.</summary>
    private const int Digits = 28;

    public static bool TryRead(JsonElement json, out decimal number) => json.TryGetDecimal(out number) && IsExact(json.GetRawText(), number);

    /// <summary>Without an exponent.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out decimal number) =>
        decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out number) && IsExact(text, number);

    /// <summary>Whether a number as JSON writes it has no more digits than were kept.</summary>
    private static bool IsExact(ReadOnlySpan<char> text, decimal number)
    {
        var exponent = text.IndexOfAny('e', 'E');
        var digits = string.Concat((exponent < 0 ? text : text[..exponent]).Trim("+-").ToString().Where(char.IsAsciiDigit)).Trim('0');
        return digits.Length <= Digits && (digits.Length == 0 || number != 0);
    }
}
