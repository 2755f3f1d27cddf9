namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>What letters and signs of Windows-1252 tell by what stands around them, against what their bytes are in other code pages.</summary>
internal static class WesternLetters
{
    /// <summary>Signs that may stand anywhere: … ‘ ’ • – — no-break space, « soft hyphen, ´ · ».</summary>
    private static ReadOnlySpan<byte> Punctuation => [0x85, 0x91, 0x92, 0x95, 0x96, 0x97, 0xA0, 0xAB, 0xAD, 0xB4, 0xB7, 0xBB];

    /// <summary>What a byte beyond ASCII tells.</summary>
    public static WesternSign Read(ReadOnlySpan<byte> line, int index)
    {
        var current = line[index];
        var (before, after) = (At(line, index - 1), At(line, index + 1));
        if (!IsLetter(current))
        {
            return OfSign(current, before, after);
        }
        // Three accented letters in a row are in no word; nor is a capital among small ones.
        var isRun = (IsLetter(before) && IsLetter(At(line, index - 2))) || (IsLetter(before) && IsLetter(after)) || (IsLetter(after) && IsLetter(At(line, index + 2)));
        if (isRun || (IsCapital(current) && (char.IsAsciiLetterLower((char)before) || (char.IsAsciiLetterUpper((char)before) && char.IsAsciiLetterLower((char)after)))))
        {
            return WesternSign.Foreign;
        }
        return OfLetter(Small(current), PlaceOf(before), PlaceOf(after), (char)(before | 0x20), (char)(after | 0x20), (char)after);
    }

    /// <param name="letter">A small letter.</param>
    /// <param name="left">What stands before it.</param>
    /// <param name="right">What stands behind it.</param>
    /// <param name="before">The same as a small letter, if it is one of ASCII.</param>
    /// <param name="after">The same.</param>
    /// <param name="written">What stands behind it, as it is.</param>
    private static WesternSign OfLetter(byte letter, Place left, Place right, char before, char after, char written) => letter switch
    {
        // ä, å, ß: hardly ever in the languages of other code pages, or the same there.
        0xE4 or 0xE5 or 0xDF => WesternSign.Western,
        // á and í; ó and ú.
        0xE1 or 0xED => WesternSign.Acute,
        0xF3 or 0xFA => WesternSign.OftenIcelandic,
        // à ends words or is one.
        0xE0 => left != Place.Vowel && right == Place.Edge ? WesternSign.Western : WesternSign.None,
        // è, ò: č, ň. French "ière" and Italian "cioè" have a vowel before it.
        0xE8 or 0xF2 => (left, right) switch
        {
            (_, Place.Vowel) => WesternSign.Foreign,
            (not Place.Vowel, _) => WesternSign.Western,
            (_, Place.Edge) => before is 'o' or 'u' ? letter == 0xF2 ? WesternSign.Western : WesternSign.Open : WesternSign.Foreign,
            _ => before is 'i' or 'u' && after is not ('n' or 'k' or 'h') ? WesternSign.Western : WesternSign.Open,
        },
        // æ, ø: ć, ř, which has no y behind it.
        0xF8 when after == 'y' => WesternSign.Western,
        0xE6 or 0xF8 => (left, right) switch
        {
            (Place.Vowel, Place.Vowel or Place.Edge) => WesternSign.Foreign,
            (not Place.Vowel, not Place.Vowel) => WesternSign.Western,
            _ => WesternSign.Open,
        },
        // ì, ù end words; ě, ů stand within them too.
        0xEC or 0xF9 => char.IsAsciiLetterLower(written) ? WesternSign.Foreign : letter == 0xEC || left == Place.Vowel ? WesternSign.Western : WesternSign.Open,
        // ê: ę, of which "ię" is as frequent as it is rare elsewhere, but in Portuguese "ência".
        0xEA => before == 'i' ? after == 'n' ? WesternSign.Western : WesternSign.Foreign : after is 'b' or 'd' or 'g' or 'k' or 'p' or 'z' ? WesternSign.Foreign : WesternSign.None,
        // ë, after a vowel; ė after any letter.
        0xEB => left == Place.Consonant ? WesternSign.Open : WesternSign.None,
        // ï, after a vowel and before a consonant; ď.
        0xEF => (left, right) switch
        {
            (Place.Vowel, Place.Consonant) => WesternSign.Western,
            (Place.Consonant, Place.Vowel) => WesternSign.Foreign,
            _ => WesternSign.Open,
        },
        // û: ű, ū.
        0xFB => before == 'o' ? WesternSign.Western : before is 'y' or 'z' ? WesternSign.Foreign : WesternSign.Open,
        // ã, õ: ă, ő. "ão", "ãe", "nhã" and "õe" are Portuguese.
        0xE3 => after is 'o' or 'e' || before == 'h' ? WesternSign.Western : right == Place.Edge || after == 's' ? WesternSign.Open : WesternSign.Foreign,
        0xF5 => after == 'e' ? WesternSign.Western : WesternSign.DoubleAcute,
        // ñ stands before vowels, ń never.
        0xF1 => right == Place.Vowel ? WesternSign.Western : WesternSign.Foreign,
        // ç is not before consonants; ē is.
        0xE7 => right == Place.Consonant ? WesternSign.Foreign : WesternSign.None,
        // ð begins no word; đ and š do.
        0xF0 => left == Place.Edge ? WesternSign.Foreign : WesternSign.Icelandic,
        // þ begins words; ş, ţ and ž stand behind vowels as well.
        0xFE => left == Place.Vowel ? WesternSign.Foreign : WesternSign.Icelandic,
        0xFD => WesternSign.Icelandic,
        // œ, mostly "œu"; ś.
        0x9C => after == 'u' ? WesternSign.Western : right == Place.Edge || (right == Place.Consonant && after is not ('d' or 'n' or 's' or 't')) ? WesternSign.Foreign : WesternSign.Open,
        // š, ž are the same in the code pages around, but an ö and a é of old Macs.
        0x9A or 0x9E => left == Place.Consonant && right == Place.Consonant ? WesternSign.Foreign : WesternSign.None,
        _ => WesternSign.None,
    };

    private static WesternSign OfSign(byte sign, byte before, byte after)
    {
        var isWithin = IsInWord(before) && IsInWord(after);
        var isForeign = sign switch
        {
            0x81 or 0x8D or 0x8F or 0x90 or 0x9D => true, // Nothing in Windows-1252.
            0x82 or 0x83 or 0x87 or 0x88 or 0x98 or 0xA4 => true, // ‚ ƒ ‡ ˆ ˜ ¤, which nobody types.
            0x80 or 0x86 or 0x89 or 0x99 => IsInWord(after) || (sign == 0x86 && before >= 0x80), // € † ‰ ™ don't begin words.
            0xA2 or 0xA3 or 0xA5 => char.IsAsciiLetterLower((char)after) || IsLetter(after) || isWithin, // ¢ £ ¥ neither, but codes of currencies.
            0xAF => IsInWord(before) || IsInWord(after), // ¯
            0x93 or 0x94 or 0x84 => isWithin, // “ ” „
            0xAA or 0xB0 or 0xBA when char.IsAsciiLetterUpper((char)after) => false, // ª ° º may have a name behind them.
            _ when Punctuation.Contains(sign) => false,
            _ => isWithin || (after >= 0x80 && !IsLetter(after) && !Punctuation.Contains(after)) || (IsLetter(after) && sign is not (0x8B or 0x9B or 0xA1 or 0xBF)),
        };
        // An ľ begins words, Ş and ş too; the ñ of old Macs is a dash within one.
        var isOpen = sign switch
        {
            0xBC or 0xBE => IsInWord(after),
            0xA9 or 0xAE or 0xB9 => char.IsAsciiLetterLower((char)after) || IsLetter(after), // Š Ž š of ISO 8859-2.
            0xAA or 0xBA => isWithin || (char.IsAsciiLetterLower((char)after) && !char.IsAsciiDigit((char)before)),
            0x96 => char.IsAsciiLetterLower((char)before) && char.IsAsciiLetterLower((char)after),
            _ => false,
        };
        // A word with a small ¹ or ³ at its end has a footnote, or ends with ą or ł; m³ is neither.
        return isForeign ? WesternSign.Foreign
            : isOpen || (sign is 0xB3 or 0xB9 && IsInWord(before) && before is not ((byte)'m' or (byte)'M')) ? WesternSign.Open
            : WesternSign.None;
    }

    private enum Place
    {
        Edge,
        Vowel,
        Consonant,
    }

    private static byte At(ReadOnlySpan<byte> line, int index) => index >= 0 && index < line.Length ? line[index] : (byte)' ';

    private static Place PlaceOf(byte value) => !IsInWord(value) ? Place.Edge
        : value < 0x80 ? "aeiouyAEIOUY".Contains((char)value, StringComparison.Ordinal) ? Place.Vowel : Place.Consonant
        : Small(value) is 0x9A or 0x9E or 0xDF or 0xE7 or 0xF0 or 0xF1 or 0xFE ? Place.Consonant
        : Place.Vowel;

    private static byte Small(byte letter) => letter switch
    {
        0x8A or 0x8C or 0x8E => (byte)(letter + 0x10),
        >= 0xC0 and <= 0xDE => (byte)(letter + 0x20),
        _ => letter,
    };

    private static bool IsInWord(byte value) => char.IsAsciiLetter((char)value) || IsLetter(value);

    private static bool IsCapital(byte value) => value is 0x8A or 0x8C or 0x8E or 0x9F or (>= 0xC0 and <= 0xDE and not 0xD7);

    private static bool IsLetter(byte value) => IsCapital(value) || value is 0x9A or 0x9C or 0x9E or (>= 0xDF and not 0xF7);
}
