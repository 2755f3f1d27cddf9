using System.Diagnostics.CodeAnalysis;
using System.Text;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Data.Texts;

/// <summary>
/// What is left of a text when it is held against another one: the same for texts that people take for the same, however they were typed. NFKC, every case as one (also where a
/// letter has several small or capital forms), nothing invisible, one space between words and none around them. Marks on letters count: they make other words.
/// The database's <c>comparable_text</c> and <c>comparable_keyword</c> do the same.
/// </summary>
public static class ComparableText
{
    /// <summary>The form in which two texts that are the same are equal.</summary>
    public static string Of(string text)
    {
        if (Ascii.IsValid(text))
        {
            return Collapse(text.ToLowerInvariant());
        }
        var folded = new StringBuilder(text.Length + 8);
        foreach (var rune in Unicode(text).Normalize(NormalizationForm.FormKD).EnumerateRunes())
        {
            if (!CodePoints.IsInvisible(rune.Value))
            {
                Fold(folded, rune);
            }
        }
        return Collapse(folded.ToString().Normalize(NormalizationForm.FormKC));
    }

    /// <summary>The form in which a word that a customer writes is the keyword: without what people put around words, unless it is all that they wrote.</summary>
    public static string Keyword(string text)
    {
        var comparable = Of(text);
        var (start, end) = (0, comparable.Length);
        while (start < end && Rune.DecodeFromUtf16(comparable.AsSpan(start, end - start), out var rune, out var length) == System.Buffers.OperationStatus.Done && CodePoints.IsAround(rune.Value))
        {
            start += length;
        }
        while (start < end && Rune.DecodeLastFromUtf16(comparable.AsSpan(start, end - start), out var rune, out var length) == System.Buffers.OperationStatus.Done && CodePoints.IsAround(rune.Value))
        {
            end -= length;
        }
        return start == end ? comparable : comparable[start..end];
    }

    /// <summary>Whether two texts are the same to people.</summary>
    public static bool Same(string left, string right) => Of(left) == Of(right);

    /// <summary>Whether there is nothing to be seen in a text: it is no name and no answer.</summary>
    public static bool IsBlank([NotNullWhen(false)] string? text)
    {
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            if (!CodePoints.IsInvisible(rune.Value) && !CodePoints.IsSpace(rune.Value))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>A text that can be normalized: half of a surrogate pair becomes U+FFFD.</summary>
    internal static string Unicode(string text) => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text : JsonText.Storable(text);

    /// <summary>
    /// Unicode's full case folding of what NFKD leaves undivided. The dotless ı counts as the i that its capital is elsewhere: whoever writes in capitals can't say which was meant.
    /// </summary>
    private static void Fold(StringBuilder folded, Rune rune)
    {
        switch (rune.Value)
        {
            case 'ß' or 'ẞ': folded.Append("ss"); break;
            case 'ı': folded.Append('i'); break;
            case 'ς': folded.Append('σ'); break;
            // A dot on a small i is the i's own: the Turkish capital İ leaves one behind.
            case 0x307 when folded.Length > 0 && folded[^1] == 'i': break;
            case 0x345: folded.Append('ι'); break;
            case 0x1C80: folded.Append('в'); break;
            case 0x1C81: folded.Append('д'); break;
            case 0x1C82: folded.Append('о'); break;
            case 0x1C83: folded.Append('с'); break;
            case 0x1C84 or 0x1C85: folded.Append('т'); break;
            case 0x1C86: folded.Append('ъ'); break;
            case 0x1C87: folded.Append('ѣ'); break;
            case 0x1C88: folded.Append('ꙋ'); break;
            default: folded.Append(Rune.ToLowerInvariant(rune).ToString()); break;
        }
    }

    /// <summary>One space for each run of white space, none at the edges, and nothing invisible.</summary>
    private static string Collapse(string text)
    {
        var collapsed = new StringBuilder(text.Length);
        var isWaiting = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (CodePoints.IsSpace(rune.Value))
            {
                isWaiting = collapsed.Length > 0;
            }
            else if (!CodePoints.IsInvisible(rune.Value))
            {
                if (isWaiting)
                {
                    collapsed.Append(' ');
                    isWaiting = false;
                }
                collapsed.Append(rune.ToString());
            }
        }
        return collapsed.ToString();
    }
}
