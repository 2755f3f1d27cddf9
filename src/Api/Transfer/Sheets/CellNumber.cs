using System.Globalization;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// A number as people and spreadsheets write it: with signs between thousands, a currency, a minus in front, behind or as brackets. It is read twice, with either decimal sign; most
/// can be read with one only, and <c>1.234</c> with both.
/// </summary>
/// <param name="WithPoint">What it is when the point is the decimal sign; null when it can't be.</param>
/// <param name="WithComma">The same for the comma.</param>
/// <param name="IsPlain">It is written as JSON writes numbers, which nobody takes for anything else unless both readings fit.</param>
/// <param name="Currency">The currency sign or code beside it; null where there is none.</param>
internal readonly record struct CellNumber(decimal? WithPoint, decimal? WithComma, bool IsPlain, string? Currency)
{
    /// <summary>Longest text that is taken for a number.</summary>
    private const int MaxLength = 60;

    public bool IsNumber => WithPoint is not null || WithComma is not null;

    /// <summary>Both readings fit, and differ.</summary>
    public bool IsAmbiguous => WithPoint is { } point && WithComma is { } comma && point != comma;

    /// <summary>The value under a decimal sign; without one, that of the only reading. Null where that doesn't fit.</summary>
    public decimal? Value(string? decimalSign) => decimalSign switch
    {
        "." => WithPoint,
        "," => WithComma ?? (IsPlain ? WithPoint : null),
        _ => IsAmbiguous ? null : WithPoint ?? WithComma,
    };

    public static CellNumber Read(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        if (text.Length is 0 or > MaxLength)
        {
            return default;
        }
        if (text.IndexOfAnyExceptInRange('0', '9') < 0)
        {
            return decimal.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var digits) ? new(digits, digits, true, null) : default;
        }
        bool? isNegative = null;
        string? currency = null;
        while (TakeDash(ref text) || TakeSign(ref text, ref isNegative) || TakeCurrency(ref text, ref currency))
        {
        }
        var (point, comma) = (Read(text, '.', ','), Read(text, ',', '.'));
        return new(isNegative == true ? -point : point, isNegative == true ? -comma : comma, currency is null && text.IndexOfAnyExcept("0123456789.") < 0, currency);
    }

    /// <summary>A dash in the place of two zeros: <c>5,-</c>.</summary>
    private static bool TakeDash(ref ReadOnlySpan<char> text)
    {
        if (text is not [.., >= '0' and <= '9', '.' or ',', '-' or '\u2013' or '\u2014' or '\u2212'])
        {
            return false;
        }
        text = string.Concat(text[..^1], "00");
        return true;
    }

    /// <summary>Takes a plus or a minus, once: in front, behind as some accounting programs have it, or brackets for what is below zero.</summary>
    private static bool TakeSign(ref ReadOnlySpan<char> text, ref bool? isNegative)
    {
        if (isNegative is not null || text.Length < 2)
        {
            return false;
        }
        switch (text)
        {
            case ['(', .. var inner, ')']:
                isNegative = true;
                text = inner.Trim();
                return true;
            case ['+' or '-' or '\u2212', .. var rest]:
                isNegative = text[0] != '+';
                text = rest.Trim();
                return true;
            case [.. var rest, '-' or '\u2212']:
                isNegative = true;
                text = rest.Trim();
                return true;
            default:
                return false;
        }
    }

    /// <summary>Takes a currency from either end, once.</summary>
    private static bool TakeCurrency(ref ReadOnlySpan<char> text, ref string? currency)
    {
        var start = text.IndexOfAnyInRange('0', '9');
        if (currency is not null || start < 0)
        {
            return false;
        }
        // Of "$.5", the point is the number's; of "Fr. 5" it isn't.
        var before = text[..start].TrimEnd("-\u2212+( ").Trim();
        before = CellCurrency.Is(before) ? before : before.TrimEnd(".,").TrimEnd();
        if (CellCurrency.Is(before))
        {
            currency = before.ToString();
            text = text[before.Length..].Trim();
            return true;
        }
        // Of "5,- €", what is behind the digits is the number's.
        var after = text[(text.LastIndexOfAnyInRange('0', '9') + 1)..].TrimStart(") ,.-\u2013\u2014\u2212").Trim();
        if (CellCurrency.Is(after))
        {
            currency = after.ToString();
            text = text[..^after.Length].Trim();
            return true;
        }
        return false;
    }

    /// <summary>Digits, one decimal sign between or before them, and one kind of sign between thousands: groups of three, or of two above the thousands as in India.</summary>
    private static decimal? Read(ReadOnlySpan<char> text, char decimalSign, char other)
    {
        Span<char> digits = stackalloc char[MaxLength];
        var (length, group, separator, hasDecimals, hasLeadingZero) = (0, 0, '\0', false, text.Length > 0 && text[0] == '0');
        foreach (var current in text)
        {
            if (char.IsAsciiDigit(current))
            {
                digits[length++] = current;
                group++;
            }
            else if (current == decimalSign)
            {
                if (hasDecimals || (separator != '\0' && group != 3))
                {
                    return null;
                }
                digits[length++] = '.';
                (hasDecimals, group) = (true, 0);
            }
            else
            {
                var kind = Separator(current, other);
                var isFirst = separator == '\0';
                if (kind == '\0' || hasDecimals || (!isFirst && kind != separator) || (isFirst ? group is 0 or > 3 || hasLeadingZero : group != 3 && !(group == 2 && kind == ',')))
                {
                    return null;
                }
                (separator, group) = (kind, 0);
            }
        }
        return (hasDecimals ? group == 0 : separator != '\0' && group != 3) || length == 0
            || !ExactNumber.TryRead(digits[..length], out var number)
            ? null
            : number;
    }

    /// <summary>What a sign between thousands is taken for: all blanks are one, and all apostrophes.</summary>
    private static char Separator(char character, char other) => character switch
    {
        _ when character == other => other,
        '\'' or '\u2019' => '\'',
        _ when char.IsWhiteSpace(character) => ' ',
        _ => '\0',
    };
}
