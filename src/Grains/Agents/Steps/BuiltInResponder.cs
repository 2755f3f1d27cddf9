using System.Text.RegularExpressions;
using AgentPlatform.Grains.Knowledge;
using AgentPlatform.Grains.Knowledge.Text;

namespace AgentPlatform.Grains.Agents.Steps;

/// <summary>An answer in the words of the knowledge base.</summary>
/// <param name="Text">What to say, with the titles of the articles that it comes from.</param>
/// <param name="Passages">The passages that it comes from.</param>
internal sealed record ExtractedAnswer(string Text, IReadOnlyList<Passage> Passages);

/// <summary>
/// Answers without a model: takes the passage that speaks about most of what is asked, and of a long one the sentences that fit best. It says nothing that
/// isn't written in the knowledge base, and nothing at all when no passage is about the question.
/// </summary>
internal static partial class BuiltInResponder
{
    /// <summary>Least share of the question, by weight, that a passage must speak about.</summary>
    public const double LeastCoverage = 0.45;

    /// <summary>A neighbour of the best passage, in the same article and about as good, is added when its heading fits the question better.</summary>
    private const double NearlyAsGood = 0.85;

    /// <summary>A second passage is added when it speaks about so much of what the first leaves open.</summary>
    private const double LeastAddition = 0.6;

    /// <summary>What is left open must be so much of the question to be worth a second passage.</summary>
    private const double LeastOpen = 0.2;

    /// <summary>The answer, or null when the passages don't hold one.</summary>
    /// <param name="passages">What was found, ranked.</param>
    /// <param name="vocabulary">Tells which words of the question say most.</param>
    /// <param name="maxLength">Longest extract of one passage, in characters.</param>
    public static ExtractedAnswer? Answer(Question question, IReadOnlyList<Passage> passages, KnowledgeVocabulary vocabulary, int maxLength)
    {
        var best = passages.Where(passage => passage.Coverage >= LeastCoverage)
            .OrderByDescending(passage => passage.Fit * PassageRanking.LanguageWorth(passage, question.Language))
            .ThenByDescending(passage => passage.Score).FirstOrDefault();
        if (best is null)
        {
            return null;
        }

        var terms = QuestionTerms.Read(question.Text, question.Context, question.Language);
        var weights = PassageRanking.Weigh(terms, vocabulary);
        List<Passage> chosen = [best];
        if ((Neighbour(best, passages) ?? Addition(best, passages, terms, weights)) is { } addition)
        {
            chosen.Add(addition);
        }

        var parts = chosen.Select(passage => Extract(passage, terms, weights, maxLength));
        var titles = chosen.Select(passage => passage.Title).Where(title => title.Length > 0).Distinct();
        var label = StandardTexts.For(question.Language).Source;
        return new ExtractedAnswer($"{string.Join("\n\n", parts)}\n\n{label}: {string.Join("; ", titles)}", chosen);
    }

    private static Passage? Neighbour(Passage best, IReadOnlyList<Passage> passages) => passages
        .Where(passage => passage.ArticleId == best.ArticleId && passage.SourceId == best.SourceId && passage.HeadingFit > best.HeadingFit && passage.Fit >= best.Fit * NearlyAsGood)
        .MaxBy(passage => passage.HeadingFit);

    /// <summary>A passage about the part of the question that the best one doesn't speak about ("what does it cost, and do I need a visa?").</summary>
    private static Passage? Addition(Passage best, IReadOnlyList<Passage> passages, QuestionTerms terms, List<double> weights)
    {
        var covered = PassageWords.Read(best);
        var open = weights.Select((weight, i) => PassageRanking.Match(covered, terms.Terms[i].Term) > 0 ? 0 : weight).ToList();
        if (open.Sum() < LeastOpen * weights.Sum())
        {
            return null;
        }

        return passages
            .Where(passage => passage.ChunkId != best.ChunkId && passage.Language == best.Language)
            .Select(passage => (Passage: passage, Covers: PassageRanking.Cover(PassageWords.Read(passage), terms, open)))
            .Where(candidate => candidate.Covers >= LeastAddition)
            .OrderByDescending(candidate => candidate.Covers)
            .Select(candidate => candidate.Passage).FirstOrDefault();
    }

    /// <summary>The passage itself when it is short; else its best sentences, each with the one that follows while there is room, in their order.</summary>
    private static string Extract(Passage passage, QuestionTerms terms, List<double> weights, int maxLength)
    {
        var text = Plain(passage.Text);
        if (text.Length <= maxLength)
        {
            return text;
        }

        var sentences = SentenceReader.Read(text);
        var order = sentences.Select((sentence, index) => (Index: index, Score: PassageRanking.Cover(PassageWords.Read(sentence, passage.Language), terms, weights)))
            .OrderByDescending(scored => scored.Score).ThenBy(scored => scored.Index).Select(scored => scored.Index).ToList();
        var chosen = new SortedSet<int>();
        var length = 0;
        foreach (var index in order)
        {
            foreach (var next in (int[])[index, index + 1])
            {
                if (next < sentences.Count && length + sentences[next].Length + 1 <= maxLength && chosen.Add(next))
                {
                    length += sentences[next].Length + 1;
                }
            }

            if (length > maxLength * 2 / 3)
            {
                break;
            }
        }

        if (chosen.Count == 0)
        {
            return ReplyChecks.Cut(text, maxLength);
        }

        // A gap between sentences is shown, so that nobody reads them as one.
        var parts = new List<string>();
        var previous = -1;
        foreach (var index in chosen)
        {
            parts.Add(previous >= 0 && index > previous + 1 ? $"… {sentences[index]}" : sentences[index]);
            previous = index;
        }

        return string.Join(sentences.Exists(sentence => sentence.StartsWith('•')) ? '\n' : ' ', parts);
    }

    /// <summary>Without the marks of Markdown, which most platforms show as they are.</summary>
    private static string Plain(string markdown)
    {
        var text = Link().Replace(markdown, match => match.Groups[1].Value == match.Groups[2].Value ? match.Groups[1].Value : $"{match.Groups[1].Value} ({match.Groups[2].Value})");
        text = Emphasis().Replace(text, "$2");
        return ListMark().Replace(text, "• ").Trim();
    }

    [GeneratedRegex(@"!?\[([^\]\n]*)\]\(([^)\s]*)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(\*\*|__|\*|`)(?=\S)([^\n]+?)(?<=\S)\1")]
    private static partial Regex Emphasis();

    [GeneratedRegex(@"^[ \t]*[-*+•][ \t]+", RegexOptions.Multiline)]
    private static partial Regex ListMark();
}
