using AgentPlatform.Grains.Knowledge.Text;
using AgentPlatform.Grains.Llm;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>A retrievable piece of an article or a source.</summary>
/// <param name="Index">Place in the document, from 0.</param>
/// <param name="Heading">The headings it stands under, outermost first, joined by " › "; null at the top of the document.</param>
/// <param name="Text">The piece without its heading.</param>
internal sealed record Chunk(int Index, string? Heading, string Text)
{
    /// <summary>What is stored and shown to a model: the heading, then the text.</summary>
    public string Content => Heading is null ? Text : $"{Heading}\n{Text}";
}

/// <summary>Cuts a document into pieces along its headings, paragraphs and sentences, in this order, none longer than the limit.</summary>
internal static class Chunker
{
    /// <summary>Longest line taken for a heading, in characters.</summary>
    private const int LongestHeading = 160;

    /// <summary>Cuts plain text or Markdown.</summary>
    /// <param name="content">The document.</param>
    /// <param name="maxTokens">Longest piece, in tokens as estimated by <see cref="TokenEstimate"/> (option <c>Knowledge:MaxChunkTokens</c>).</param>
    public static List<Chunk> Cut(string content, int maxTokens)
    {
        var chunks = new List<Chunk>();
        foreach (var (heading, paragraphs) in Sections(content))
        {
            foreach (var text in Pack(paragraphs, maxTokens))
            {
                chunks.Add(new Chunk(chunks.Count, heading, text));
            }
        }

        return chunks;
    }

    private static List<(string? Heading, List<string> Paragraphs)> Sections(string content)
    {
        var sections = new List<(string?, List<string>)>();
        var headings = new List<(int Level, string Text)>();
        var paragraphs = new List<string>();
        var paragraph = new List<string>();

        void EndParagraph()
        {
            if (paragraph.Count > 0)
            {
                paragraphs.Add(string.Join('\n', paragraph));
                paragraph.Clear();
            }
        }

        void EndSection()
        {
            EndParagraph();
            if (paragraphs.Count > 0)
            {
                sections.Add((headings.Count == 0 ? null : string.Join(" › ", headings.Select(heading => heading.Text)), paragraphs));
                paragraphs = [];
            }
        }

        var lines = content.ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (ReadHeading(line, isAlone: paragraph.Count == 0) is { } heading)
            {
                EndSection();
                headings.RemoveAll(outer => outer.Level >= heading.Level);
                headings.Add(heading);
            }
            else if (line.Length == 0)
            {
                EndParagraph();
            }
            else
            {
                paragraph.Add(line);
            }
        }

        EndSection();
        if (sections.Count == 0 && headings.Count > 0)
        {
            // A document of headings alone still says something.
            sections.Add((null, [.. headings.Select(heading => heading.Text)]));
        }

        return sections;
    }

    /// <summary>A Markdown heading, a line in bold alone, or a question that stands on a line of its own.</summary>
    private static (int Level, string Text)? ReadHeading(string line, bool isAlone)
    {
        if (line.Length is 0 or > LongestHeading)
        {
            return null;
        }

        var hashes = line.AsSpan().IndexOfAnyExcept('#');
        if (hashes is > 0 and <= 6 && line[hashes] == ' ')
        {
            var text = Plain(line[hashes..]);
            return text.Length == 0 ? null : (hashes, text);
        }

        if (line.Length > 4 && line.StartsWith("**", StringComparison.Ordinal) && line.EndsWith("**", StringComparison.Ordinal))
        {
            return (7, Plain(line));
        }

        var isListItem = line[0] is '-' or '*' or '•' or '>';
        return isAlone && !isListItem && line[^1] is '?' or '؟' && SentenceReader.Read(line).Count == 1 ? (8, Plain(line)) : null;
    }

    private static string Plain(string heading) => heading.Trim(' ', '*', '#', ':', '_');

    /// <summary>Joins paragraphs up to the limit, cutting one that is too long at its sentences, and a sentence that is too long at its words.</summary>
    private static IEnumerable<string> Pack(List<string> paragraphs, int maxTokens)
    {
        var packed = new List<string>();
        var tokens = 0;
        foreach (var part in paragraphs.SelectMany(paragraph => TokenEstimate.Of(paragraph) <= maxTokens ? [paragraph] : CutParagraph(paragraph, maxTokens)))
        {
            var cost = TokenEstimate.Of(part);
            if (packed.Count > 0 && tokens + cost > maxTokens)
            {
                yield return string.Join("\n\n", packed);
                packed.Clear();
                tokens = 0;
            }

            packed.Add(part);
            tokens += cost;
        }

        if (packed.Count > 0)
        {
            yield return string.Join("\n\n", packed);
        }
    }

    private static IEnumerable<string> CutParagraph(string paragraph, int maxTokens)
    {
        var part = new List<string>();
        var tokens = 0;
        foreach (var sentence in SentenceReader.Read(paragraph).SelectMany(sentence => CutSentence(sentence, maxTokens)))
        {
            var cost = TokenEstimate.Of(sentence);
            if (part.Count > 0 && tokens + cost > maxTokens)
            {
                yield return string.Join(' ', part);
                part.Clear();
                tokens = 0;
            }

            part.Add(sentence);
            tokens += cost;
        }

        if (part.Count > 0)
        {
            yield return string.Join(' ', part);
        }
    }

    private static IEnumerable<string> CutSentence(string sentence, int maxTokens)
    {
        while (TokenEstimate.Of(sentence) > maxTokens)
        {
            var longest = Math.Max(1, Math.Min(sentence.Length - 1, maxTokens));
            var space = sentence.LastIndexOf(' ', longest);
            var cut = space > longest / 2 ? space : longest;
            if (char.IsHighSurrogate(sentence[cut - 1]))
            {
                cut++;
            }

            yield return sentence[..cut].Trim();
            sentence = sentence[cut..].TrimStart();
        }

        if (sentence.Length > 0)
        {
            yield return sentence;
        }
    }
}
