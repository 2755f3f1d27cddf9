using AgentPlatform.Grains.Knowledge.Text;

namespace AgentPlatform.Grains.Knowledge;

/// <summary>A question as the ranking sees it: its terms, each with how much it weighs, and all of its words.</summary>
internal sealed class QuestionTerms
{
    /// <summary>What a term of an earlier message weighs, when the question alone is too short to stand.</summary>
    private const double ContextWeight = 0.35;

    private QuestionTerms(List<(Term Term, double Weight)> terms, HashSet<string> words, string? language)
    {
        Terms = terms;
        Words = words;
        Language = language;
        Set = new TermSet(terms.Select(term => term.Term));
    }

    /// <summary>Each stem once.</summary>
    public IReadOnlyList<(Term Term, double Weight)> Terms { get; }

    /// <summary>The same, to be looked up.</summary>
    public TermSet Set { get; }

    /// <summary>Every word, stop words too.</summary>
    public IReadOnlySet<string> Words { get; }

    /// <summary>ISO 639-1, or null.</summary>
    public string? Language { get; }

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

        return new QuestionTerms(terms, [.. WordReader.Read(text)], language);
    }
}

/// <summary>Orders what the searches found: by the words in common, weighed by how rare they are among what was found, and by the ranks of the searches.</summary>
internal static class PassageRanking
{
    /// <summary>The constant of reciprocal rank fusion: how slowly a rank loses its worth.</summary>
    public const int FusionConstant = 60;

    private const double BestConceptMatch = 0.85;
    private const double BothWorth = 0.1;
    private const double HeadingWorth = 1.4;
    private const double TitleWorth = 1.3;
    private const double TextWorth = 0.85;
    private const double ConceptInTextWorth = 0.5;
    private const double LiteralWorth = 0.2;
    private const double FocusWorth = 0.25;
    private const double TitleFocusWorth = 0.9;
    private const double SameLanguageWorth = 1.6;
    private const double EnglishWorth = 1.05;
    private const double UnknownTermWorth = 0.55;
    private const double CommonTermWorth = 0.15;
    private const double NumberWorth = 0.3;

    /// <summary>The candidates in order, best first, with <see cref="Passage.Coverage"/> and <see cref="Passage.Score"/>.</summary>
    public static List<Passage> Rank(IReadOnlyCollection<Passage> candidates, QuestionTerms question, KnowledgeVocabulary vocabulary)
    {
        var language = question.Language;
        var weights = Weigh(question, vocabulary);
        var scored = candidates.Select(passage =>
        {
            var words = PassageWords.Read(passage);
            var coverage = Cover(words, question, weights);
            return passage with { Coverage = coverage, HeadingFit = HeadingFit(words, question, weights) * Math.Min(1, coverage * 2) };
        }).ToList();
        var byFit = scored.Where(passage => passage.Coverage > 0).OrderByDescending(passage => passage.Fit).ThenByDescending(passage => passage.Similarity ?? 0)
            .Select((passage, index) => (passage.ChunkId, Rank: index + 1)).ToDictionary(pair => pair.ChunkId, pair => pair.Rank);
        return [.. scored
            .Select(passage => passage with
            {
                Score = (Worth(passage.VectorRank) + Worth(passage.TextRank) + (2 * Worth(byFit.TryGetValue(passage.ChunkId, out var rank) ? rank : null)))
                    * LanguageWorth(passage, language),
            })
            .OrderByDescending(passage => passage.Score).ThenByDescending(passage => passage.Fit).ThenBy(passage => passage.ChunkId)];
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

        return all > 0 ? met / all : 0;
    }

    /// <summary>Between two texts that speak of the same: the one whose heading asks just that, in the same words.</summary>
    public static double HeadingFit(PassageWords words, QuestionTerms question, IReadOnlyList<double> weights)
    {
        var literal = question.Words.Count == 0 ? 0 : question.Words.Count(words.HeadingWords.Contains) / (double)question.Words.Count;
        // A section that says itself what its article is about is better than its neighbours.
        var both = weights.Where((_, i) => IsOfArticleAndSection(words, question.Terms[i].Term)).Sum();
        return (FocusWorth * Math.Max(Focus(words.Heading, question), TitleFocusWorth * Focus(words.Title, question))) + (LiteralWorth * literal) + (both > 0 ? BothWorth * both / weights.Sum() : 0);
    }

    /// <summary>What each term of the question weighs: more the fewer of the organization's texts speak of it.</summary>
    public static List<double> Weigh(QuestionTerms question, KnowledgeVocabulary vocabulary) => [.. question.Terms.Select(asked =>
    {
        var (texts, frequency) = vocabulary.Of(asked.Term, question.Language);
        var highest = Math.Log(1 + texts + 0.5);
        var rarity = frequency == 0 ? highest * UnknownTermWorth : Math.Log(1 + ((texts - frequency + 0.5) / (frequency + 0.5)));
        return asked.Weight * Math.Max(rarity, highest * CommonTermWorth) * (char.IsDigit(asked.Term.Word[0]) ? NumberWorth : 1);
    })];

    /// <summary>How much of a heading is asked for.</summary>
    private static double Focus(TermSet heading, QuestionTerms question) =>
        heading.Terms.Count == 0 ? 0 : heading.Terms.Count(term => question.Set.Match(term) > 0) / (double)heading.Terms.Count;

    private static double Worth(int? rank) => rank is { } place ? 1.0 / (FusionConstant + place) : 0;

    /// <summary>How well a text speaks about one term.</summary>
    public static double Match(PassageWords words, Term asked) => Math.Max(Above(words, asked), InText(words.Text.Match(asked)));

    private static double Above(PassageWords words, Term asked) => Math.Max(
        Standing(HeadingWorth, words.Heading.Match(asked)), Standing(TitleWorth, Math.Max(words.Title.Match(asked), words.Tags.Match(asked))));

    private static bool IsOfArticleAndSection(PassageWords words, Term asked) =>
        words.Text.Match(asked) >= TermSet.Exact && words.Heading.Match(asked) == 0 && (words.Title.Match(asked) > 0 || words.Tags.Match(asked) > 0);

    private static double InText(double match) => match >= TermSet.Exact ? TextWorth : match >= TermSet.SameConcept ? ConceptInTextWorth : TextWorth * match;

    /// <summary>A match in a heading is worth more, but not more than the word itself.</summary>
    private static double Standing(double worth, double match) => match >= TermSet.Exact ? TermSet.Exact : Math.Min(BestConceptMatch, worth * match);
}

/// <summary>Terms that can be looked up in every way in which two terms meet.</summary>
internal sealed class TermSet
{
    /// <summary>The same stem.</summary>
    public const double Exact = 1.0;

    /// <summary>Other words for the same thing.</summary>
    public const double SameConcept = 0.75;

    /// <summary>One stem begins or ends with the other.</summary>
    public const double Alike = 0.6;

    private const int SharedLetters = 5;

    private readonly HashSet<string> _stems = new(StringComparer.Ordinal);
    private readonly HashSet<string> _concepts = new(StringComparer.Ordinal);
    private readonly List<Term> _terms = [];

    public TermSet(IEnumerable<Term> terms)
    {
        foreach (var term in terms)
        {
            if (_stems.Add(term.Stem))
            {
                _terms.Add(term);
                foreach (var concept in Concepts.Of(term.Stem))
                {
                    _concepts.Add(concept);
                }
            }
        }
    }

    public static TermSet Empty { get; } = new([]);

    /// <summary>Each stem once.</summary>
    public IReadOnlyList<Term> Terms => _terms;

    /// <summary>How well the best of the terms meets one: <see cref="Exact"/> to 0.</summary>
    public double Match(Term asked)
    {
        if (_stems.Contains(asked.Stem))
        {
            return Exact;
        }

        foreach (var concept in Concepts.Of(asked.Stem))
        {
            if (_concepts.Contains(concept))
            {
                return SameConcept;
            }
        }

        // Compounds and forms that the stemmer doesn't know: Reiseversicherung and Versicherung, Bischkek and Bischkeks.
        foreach (var term in _terms)
        {
            var (shorter, longer) = term.Stem.Length < asked.Stem.Length ? (term.Stem, asked.Stem) : (asked.Stem, term.Stem);
            if (shorter.Length >= SharedLetters && (longer.StartsWith(shorter, StringComparison.Ordinal) || longer.EndsWith(shorter, StringComparison.Ordinal)))
            {
                return Alike;
            }
        }

        return 0;
    }
}

/// <summary>The terms of a passage, by where they stand.</summary>
internal sealed record PassageWords
{
    private static readonly HashSet<string> NoWords = [];

    /// <summary>ISO 639-1, or null.</summary>
    public string? Language { get; private init; }
    public TermSet Title { get; private init; } = TermSet.Empty;
    public TermSet Tags { get; private init; } = TermSet.Empty;
    public TermSet Heading { get; private init; } = TermSet.Empty;
    public TermSet Text { get; private init; } = TermSet.Empty;

    /// <summary>Every word of the heading, or of the title where there is none; stop words too.</summary>
    public HashSet<string> HeadingWords { get; private init; } = NoWords;

    /// <summary>Reads a passage's words.</summary>
    public static PassageWords Read(Passage passage) => Read(passage.Title, passage.Tags, passage.Heading, passage.Text, passage.Language);

    /// <summary>Reads a chunk's words.</summary>
    public static PassageWords Read(string title, IReadOnlyList<string> tags, string? heading, string text, string? language) => new()
    {
        Language = language,
        Title = Distinct(title, language),
        Tags = tags.Count == 0 ? TermSet.Empty : Distinct(string.Join(' ', tags), language),
        Heading = heading is null ? TermSet.Empty : Distinct(heading, language),
        Text = Distinct(text, language),
        HeadingWords = [.. WordReader.Read(heading ?? title)],
    };

    /// <summary>The words of a sentence, on its own.</summary>
    public static PassageWords Read(string sentence, string? language) => new() { Language = language, Text = Distinct(sentence, language) };

    private static TermSet Distinct(string text, string? language) => new(TextWords.Terms(text, language));
}
