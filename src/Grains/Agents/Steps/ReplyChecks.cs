using System.Security.Cryptography;
using AgentPlatform.Data.Texts;
using AgentPlatform.Grains.Knowledge.Text;

namespace AgentPlatform.Grains.Agents.Steps;

/// <summary>An answer that passed the checks.</summary>
/// <param name="Text">What to say; empty when the answer was only the mark.</param>
/// <param name="HandsOver">The model asks for a person.</param>
internal sealed record CheckedReply(string Text, bool HandsOver);

/// <summary>What is looked at before an answer leaves.</summary>
internal static class ReplyChecks
{
    /// <summary>
    /// What a model is told to begin its answer with when a person has to take over: another one in each prompt, which the model alone has seen. A customer can't write it, and an answer
    /// that repeats what a customer or a page wrote can't hold it.
    /// </summary>
    public static string NewHandoverMark() => $"[handover-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}]";

    /// <summary>Null for an answer that says nothing.</summary>
    /// <param name="handoverMark">The one of the answer's own prompt.</param>
    public static CheckedReply? Check(string? answer, string handoverMark, int maxLength)
    {
        var text = answer?.Replace("\0", "", StringComparison.Ordinal).Trim() ?? "";
        var handsOver = text.Contains(handoverMark, StringComparison.OrdinalIgnoreCase);
        if (handsOver)
        {
            text = text.Replace(handoverMark, "", StringComparison.OrdinalIgnoreCase).Trim();
        }

        return !ComparableText.IsBlank(text) ? new CheckedReply(Cut(text, maxLength), handsOver) : handsOver ? new CheckedReply("", true) : null;
    }

    /// <summary>A text of at most so many characters: cut at a sentence's end if one is near, else at a word's.</summary>
    public static string Cut(string text, int maxLength)
    {
        if (text.Length <= maxLength)
        {
            return text;
        }

        var kept = 0;
        var position = 0;
        foreach (var sentence in SentenceReader.Read(text))
        {
            position = text.IndexOf(sentence, position, StringComparison.Ordinal) + sentence.Length;
            if (position > maxLength)
            {
                break;
            }

            kept = position;
        }

        if (kept >= maxLength / 2)
        {
            return text[..kept];
        }

        var space = text.LastIndexOf(' ', maxLength - 1, maxLength / 2);
        var end = space > 0 ? space : maxLength - 1;
        return text[..(char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)].TrimEnd() + "…";
    }
}
