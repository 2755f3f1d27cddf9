using System.Text;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// Whether bytes that aren't UTF-8 read as Windows-1252, in which spreadsheets of Western Europe and America save CSV. Nothing in the bytes names a code page, and most letters of
/// Western languages (<c>ä é ó</c>) are the same bytes in the code pages of their neighbours; others are letters there too: an <c>ø</c> is a Czech <c>ř</c>. So each is held against where it
/// stands. Western languages have a vowel there (Bjørn, Hélène), others a consonant (Dvořák, Kovačič), or it stands where theirs never does (João, España; Erdős, Gdańsk). Where what is
/// Western doesn't clearly outweigh the rest, the file is not read at all, rather than with wrong names.
/// </summary>
internal sealed class WesternText
{
    /// <summary>One sign of another code page among so many of this one is a slip of the pen.</summary>
    private const int Tolerance = 10;

    /// <summary>So many letters that could be of either, beside one that is of this one, are of this one.</summary>
    private const int Credit = 4;

    /// <summary>Words that are told.</summary>
    private const int ToldWords = 3;

    private const int LongestWord = 30;

    /// <summary>Letters of Latin that code pages have are below.</summary>
    private const char LatinEnd = '\u0250';

    /// <summary>Code pages in which words are told, so that whoever reads them knows theirs.</summary>
    private static readonly string[] Rivals = ["windows-1250", "iso-8859-2", "windows-1251", "windows-1253", "windows-1254", "windows-1257", "macintosh", "ibm850", "shift_jis", "gb18030", "big5", "euc-kr"];

    private readonly List<byte[]> _words = [];
    private long _western;
    private long _foreign;
    private long _open;
    private long _doubleAcute;
    private long _icelandic;
    private long _acute;
    private long _oftenIcelandic;

    /// <summary>Looks at a line.</summary>
    public void Look(ReadOnlySpan<byte> line)
    {
        for (var index = line.IndexOfAnyInRange((byte)0x80, (byte)0xFF); index >= 0;)
        {
            var sign = WesternLetters.Read(line, index);
            Count(sign);
            if (sign is not (WesternSign.None or WesternSign.Western or WesternSign.Acute))
            {
                Keep(Word(line, index));
            }
            var next = line[(index + 1)..].IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            index = next < 0 ? -1 : index + 1 + next;
        }
    }

    /// <summary>Whether all that was looked at is Windows-1252, as far as anybody can tell.</summary>
    public bool Fits
    {
        get
        {
            var (western, foreign, open) = (_western, _foreign, _open);
            // Both are known by other letters of their languages: Hungarian has acute accents, Estonian has not; Icelandic has them, Turkish has not.
            (foreign, open) = _acute > 0 ? (foreign + _doubleAcute, open) : (foreign, open + _doubleAcute);
            (western, foreign) = _oftenIcelandic > 0 ? (western + _icelandic, foreign) : (western, foreign + _icelandic);
            return foreign * Tolerance <= western && open <= western * Credit;
        }
    }

    /// <summary>Some of the words that tell against it, each as code pages read it.</summary>
    public string Told => string.Join("; ", _words.Select(word => string.Join(", ", Rivals.Prepend(CsvEncoding.Western).Select(name => (Name: name, Text: Decode(name, word)))
        .Where(reading => reading.Text is not null).DistinctBy(reading => reading.Text).Select(reading => $"\"{reading.Text}\" ({reading.Name})"))));

    private void Count(WesternSign sign)
    {
        switch (sign)
        {
            case WesternSign.Western:
                _western++;
                break;
            case WesternSign.Foreign:
                _foreign++;
                break;
            case WesternSign.Open:
                _open++;
                break;
            case WesternSign.DoubleAcute:
                _doubleAcute++;
                break;
            case WesternSign.Icelandic:
                _icelandic++;
                break;
            case WesternSign.Acute:
                _acute++;
                break;
            case WesternSign.OftenIcelandic:
                _acute++;
                _oftenIcelandic++;
                break;
            default:
                break;
        }
    }

    private void Keep(ReadOnlySpan<byte> word)
    {
        if (_words.Count < ToldWords && !Contains(word))
        {
            _words.Add(word.ToArray());
        }
    }

    private bool Contains(ReadOnlySpan<byte> word)
    {
        foreach (var known in _words)
        {
            if (word.SequenceEqual(known))
            {
                return true;
            }
        }
        return false;
    }

    private static ReadOnlySpan<byte> Word(ReadOnlySpan<byte> line, int index)
    {
        var (start, end) = (index, index + 1);
        while (start > 0 && end - start < LongestWord && IsOfWord(line[start - 1]))
        {
            start--;
        }
        while (end < line.Length && end - start < LongestWord && IsOfWord(line[end]))
        {
            end++;
        }
        return line[start..end];
    }

    private static bool IsOfWord(byte value) => value >= 0x80 || char.IsAsciiLetter((char)value);

    /// <summary>Letters, and none of another script beside Latin ones.</summary>
    private static bool IsWord(string text) => text.EnumerateRunes().All(Rune.IsLetter) && (!text.Any(char.IsAsciiLetter) || text.All(character => character < LatinEnd));

    /// <summary>The word, if it is one in that code page.</summary>
    private static string? Decode(string encoding, byte[] word)
    {
        try
        {
            var text = CsvEncoding.Find(encoding).GetString(word);
            return encoding == CsvEncoding.Western ? new string([.. text.Where(character => !char.IsControl(character))]) : IsWord(text) ? text : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}

/// <summary>What one byte tells of Windows-1252.</summary>
internal enum WesternSign
{
    /// <summary>Nothing: it is the same in most code pages, or may stand anywhere.</summary>
    None,

    /// <summary>It stands as Western languages have it.</summary>
    Western,

    /// <summary>It stands as only the letter has it that it is in another code page.</summary>
    Foreign,

    /// <summary>It may be either.</summary>
    Open,

    /// <summary>õ where Estonian has it, or Hungarian an ő.</summary>
    DoubleAcute,

    /// <summary>ð, þ or ý where Icelandic has them, or Turkish ğ, ş and ı.</summary>
    Icelandic,

    /// <summary>á or í.</summary>
    Acute,

    /// <summary>ó or ú, which are these in all code pages that have letters there.</summary>
    OftenIcelandic,
}
