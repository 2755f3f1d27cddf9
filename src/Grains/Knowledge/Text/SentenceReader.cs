namespace AgentPlatform.Grains.Knowledge.Text;

/// <summary>Cuts text into sentences: at full stops, question and exclamation marks (Arabic ones too) and line ends; each list item is its own.</summary>
internal static class SentenceReader
{
    /// <summary>A full stop after one of these ends no sentence.</summary>
    private static readonly HashSet<string> Abbreviations = new(StringComparer.OrdinalIgnoreCase)
    {
        "e.g", "i.e", "etc", "approx", "no", "mr", "mrs", "dr", "st", "vs", "p.m", "a.m", "z.b", "bzw", "ca", "usw", "d.h", "nr", "inkl", "str",
        "т.д", "т.е", "т.п", "т.к", "руб", "сом", "ул", "г", "мин", "макс", "др", "np", "tzn", "ul", "godz", "zł", "min", "max", "ej", "p", "env", "tel", "sra", "sr", "ud",
    };

    /// <summary>The sentences in order, trimmed, none empty.</summary>
    public static List<string> Read(string text)
    {
        var sentences = new List<string>();
        foreach (var line in text.Split('\n'))
        {
            ReadLine(line.Trim(), sentences);
        }

        return sentences;
    }

    private static void ReadLine(string line, List<string> sentences)
    {
        var start = 0;
        for (var i = 0; i < line.Length; i++)
        {
            if (!IsEnd(line[i]))
            {
                continue;
            }

            var end = i + 1;
            while (end < line.Length && (IsEnd(line[end]) || line[end] is ')' or '"' or '»' or '”' or '’'))
            {
                end++;
            }

            if (end < line.Length && !char.IsWhiteSpace(line[end]) || line[i] == '.' && EndsInAbbreviation(line.AsSpan(start, i - start)))
            {
                continue;
            }

            Add(line[start..end], sentences);
            start = end;
            i = end - 1;
        }

        Add(line[start..], sentences);
    }

    private static void Add(string sentence, List<string> sentences)
    {
        sentence = sentence.Trim();
        if (sentence.AsSpan().IndexOfAnyExceptInRange('\0', '/') >= 0)
        {
            sentences.Add(sentence);
        }
    }

    private static bool IsEnd(char letter) => letter is '.' or '!' or '?' or '…' or '؟' or '。' or '！' or '？';

    private static bool EndsInAbbreviation(ReadOnlySpan<char> before)
    {
        var word = before[(before.LastIndexOfAny(' ', '(', '\t') + 1)..];
        // A list's own number ("1. First"), an initial, or a known abbreviation.
        return word.Length == 1 && char.IsLetter(word[0]) || before.Length <= 2 && before.Length > 0 && char.IsDigit(before[^1])
            || word.Length <= 7 && Abbreviations.Contains(word.ToString());
    }
}
