using System.Globalization;
using System.Text;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Grains.Knowledge.Text;

/// <summary>
/// Cuts a text into words and brings them to one form, so that case, accents, Arabic vowel marks and letter variants make no difference.
/// </summary>
internal static class WordReader
{
    /// <summary>Longest word kept, in characters; the rest of a longer one is ignored.</summary>
    public const int MaxWordLength = 40;

    /// <summary>The words in order.</summary>
    public static List<string> Read(ReadOnlySpan<char> text)
    {
        var words = new List<string>(text.Length / 6 + 1);
        var word = new StringBuilder(16);
        // Composed first: the mark of a letter that was typed in two parts would be taken for an accent.
        foreach (var rune in Ascii.IsValid(text) ? text.EnumerateRunes() : TypedText.Of(text.ToString()).AsSpan().EnumerateRunes())
        {
            if (IsMark(rune))
            {
                continue;
            }

            if (Rune.IsLetterOrDigit(rune))
            {
                if (word.Length < MaxWordLength)
                {
                    Append(word, rune);
                }
            }
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }

        if (word.Length > 0)
        {
            words.Add(word.ToString());
        }

        return words;
    }

    /// <summary>Combining marks (Arabic vowels among them), the Arabic stretcher and apostrophes inside a word stand for nothing.</summary>
    private static bool IsMark(Rune rune) =>
        rune.Value is 0x640 or '\'' or 0x2019 || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.Format;

    private static void Append(StringBuilder word, Rune rune)
    {
        var lower = Rune.ToLowerInvariant(rune);
        switch (lower.Value)
        {
            case 'ß': word.Append("ss"); return;
            case 'æ': word.Append("ae"); return;
            case 'œ': word.Append("oe"); return;
            case 'ł': word.Append('l'); return;
            case 'ø': word.Append('o'); return;
            case 'đ': word.Append('d'); return;
            case 'ё': word.Append('е'); return;
            case 'أ' or 'إ' or 'آ' or 'ٱ': word.Append('ا'); return;
            case 'ى' or 'ئ': word.Append('ي'); return;
            case 'ؤ': word.Append('و'); return;
            case 'ة': word.Append('ه'); return;
            case >= 0x660 and <= 0x669: word.Append((char)('0' + lower.Value - 0x660)); return;
        }

        // Latin letters lose their accents; elsewhere an accent can make another letter (й).
        if (lower.Value is >= 0xC0 and < 0x250 or >= 0x1E00 and < 0x1F00 or >= 0xFF00 and < 0xFFF0)
        {
            foreach (var part in lower.ToString().Normalize(NormalizationForm.FormKD))
            {
                if (char.IsLetterOrDigit(part))
                {
                    word.Append(char.ToLowerInvariant(part));
                }
            }

            return;
        }

        Span<char> chars = stackalloc char[2];
        word.Append(chars[..lower.EncodeToUtf16(chars)]);
    }
}
