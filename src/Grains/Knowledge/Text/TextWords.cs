namespace AgentPlatform.Grains.Knowledge.Text;

/// <summary>A word that carries meaning: its form, its stem, and what it may stand for.</summary>
internal readonly record struct Term(string Word, string Stem);

/// <summary>The words of a text that say what it is about.</summary>
internal static class TextWords
{
    /// <summary>The terms in order, without stop words; all words when nothing else is left ("how are you").</summary>
    public static List<Term> Terms(string text, string? language)
    {
        var terms = new List<Term>();
        foreach (var word in WordReader.Read(text))
        {
            if ((word.Length > 1 || char.IsDigit(word[0]) || word[0] > '\u0600') && !StopWords.Contains(language, word))
            {
                terms.Add(new Term(word, Stemmer.Stem(word)));
            }
        }

        return terms;
    }

    /// <summary>
    /// What full text is given to index or to look for: the text itself where PostgreSQL knows the language's word forms; our own stems beside it where it doesn't.
    /// </summary>
    public static string ForFullText(string text, string? language) =>
        language is "en" or "ru" or "ar" or "fr" or "de" or "es" ? text : $"{text} {Plain(text, language)}";

    /// <summary>Words and stems of the meaningful words, for a search whatever the language.</summary>
    public static string Plain(string text, string? language) =>
        string.Join(' ', Terms(text, language).SelectMany(term => term.Word == term.Stem ? [term.Word] : new[] { term.Word, term.Stem }).Distinct());
}
