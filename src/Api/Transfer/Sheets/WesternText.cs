namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// Whether bytes that aren't UTF-8 read as Windows-1252, in which spreadsheets of Western Europe and America save CSV. Nothing in the bytes names a code page, but another one shows
/// where its letters are signs or in the midst of other letters what no Western language has there: Cyrillic words are all accented letters, a Polish "ł" is a "³" within a word.
/// Then the file is not read at all, rather than with wrong names. What looks the same in both (a Czech "ř" is an "ø") can't be told.
/// </summary>
internal struct WesternText
{
    /// <summary>One misfit among so many bytes beyond ASCII, and the file is something else.</summary>
    private const int Tolerance = 10;

    /// <summary>Signs that may stand anywhere: … ‘ ’ “ ” • – — no-break space, « soft hyphen, ´ · ».</summary>
    private static ReadOnlySpan<byte> Punctuation => [0x85, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0xA0, 0xAB, 0xAD, 0xB4, 0xB7, 0xBB];

    private long _bytes;
    private long _misfits;

    /// <summary>Whether all that was looked at may be Windows-1252.</summary>
    public readonly bool Fits => _misfits * Tolerance < _bytes || _bytes == 0;

    /// <summary>Looks at a line.</summary>
    public void Look(ReadOnlySpan<byte> line)
    {
        for (var index = 0; index < line.Length; index++)
        {
            if (line[index] < 0x80)
            {
                continue;
            }
            var run = Run(line[index..]);
            _bytes += Math.Max(run, 1);
            if (run > 2)
            {
                _misfits += run;
                index += run - 1;
            }
            else if (IsMisfit(line, index))
            {
                _misfits++;
            }
            if (run == 2)
            {
                index++;
            }
        }
    }

    /// <summary>How many accented letters follow each other. Three are in no word.</summary>
    private static int Run(ReadOnlySpan<byte> bytes)
    {
        var length = 0;
        while (length < bytes.Length && IsLetter(bytes[length]))
        {
            length++;
        }
        return length;
    }

    private static bool IsMisfit(ReadOnlySpan<byte> line, int index)
    {
        var current = line[index];
        var (before, after) = (index > 0 ? line[index - 1] : (byte)' ', index + 1 < line.Length ? line[index + 1] : (byte)' ');
        return current switch
        {
            0x81 or 0x8D or 0x8F or 0x90 or 0x9D => true, // Nothing in Windows-1252.
            0x82 or 0x83 or 0x87 or 0x88 or 0x98 => true, // ‚ ƒ ‡ ˆ ˜, which nobody types.
            0x86 => before >= 0x80 || after >= 0x80, // † stands alone.
            0xEC or 0xF9 => char.IsAsciiLetterLower((char)after), // ì and ù end words; in Czech they are ě and ů.
            _ when IsCapital(current) => char.IsAsciiLetterLower((char)before) || (char.IsAsciiLetterUpper((char)before) && char.IsAsciiLetterLower((char)after)),
            _ when IsLetter(current) || IsPunctuation(current) => false,
            _ => (IsInWord(before) && IsInWord(after)) || (after >= 0x80 && !IsLetter(after) && !IsPunctuation(after)),
        };
    }

    private static bool IsInWord(byte value) => char.IsAsciiLetter((char)value) || IsLetter(value);

    private static bool IsPunctuation(byte value) => Punctuation.Contains(value);

    private static bool IsCapital(byte value) => value is 0x8A or 0x8C or 0x8E or 0x9F or (>= 0xC0 and <= 0xDE and not 0xD7);

    private static bool IsLetter(byte value) => IsCapital(value) || value is 0x9A or 0x9C or 0x9E or (>= 0xDF and not 0xF7);
}
