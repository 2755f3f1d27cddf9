using System.Globalization;
using AgentPlatform.Api.Transfer.Sheets;

namespace AgentPlatform.Api.Tests.Sheets;

public sealed class CellNumberTests
{
    /// <summary>A cell, what it is with the point as the decimal sign, and with the comma.</summary>
    [Theory]
    [InlineData("5", "5", "5")]
    [InlineData("5,-", null, "5.00")]
    [InlineData("5.-", "5.00", null)]
    [InlineData("1.234,- €", null, "1234.00", "EUR")]
    [InlineData("CHF 1'234.\u2014", "1234.00", null, "CHF")]
    [InlineData("-5,\u2013", null, "-5.00")]
    [InlineData("1000円", "1000", "1000", "JPY")]
    [InlineData("₩125,000", "125000", "125.000", null)]
    [InlineData("-5", "-5", "-5")]
    [InlineData("+5", "5", "5")]
    [InlineData("\u22125", "-5", "-5")]
    [InlineData("007", "7", "7")]
    [InlineData("5.0", "5.0", null)]
    [InlineData("1234.56", "1234.56", null)]
    [InlineData("1234,56", null, "1234.56")]
    [InlineData(".5", "0.5", null)]
    [InlineData("0.125", "0.125", null)]
    [InlineData("0,125", null, "0.125")]
    [InlineData("1.234", "1.234", "1234")]
    [InlineData("1,234", "1234", "1.234")]
    [InlineData("1.000", "1.000", "1000")]
    [InlineData("1234.567", "1234.567", null)]
    [InlineData("1.234,56", null, "1234.56")]
    [InlineData("1,234.56", "1234.56", null)]
    [InlineData("1.234.567", null, "1234567")]
    [InlineData("12,34,567.8", "1234567.8", null)]
    [InlineData("1 234,5", null, "1234.5")]
    [InlineData("1\u00A0234", "1234", "1234")]
    [InlineData("1\u202F234\u202F567,89", null, "1234567.89")]
    [InlineData("1 234.567", "1234.567", null)]
    [InlineData("1'234.50", "1234.50", null)]
    [InlineData("1\u2019234.50", "1234.50", null)]
    [InlineData("(1,234.50)", "-1234.50", null)]
    [InlineData("1.234,50-", null, "-1234.50")]
    [InlineData("$1,234.50", "1234.50", null, null)]
    [InlineData("-$5", "-5", "-5", null)]
    [InlineData("$-5", "-5", "-5", null)]
    [InlineData("($1,234.50)", "-1234.50", null, null)]
    [InlineData("$ (5)", "-5", "-5", null)]
    [InlineData("1.234,50 €", null, "1234.50", "EUR")]
    [InlineData("-5 €", "-5", "-5", "EUR")]
    [InlineData("€ 5", "5", "5", "EUR")]
    [InlineData("5 Eur", "5", "5", "EUR")]
    [InlineData("EUR 1.234,50", null, "1234.50", "EUR")]
    [InlineData("1'234.50 CHF", "1234.50", null, "CHF")]
    [InlineData("R$ 1.234,50", null, "1234.50", "BRL")]
    [InlineData("1 234,50 руб.", null, "1234.50", "RUB")]
    [InlineData("1 234,50 zł", null, "1234.50", "PLN")]
    [InlineData("Fr. 5.50", "5.50", null, "CHF")]
    [InlineData("1 234,50 kr", null, "1234.50", null)]
    public void A_number_is_read_with_either_decimal_sign(string text, string? withPoint, string? withComma, string? currency = null)
    {
        var number = CellNumber.Read(text);
        Assert.Equal((withPoint, withComma, currency), (Text(number.WithPoint), Text(number.WithComma), number.Currency is { } sign && CellCurrency.CodesOf(sign) is [var code] ? code : null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("NaN")]
    [InlineData("5.")]
    [InlineData("1.2.3")]
    [InlineData("1,2,3")]
    [InlineData("12 34")]
    [InlineData("1.23.456")]
    [InlineData("0.123.456")]
    [InlineData("1.234 567")]
    [InlineData("1..2")]
    [InlineData("12%")]
    [InlineData("4,91512E+11")]
    [InlineData("1e3")]
    [InlineData("--5")]
    [InlineData("5 kg")]
    [InlineData("QTY 5")]
    [InlineData("$5 €")]
    [InlineData("5/6")]
    [InlineData("31.12.2025")]
    [InlineData("99999999999999999999999999999999999")]
    public void What_is_no_number_is_none(string text) => Assert.False(CellNumber.Read(text).IsNumber);

    [Fact]
    public void A_decimal_sign_decides_between_two_readings_and_never_against_the_only_one_of_a_plain_number()
    {
        Assert.Equal((1.234m, 1234m, null), Values("1.234"));
        Assert.Equal((1234.5m, 1234.5m, 1234.5m), Values("1234.5"));
        Assert.Equal((null, 1.5m, 1.5m), Values("1,5"));
        Assert.Equal((1234.5m, null, 1234.5m), Values("1,234.5"));

        static (decimal?, decimal?, decimal?) Values(string text) => (CellNumber.Read(text).Value("."), CellNumber.Read(text).Value(","), CellNumber.Read(text).Value(null));
    }

    private static string? Text(decimal? number) => number?.ToString(CultureInfo.InvariantCulture);
}
