using AgentPlatform.Grains.Knowledge.Text;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>A question as the ranking sees it: its terms, each with how much it weighs.</summary>
internal sealed class QuestionTerms
{
    /// <summary>What a term of an earlier message weighs, when the question alone is too short to stand.</summary>
    private const double ContextWeight = 0.35;

    private QuestionTerms(List<(Term Term, double Weight)> terms) => Terms = terms;

    /// <summary>Each stem once.</summary>
    public IReadOnlyList<(Term Term, double Weight)> Terms { get; }

    /// <summary>Reads a question, with what was said before it, if anything.</summary>
    public static QuestionTerms Read(string text, string? context, string? language)
    {
        var terms = new List<(Term, double)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var term in TextWords.Terms(text, language))
        {
            if (seen.Add(term.Stem))
            {
                terms.Add((term, 1));
            }
        }

        foreach (var term in context is null ? [] : TextWords.Terms(context, language))
        {
            if (seen.Add(term.Stem))
            {
                terms.Add((term, ContextWeight));
            }
        }

        return new QuestionTerms(terms);
    }
}

/// <summary>Orders what the searches found: by the words in common, weighed by how rare they are among what was found, and by the ranks of the searches.</summary>
internal static class PassageRanking
{
    /// <summary>The constant of reciprocal rank fusion: how slowly a rank loses its worth.</summary>
    public const int FusionConstant = 60;

    private const double ExactMatch = 1.0;
    private const double ConceptMatch = 0.75;
    private const double SimilarMatch = 0.6;
    private const double HeadingWorth = 1.4;
    private const double TitleWorth = 1.3;
    private const double TextWorth = 0.85;
    private const double FocusWorth = 0.25;
    private const double SameLanguageWorth = 1.6;
    private const double EnglishWorth = 1.05;
    private const double UnknownTermWorth = 0.45;
    private const double CommonTermWorth = 0.35;
    private const int SharedBeginning = 5;

    /// <summary>The candidates in order, best first, with <see cref="Passage.Coverage"/> and <see cref="Passage.Score"/>.</summary>
    public static List<Passage> Rank(IReadOnlyCollection<Passage> candidates, QuestionTerms question, string? language)
    {
        var documents = candidates.Select(passage => (Passage: passage, Words: PassageWords.Read(passage))).ToList();
        var weights = Weigh(question, documents.ConvertAll(document => document.Words));
        var scored = documents.ConvertAll(document => document.Passage with { Coverage = Cover(document.Words, question, weights) });
        var byCoverage = scored.Where(passage => passage.Coverage > 0).OrderByDescending(passage => passage.Coverage).ThenByDescending(passage => passage.Similarity ?? 0)
            .Select((passage, index) => (passage.ChunkId, Rank: index + 1)).ToDictionary(pair => pair.ChunkId, pair => pair.Rank);
        return [.. scored
            .Select(passage => passage with
            {
                Score = (Worth(passage.VectorRank) + Worth(passage.TextRank) + (2 * Worth(byCoverage.TryGetValue(passage.ChunkId, out var rank) ? rank : null)))
                    * LanguageWorth(passage, language),
            })
            .OrderByDescending(passage => passage.Score).ThenByDescending(passage => passage.Coverage).ThenBy(passage => passage.ChunkId)];
    }

    /// <summary>An answer in the customer's language is worth more than one in another; where it must be another, most people read English.</summary>
    public static double LanguageWorth(Passage passage, string? language) =>
        language is not null && passage.Language == language ? SameLanguageWorth : passage.Language == KnowledgeLanguage.Default ? EnglishWorth : 1;

    /// <summary>How much of the question a text speaks about: 1 when about all of it.</summary>
    public static double Cover(PassageWords words, QuestionTerms question, IReadOnlyList<double> weights)
    {
        double all = 0, met = 0;
        for (var i = 0; i < weights.Count; i++)
        {
            all += weights[i];
            met += weights[i] * Match(words, question.Terms[i].Term);
        }

        if (all <= 0 || met <= 0)
        {
            return 0;
        }

        var focus = Math.Max(Focus(words.Heading, question), Focus(words.Title, question));
        return (met / all) + (FocusWorth * focus * Math.Min(1, met / all * 2));
    }

    /// <summary>What each term of the question weighs: more the fewer of the texts speak of it.</summary>
    public static List<double> Weigh(QuestionTerms question, IReadOnlyCollection<PassageWords> texts)
    {
        var highest = Math.Log(1 + texts.Count + 0.5);
        return [.. question.Terms.Select(asked =>
        {
            var frequency = texts.Count(text => Match(text, asked.Term) > 0);
            var rarity = frequency == 0 ? highest * UnknownTermWorth : Math.Log(1 + ((texts.Count - frequency + 0.5) / (frequency + 0.5)));
            return asked.Weight * Math.Max(rarity, highest * CommonTermWorth);
        })];
    }

    /// <summary>A heading that says just what is asked is better than one that says much else too.</summary>
    private static double Focus(IReadOnlyCollection<Term> heading, QuestionTerms question) =>
        heading.Count == 0 ? 0 : heading.Count(term => question.Terms.Any(asked => MatchTerm(term, asked.Term) > 0)) / (double)heading.Count;

    private static double Worth(int? rank) => rank is { } place ? 1.0 / (FusionConstant + place) : 0;

    private static double Match(PassageWords words, Term asked) => Math.Min(ExactMatch, Math.Max(
        Math.Max(HeadingWorth * Best(words.Heading, asked), TitleWorth * Best(words.Title, asked)), TextWorth * Best(words.Text, asked)));

    private static double Best(IReadOnlyCollection<Term> terms, Term asked)
    {
        double best = 0;
        foreach (var term in terms)
        {
            best = Math.Max(best, MatchTerm(term, asked));
            if (best >= ExactMatch)
            {
                break;
            }
        }

        return best;
    }

    private static double MatchTerm(Term term, Term asked)
    {
        if (term.Stem == asked.Stem)
        {
            return ExactMatch;
        }

        foreach (var concept in Concepts.Of(asked.Stem))
        {
            if (Concepts.Of(term.Stem).Contains(concept))
            {
                return ConceptMatch;
            }
        }

        // Compounds and forms that the stemmer doesn't know: Reiseversicherung and Versicherung, Bischkek and Bischkeks.
        var (shorter, longer) = term.Stem.Length < asked.Stem.Length ? (term.Stem, asked.Stem) : (asked.Stem, term.Stem);
        return shorter.Length >= SharedBeginning && (longer.StartsWith(shorter, StringComparison.Ordinal) || longer.EndsWith(shorter, StringComparison.Ordinal)) ? SimilarMatch : 0;
    }
}

/// <summary>The terms of a passage, by where they stand.</summary>
internal sealed record PassageWords(IReadOnlyCollection<Term> Title, IReadOnlyCollection<Term> Heading, IReadOnlyCollection<Term> Text)
{
    /// <summary>Reads a passage's words.</summary>
    public static PassageWords Read(Passage passage) => new(
        Distinct(passage.Title, passage.Language), passage.Heading is null ? [] : Distinct(passage.Heading, passage.Language), Distinct(passage.Text, passage.Language));

    /// <summary>The words of a sentence, on its own.</summary>
    public static PassageWords Read(string sentence, string? language) => new([], [], Distinct(sentence, language));

    private static HashSet<Term> Distinct(string text, string? language) => [.. TextWords.Terms(text, language)];
}
