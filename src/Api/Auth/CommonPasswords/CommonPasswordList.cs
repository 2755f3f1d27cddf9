using System.Collections.Frozen;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Auth.CommonPasswords;

/// <summary>
/// What passwords are made of first: common passwords (words.txt), years, and characters in a row. A guesser tries these, and puts them together, long before anything else (NIST
/// SP 800-63B, 3.1.1.2: what is known to be used is not taken).
/// </summary>
internal static class CommonPasswordList
{
    /// <summary>What a common word counts for: some thousands are tried in its place, as are for two letters.</summary>
    private const int WordWorth = 2;

    /// <summary>Shortest word that counts as one.</summary>
    private const int MinWord = 4;

    /// <summary>Fewest characters of a row, such as <c>123</c>, <c>ba</c> or <c>!!</c>.</summary>
    private const int MinRow = 2;

    private const int YearLength = 4;

    private static readonly FrozenSet<string> Words = Read().ToFrozenSet(StringComparer.Ordinal);

    private static readonly int MaxWord = Words.Max(static word => word.Length);

    /// <summary>What people write for letters. Of two letters that a sign may stand for, either is tried.</summary>
    private static readonly (string Signs, string Letters)[] Disguises = [("013457@$!", "oieastasi"), ("013457@$!", "oleastasl")];

    /// <summary>
    /// How many characters' worth of guessing a password is: one for each character, a row of them, or a year, and two for each word, in the way that makes the fewest.
    /// </summary>
    /// <param name="password">In comparable form.</param>
    /// <param name="own">Words that are common for this person, in comparable form: the address, the name.</param>
    public static int Worth(string password, IReadOnlyCollection<string> own)
    {
        string[] readings = [password, .. Disguises.Select(disguise => Undisguised(password, disguise.Signs, disguise.Letters)).Distinct()];
        var longest = Math.Max(MaxWord, own.Select(static word => word.Length).DefaultIfEmpty().Max());
        var worth = new int[password.Length + 1];
        for (var end = 1; end <= password.Length; end++)
        {
            worth[end] = worth[end - 1] + 1;
            for (var start = Math.Max(0, end - longest); start <= end - MinWord; start++)
            {
                if (IsYear(password.AsSpan(start..end)))
                {
                    worth[end] = Math.Min(worth[end], worth[start] + 1);
                }
                else if (readings.Any(reading => reading[start..end] is var word && (Words.Contains(word) || own.Contains(word))))
                {
                    worth[end] = Math.Min(worth[end], worth[start] + WordWorth);
                }
            }
            var row = RowBefore(password, end);
            worth[end] = row >= MinRow ? Math.Min(worth[end], worth[end - row] + 1) : worth[end];
        }
        return worth[^1];
    }

    private static bool IsYear(ReadOnlySpan<char> text) => text.Length == YearLength && text[..2] is "19" or "20" && char.IsAsciiDigit(text[2]) && char.IsAsciiDigit(text[3]);

    /// <summary>How many characters before a place each follow from the one before: the next one, the last one, or the same.</summary>
    private static int RowBefore(string password, int end)
    {
        var start = end - 1;
        while (start > 0 && password[start] - password[start - 1] is var step && Math.Abs(step) <= 1 && (start + 1 == end || step == password[start + 1] - password[start]))
        {
            start--;
        }
        return end - start;
    }

    private static string Undisguised(string password, string signs, string letters) => string.Create(password.Length, (password, signs, letters), static (text, given) =>
    {
        for (var index = 0; index < text.Length; index++)
        {
            var sign = given.signs.IndexOf(given.password[index], StringComparison.Ordinal);
            text[index] = sign < 0 ? given.password[index] : given.letters[sign];
        }
    });

    private static IEnumerable<string> Read()
    {
        using var reader = new StreamReader(typeof(CommonPasswordList).Assembly.GetManifestResourceStream("passwords/words.txt")!);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith("# ", StringComparison.Ordinal) && ComparableText.Of(line) is { Length: >= MinWord } word)
            {
                yield return word;
            }
        }
    }
}
