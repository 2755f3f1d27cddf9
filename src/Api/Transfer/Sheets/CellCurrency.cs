using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>What stands beside an amount for its currency: a code of ISO 4217, a sign, or an abbreviation that people of its country use.</summary>
internal static class CellCurrency
{
    private const int MaxLength = 4;

    /// <summary>The dollars and pesos.</summary>
    private const string Dollars = "USD ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD UYU XCD";

    /// <summary>The currencies that each stands for.</summary>
    private static readonly Dictionary<string, ImmutableArray<string>> Known = new (string Texts, string Codes)[]
    {
        ("€", "EUR"), ("₽ руб руб.", "RUB"), ("₴ грн грн.", "UAH"), ("₸", "KZT"), ("₺", "TRY"), ("₹", "INR"), ("₪", "ILS"), ("₫", "VND"), ("₱", "PHP CUP"), ("₼", "AZN"), ("₾", "GEL"), ("₡", "CRC"),
        ("₦", "NGN"), ("₲", "PYG"), ("₵", "GHS"), ("₭", "LAK"), ("₮", "MNT"), ("₩ \uFFE6", "KRW KPW"), ("₨", "INR LKR MUR NPR PKR SCR"), ("฿", "THB"), ("៛", "KHR"), ("৳", "BDT"), ("؋", "AFN"), ("֏", "AMD"), ("\u20C0", "KGS"),
        ("R$", "BRL"), ("US$", "USD"), ("C$", "CAD NIO"), ("CA$", "CAD"), ("A$", "AUD"), ("AU$", "AUD"), ("NZ$", "NZD"), ("HK$", "HKD"), ("MX$", "MXN"), ("S$", "SGD"), ("NT$", "TWD"),
        ("zł", "PLN"), ("Kč", "CZK"), ("Ft", "HUF"), ("лв лв.", "BGN"), ("lei", "RON MDL"), ("Fr Fr. SFr SFr.", "CHF"),
        ("$ \uFF04 \uFE69", Dollars), ("£ \uFFE1 ₤", "GBP EGP FKP GIP LBP SDG SHP SSP SYP"), ("¥ \uFFE5", "JPY CNY"), ("円", "JPY"), ("元", "CNY"), ("kr kr.", "SEK NOK DKK ISK"),
    }.SelectMany(entry => entry.Texts.Split(' ').Select(text => (Text: text, Codes: entry.Codes.Split(' ').ToImmutableArray()))).ToDictionary(entry => entry.Text, entry => entry.Codes, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a text says a currency, or is the sign of one that isn't known here.</summary>
    public static bool Is(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MaxLength && ((text.Length == 1 && char.GetUnicodeCategory(text[0]) == UnicodeCategory.CurrencySymbol) || !CodesOf(text.ToString()).IsEmpty);

    /// <summary>The codes of those that it may be; none for a sign that isn't known.</summary>
    public static ImmutableArray<string> CodesOf(string text) =>
        Known.TryGetValue(text, out var codes) ? codes : Currencies.Codes.Contains(text, StringComparer.OrdinalIgnoreCase) ? [text.ToUpperInvariant()] : [];
}
