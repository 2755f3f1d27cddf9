using System.Collections.Immutable;

namespace AgentPlatform.Api.Shapes;

/// <summary>The currencies of ISO 4217 that people pay with. How many decimal places each has, the database knows (<c>currency_digits</c>).</summary>
internal static class Currencies
{
    /// <summary>The largest amount of money that is kept.</summary>
    public const decimal MostMoney = 9_999_999_999.999m;

    /// <summary>Decimal places of the finest currency.</summary>
    public const int MostPlaces = 3;

    private const string FitsIts = "_fits_its_currency";

    public static readonly ImmutableArray<string> Codes =
    [
        .. """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP
        GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU
        MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND
        TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG ANG HRK SLL
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
    ];

    /// <summary>Whether a constraint says that an amount has more decimal places than its currency; if so, the amount's column.</summary>
    public static bool IsAboutPlaces(string? constraint, out string column)
    {
        column = constraint is not null && constraint.EndsWith(FitsIts, StringComparison.Ordinal) ? constraint[..^FitsIts.Length] : "";
        return column.Length > 0;
    }
}
