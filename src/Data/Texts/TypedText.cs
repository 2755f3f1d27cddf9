using System.Text;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Data.Texts;

/// <summary>What is kept of a text that people type, or that a platform tells of them: composed (NFC), so that one text has one spelling in the database.</summary>
public static class TypedText
{
    /// <summary>The text, composed.</summary>
    public static string Of(string text) => Ascii.IsValid(text) ? text : ComparableText.Unicode(text).Normalize(NormalizationForm.FormC);

    /// <summary>Composed, without white space and idle invisible characters around it: for what is one line, such as a name. Empty where there is nothing to be seen.</summary>
    public static string Line(string text)
    {
        if (ComparableText.IsBlank(text))
        {
            return "";
        }
        var composed = Of(text);
        var (start, end) = (0, composed.Length);
        while (start < end && Rune.DecodeFromUtf16(composed.AsSpan(start, end - start), out var rune, out var length) == System.Buffers.OperationStatus.Done && IsEdge(rune))
        {
            start += length;
        }
        while (start < end && Rune.DecodeLastFromUtf16(composed.AsSpan(start, end - start), out var rune, out var length) == System.Buffers.OperationStatus.Done && IsEdge(rune))
        {
            end -= length;
        }
        return composed[start..end];
    }

    /// <summary>Composed, without anything invisible, with plain spaces: for what another system calls something, which is compared letter by letter.</summary>
    public static string Identifier(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var rune in Of(text).EnumerateRunes())
        {
            if (CodePoints.IsSpace(rune.Value))
            {
                plain.Append(' ');
            }
            else if (!CodePoints.IsInvisible(rune.Value))
            {
                plain.Append(rune.ToString());
            }
        }
        return plain.ToString().Trim(' ');
    }

    /// <summary>
    /// The name that a platform or a file tells of somebody or something, at most so long: one line, with plain spaces, and nothing in it that is invisible but for what shapes the
    /// letters beside it. Null for one in which there is nothing to be seen.
    /// </summary>
    public static string? Name(string? text, int maxLength = JsonText.MaxNameLength)
    {
        if (ComparableText.IsBlank(text))
        {
            return null;
        }
        var name = new StringBuilder(text!.Length);
        var isFlag = false;
        foreach (var rune in Line(text).EnumerateRunes())
        {
            if (CodePoints.IsSpace(rune.Value) && rune.Value != ' ')
            {
                // A line's end is often two characters.
                name.Append(name[^1] == ' ' ? "" : " ");
            }
            else if (CodePoints.IsTag(rune.Value) ? isFlag : !CodePoints.IsIdle(rune.Value))
            {
                name.Append(rune.ToString());
            }
            // Tags stand behind a black flag, for those of countries without one of their own; anywhere else they are a text that nobody sees.
            isFlag = rune.Value == CodePoints.BlackFlag || (isFlag && CodePoints.IsTag(rune.Value));
        }
        return JsonText.Cut(name.ToString(), maxLength);
    }

    /// <summary>Whether a character is invisible and changes nothing beside it, as joiners and selectors of variants do.</summary>
    public static bool IsIdle(Rune rune) => CodePoints.IsIdle(rune.Value);

    private static bool IsEdge(Rune rune) => CodePoints.IsSpace(rune.Value) || CodePoints.IsIdle(rune.Value);
}
