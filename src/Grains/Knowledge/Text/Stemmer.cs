namespace AgentPlatform.Grains.Knowledge.Text;

/// <summary>
/// Cuts the endings off words, so that forms of one word meet. It goes by the script alone, since a short question often doesn't tell its language;
/// what matters is that question and text are cut alike, not that the stem is a word.
/// </summary>
internal static class Stemmer
{
    /// <summary>Endings cut from one word: more would make strangers meet.</summary>
    private const int Rounds = 2;

    /// <summary>Letters that stay when a single one is cut (цены, atms), or the ending of a noun.</summary>
    private const int Shortest = 3;

    /// <summary>Letters that stay when a longer ending is cut: short verbs would meet strangers (купить, купаться).</summary>
    private const int ShortestLong = 4;

    /// <summary>Longest first. They serve English, French, German, Spanish and Polish at once.</summary>
    private static readonly string[] LatinEndings = ByLength(
        "ations", "ation", "iones", "ciones", "cion", "ion", "ions", "ments", "ment", "ungen", "ung", "ierung", "ierungen", "ieren", "iert", "kami", "kach", "ings", "ing", "edly", "ated", "ate", "able", "ible",
        "ed", "ies", "ied", "ies", "es", "s", "e", "en", "er", "ern", "em", "est", "et", "a", "o", "os", "as", "i", "y", "u", "ow", "ami", "ach", "om", "ego", "emu", "ej", "ie", "iem",
        "ek", "ki", "ka", "ke", "owac", "ac", "ic", "ar", "ir", "ez", "ent", "ant", "ly", "al", "aux", "eux", "euse", "ais", "ait", "ons");

    private static readonly string[] CyrillicNounEndings = ["иями", "иях", "ями", "ами", "ого", "его", "ому", "ему", "ыми", "ими", "ов", "ев", "ом", "ем", "ам", "ям", "ах", "ях", "ой", "ей", "ая", "ые", "ий", "ый"];

    private static readonly string[] CyrillicEndings = ByLength(
        "иями", "иях", "ями", "ами", "ией", "иям", "ием", "ость", "ости", "остью", "ого", "его", "ому", "ему", "ыми", "ими", "ешь", "ишь", "ете", "ите", "ует", "уют", "овать", "евать",
        "ение", "ения", "ению", "ением", "ании", "ание", "ания", "анию", "ться", "тся", "ать", "ять", "ить", "еть", "уть", "ет", "ут", "ют", "ит", "ат", "ят", "ем", "им", "ал", "ил", "ла", "ли", "ло",
        "ая", "яя", "ое", "ее", "ые", "ие", "ый", "ий", "ой", "ей", "ую", "юю", "ых", "их", "ом", "ем", "ам", "ям", "ах", "ях", "ов", "ев", "ью", "ия", "ии", "ию", "ь", "й", "а", "я", "о", "е", "ы", "и", "у", "ю", "к", "ск");

    private static readonly string[] ArabicStarts = ByLength("وال", "بال", "كال", "فال", "ال", "لل", "و", "ف", "ب", "ل", "ك");
    private static readonly string[] ArabicEndings = ByLength("كما", "هما", "تها", "يه", "ات", "ون", "ين", "ان", "ها", "هم", "نا", "كم", "وا", "ته", "تي", "تك", "ه", "ي", "ك");

    /// <summary>The stem of a word in the form of <see cref="WordReader"/>.</summary>
    public static string Stem(string word)
    {
        if (word.Length == 0 || char.IsDigit(word[0]))
        {
            return word;
        }

        return word[0] switch
        {
            >= 'a' and <= 'z' => Shorten(CutEndings(word, LatinEndings)),
            >= '\u0400' and < '\u0530' => CutEndings(word, CyrillicEndings),
            >= '\u0600' and < '\u0700' => CutArabic(word),
            _ => word,
        };
    }

    private static string CutEndings(string word, string[] endings)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var cut = Array.Find(endings, ending => word.Length - ending.Length >= Stay(ending) && word.EndsWith(ending, StringComparison.Ordinal));
            if (cut is null)
            {
                break;
            }

            word = word[..^cut.Length];
        }

        return word;
    }

    private static int Stay(string ending) => ending.Length == 1 || CyrillicNounEndings.Contains(ending) ? Shortest : ShortestLong;

    /// <summary>cancel and cancell are one.</summary>
    private static string Shorten(string word) => word.Length > ShortestLong && word[^1] == word[^2] ? word[..^1] : word;

    private static string CutArabic(string word)
    {
        var start = Array.Find(ArabicStarts, part => word.Length - part.Length >= Shortest && word.StartsWith(part, StringComparison.Ordinal));
        if (start is not null)
        {
            word = word[start.Length..];
        }

        var end = Array.Find(ArabicEndings, part => word.Length - part.Length >= Shortest && word.EndsWith(part, StringComparison.Ordinal));
        return end is null ? word : word[..^end.Length];
    }

    private static string[] ByLength(params string[] parts) => [.. parts.Distinct().OrderByDescending(part => part.Length)];
}
