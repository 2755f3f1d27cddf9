namespace AgentPlatform.Grains.Knowledge.Text;

/// <summary>Tells which of the seven known languages a text is written in: by script, by the words that build sentences, by letters only one language has.</summary>
internal static class LanguageDetector
{
    /// <summary>A text longer than this is judged by its beginning, in characters.</summary>
    private const int LongestSample = 2000;

    private const double StopWordWeight = 1.0;
    private const double LetterWeight = 0.8;
    private const double EndingWeight = 0.35;
    private const double KnownWordWeight = 0.9;

    /// <summary>The language and how clearly it stands out, or null when nothing speaks for any.</summary>
    /// <param name="text">A message or a document.</param>
    public static string? Detect(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }

        var sample = text.AsSpan(0, Math.Min(text.Length, LongestSample));
        var (latin, cyrillic, arabic) = CountScripts(sample);
        if (cyrillic > latin && cyrillic >= arabic)
        {
            return HasUkrainianOnly(sample) ? null : "ru";
        }

        if (arabic > latin)
        {
            return HasPersianOnly(sample) ? null : "ar";
        }

        return latin == 0 ? null : DetectLatin(sample);
    }

    private static string? DetectLatin(ReadOnlySpan<char> sample)
    {
        var scores = new Dictionary<string, double> { ["en"] = 0, ["fr"] = 0, ["de"] = 0, ["es"] = 0, ["pl"] = 0 };
        var words = WordReader.Read(sample);
        foreach (var word in words)
        {
            foreach (var language in StopWords.LanguagesOf(word))
            {
                if (scores.TryGetValue(language, out var score))
                {
                    // One-letter words are weak witnesses.
                    scores[language] = score + (word.Length == 1 ? 0.4 : StopWordWeight);
                }
            }

            foreach (var language in Concepts.LanguagesOf(word))
            {
                if (scores.TryGetValue(language, out var score))
                {
                    scores[language] = score + KnownWordWeight;
                }
            }

            foreach (var (ending, language) in Endings)
            {
                if (word.Length > ending.Length + 2 && word.EndsWith(ending, StringComparison.Ordinal))
                {
                    scores[language] += EndingWeight;
                }
            }
        }

        foreach (var letter in sample)
        {
            foreach (var language in LettersOf(char.ToLowerInvariant(letter)))
            {
                scores[language] += LetterWeight;
            }
        }

        var ranked = scores.OrderByDescending(pair => pair.Value).ToList();
        return ranked[0].Value > 0 && ranked[0].Value > ranked[1].Value ? ranked[0].Key : null;
    }

    private static string[] LettersOf(char letter) => letter switch
    {
        'ä' or 'ß' => ["de"],
        'ö' or 'ü' => ["de"],
        'ñ' or '¿' or '¡' or 'á' or 'í' or 'ú' => ["es"],
        'ą' or 'ę' or 'ł' or 'ś' or 'ź' or 'ż' or 'ć' or 'ń' => ["pl"],
        'ó' => ["es", "pl"],
        'ç' or 'è' or 'ê' or 'à' or 'ù' or 'î' or 'ô' or 'œ' or 'ë' or 'û' or 'â' => ["fr"],
        'é' => ["fr", "es"],
        _ => [],
    };

    private static readonly (string Ending, string Language)[] Endings =
    [
        ("ing", "en"), ("tion", "en"), ("tion", "fr"), ("ment", "fr"), ("eux", "fr"), ("ung", "de"), ("keit", "de"), ("lich", "de"), ("en", "de"),
        ("cion", "es"), ("dad", "es"), ("amos", "es"), ("ow", "pl"), ("ych", "pl"), ("acja", "pl"), ("ego", "pl"), ("ie", "pl"),
    ];

    private static (int Latin, int Cyrillic, int Arabic) CountScripts(ReadOnlySpan<char> text)
    {
        int latin = 0, cyrillic = 0, arabic = 0;
        foreach (var letter in text)
        {
            switch (letter)
            {
                case >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '\u00C0' and < '\u0250': latin++; break;
                case >= '\u0400' and < '\u0530': cyrillic++; break;
                case >= '\u0600' and < '\u0700': arabic++; break;
            }
        }

        return (latin, cyrillic, arabic);
    }

    private static bool HasUkrainianOnly(ReadOnlySpan<char> text) => text.ContainsAny("їєґЇЄҐ");

    private static bool HasPersianOnly(ReadOnlySpan<char> text) => text.ContainsAny("پچژگ");
}
