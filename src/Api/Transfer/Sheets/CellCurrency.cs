using System.Globalization;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>What stands beside an amount for its currency: a code of ISO 4217, a sign, or an abbreviation that people of its country use.</summary>
internal static class CellCurrency
{
    private const int MaxLength = 4;

    /// <summary>What stands for one currency alone. Of <c>$</c>, <c>£</c>, <c>¥</c> and <c>kr</c> there are several.</summary>
    private static readonly Dictionary<string, string> Known = new (string Text, string Code)[]
    {
        ("€", "EUR"), ("₽", "RUB"), ("руб", "RUB"), ("руб.", "RUB"), ("₴", "UAH"), ("грн", "UAH"), ("грн.", "UAH"), ("₸", "KZT"), ("₺", "TRY"), ("₹", "INR"), ("₪", "ILS"), ("₫", "VND"), ("₱", "PHP"), ("₼", "AZN"), ("₾", "GEL"),
        ("R$", "BRL"), ("US$", "USD"), ("C$", "CAD"), ("CA$", "CAD"), ("A$", "AUD"), ("AU$", "AUD"), ("NZ$", "NZD"), ("HK$", "HKD"), ("MX$", "MXN"),
        ("zł", "PLN"), ("Kč", "CZK"), ("Ft", "HUF"), ("лв", "BGN"), ("лв.", "BGN"), ("lei", "RON"), ("Fr", "CHF"), ("Fr.", "CHF"), ("SFr", "CHF"), ("SFr.", "CHF"),
    }.ToDictionary(entry => entry.Text, entry => entry.Code, StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> Shared = new(["kr", "kr."], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a text says a currency.</summary>
    public static bool Is(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxLength
        && ((text.Length == 1 && char.GetUnicodeCategory(text[0]) == UnicodeCategory.CurrencySymbol) || (text.ToString() is var name && (Known.ContainsKey(name) || Shared.Contains(name) || IsCode(name))));

    /// <summary>Its code; null where it may be one of several.</summary>
    public static string? CodeOf(string text) => Known.TryGetValue(text, out var code) ? code : IsCode(text) ? text.ToUpperInvariant() : null;

    private static bool IsCode(string text) => Currencies.Codes.Contains(text, StringComparer.OrdinalIgnoreCase);
}
