using System.Text.RegularExpressions;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>Cells that a spreadsheet has spoiled: what they held is no longer in the file.</summary>
internal static partial class CellDamage
{
    /// <summary>What happened to a text, to follow its field's name; null where nothing did.</summary>
    public static string? Of(string text) =>
        text.Length is < 3 or > 30 || !(text[0] is '#' or '+' or '-' || char.IsAsciiDigit(text[0])) ? null
        : Rounded().IsMatch(text) ? $"was a number to the spreadsheet, which has rounded it to {text}. Give the column the format Text before the values are put in, and save the file again."
        : Failed().IsMatch(text) ? $"holds {text}, by which a spreadsheet tells that it has no value or no room for it."
        : null;

    /// <summary>4,91512E+11: a number of more digits than a cell shows, such as a phone number.</summary>
    [GeneratedRegex(@"^[+-]?[0-9](?:[.,][0-9]+)?E[+][0-9]{2,3}$", RegexOptions.CultureInvariant)]
    private static partial Regex Rounded();

    /// <summary>#N/A, #NV, #REF!, #BEZUG!, #NAME?, and the number signs of a column that is too narrow.</summary>
    [GeneratedRegex(@"^(?:#{4,}|#(?:N/A|NV|N/D|[\p{Lu}/0]{2,12}[!?]))$", RegexOptions.CultureInvariant)]
    private static partial Regex Failed();
}
