using System.Collections.Immutable;
using System.Globalization;

namespace AgentPlatform.Grains.Channels;

/// <summary>
/// Cuts a text into messages of a platform's length: at the end of a paragraph or sentence where that leaves no tiny message (a quarter of what fits), else between words, else
/// between characters as a reader sees them (an emoji family is one). Lengths are UTF-16 units, which no platform counts more strictly than.
/// </summary>
public static class MessageSplitter
{
    /// <summary>Ends a sentence only before a space, and not after an initial, a list number or before a small letter.</summary>
    private const string WeakEnds = ".!?…";

    /// <summary>Ends a sentence whatever follows: CJK, Arabic, Urdu, Devanagari, Armenian, Ethiopic, Khmer, Burmese, Tibetan.</summary>
    private const string StrongEnds = "。！？｡．؟۔।॥։።፧។៕။༎";

    /// <summary>May stand between the end of a sentence and the next one.</summary>
    private const string Closers = "\"'”’»›)]}」』）】〉》*_~`";

    /// <summary>Separate words where a script has no spaces.</summary>
    private const string Commas = "、，；：،؛";

    /// <summary>The parts, in order, none of them blank, each without white space at its ends. Together they hold all that was not white space at a cut.</summary>
    /// <param name="text">What to send.</param>
    /// <param name="maxLength">Most UTF-16 units of a part; at least 2, the length of one character.</param>
    public static ImmutableArray<string> Split(string text, int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxLength, 2);
        var rest = text.AsSpan().Trim();
        if (rest.Length <= maxLength)
        {
            return rest.IsEmpty ? [] : [rest.ToString()];
        }

        var parts = ImmutableArray.CreateBuilder<string>();
        while (rest.Length > maxLength)
        {
            var cut = FindCut(rest, maxLength);
            var part = rest[..cut].TrimEnd();
            if (!part.IsEmpty)
            {
                parts.Add(part.ToString());
            }

            rest = rest[cut..].TrimStart();
        }

        if (!rest.IsEmpty)
        {
            parts.Add(rest.ToString());
        }

        return parts.ToImmutable();
    }

    private static int FindCut(ReadOnlySpan<char> text, int maxLength)
    {
        int paragraph = 0, sentence = 0, word = 0;
        for (var i = 1; i <= maxLength; i++)
        {
            // A cut at i puts text[i - 1] at the end of this part and text[i] at the beginning of the next.
            if (IsBreakingSpace(text[i]) || IsBreakingSpace(text[i - 1]))
            {
                word = i;
                if (text[i] == '\n' || text[i - 1] == '\n')
                {
                    sentence = i;
                    paragraph = text[i] == '\n' && (text[i - 1] == '\n' || (i + 1 < text.Length && text[i + 1] == '\n')) ? i : paragraph;
                }
            }
            else if (Commas.Contains(text[i - 1]))
            {
                word = i;
            }

            if (EndsSentence(text, i))
            {
                sentence = i;
            }
        }

        var tiny = maxLength / 4;
        return paragraph > tiny ? paragraph
            : sentence > tiny ? sentence
            : word > tiny ? word
            : Math.Max(sentence, word) is > 0 and var early ? early
            : BetweenCharacters(text, maxLength);
    }

    private static bool EndsSentence(ReadOnlySpan<char> text, int cut)
    {
        var next = text[cut];
        var end = cut - 1;
        while (end > 0 && Closers.Contains(text[end]))
        {
            end--;
        }

        if (StrongEnds.Contains(text[end]))
        {
            return !Closers.Contains(next) && !StrongEnds.Contains(next) && !WeakEnds.Contains(next) && !IsMark(next);
        }

        if (!WeakEnds.Contains(text[end]) || !char.IsWhiteSpace(next))
        {
            return false;
        }

        var following = text[cut..].TrimStart();
        return text[end] != '.' || (!IsInitialOrNumber(text, end) && !(following.Length > 0 && char.IsLower(following[0])));
    }

    /// <summary>Whether the full stop belongs to a single letter ("J. Smith") or to the number of a list item ("1. Tea").</summary>
    private static bool IsInitialOrNumber(ReadOnlySpan<char> text, int stop)
    {
        var start = stop;
        while (start > 0 && char.IsLetterOrDigit(text[start - 1]))
        {
            start--;
        }

        var word = text[start..stop];
        var isAtLineStart = start == 0 || text[start - 1] == '\n';
        return (word.Length == 1 && char.IsLetter(word[0])) || (word.Length > 0 && isAtLineStart && !word.ContainsAnyExceptInRange('0', '9'));
    }

    private static int BetweenCharacters(ReadOnlySpan<char> text, int maxLength)
    {
        var cut = 0;
        while (cut < text.Length && StringInfo.GetNextTextElementLength(text[cut..]) is var length && cut + length <= maxLength)
        {
            cut += length;
        }

        // One character longer than a message (a letter with hundreds of marks): then at least no half of a surrogate pair.
        return cut > 0 ? cut : char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength;
    }

    /// <summary>White space at which a line may break; a no-break space is there to prevent that.</summary>
    private static bool IsBreakingSpace(char c) => char.IsWhiteSpace(c) && c is not ('\u00A0' or '\u202F' or '\u2007');

    private static bool IsMark(char c) =>
        char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.Format;
}
