using System.Text;
using System.Text.RegularExpressions;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Data.Texts;

/// <summary>
/// What people and organizations call themselves, and what therefore goes into e-mails to others, strangers among them. Whoever puts an address into such a name makes our e-mail carry
/// his own message: it is refused where the name is given, and made harmless where it goes into an e-mail all the same, from an import or from before.
/// </summary>
public static partial class MailedName
{
    /// <summary>Longest name in an e-mail to somebody who didn't ask for it.</summary>
    public const int MaxLength = 60;

    /// <summary>
    /// Whether a name may be given: without web addresses, e-mail addresses, and characters that end a line or turn its direction. A domain alone passes, since companies are called
    /// so (Booking.com).
    /// </summary>
    public static bool IsAllowed(string name) => !Address().IsMatch(name.Normalize(NormalizationForm.FormKC)) && !Controls().IsMatch(name);

    /// <summary>The name on one line, in plain letters, and with a blank wherever a mail program would see something to click on: <c>evil. example</c>.</summary>
    public static string Harmless(string name) =>
        Links().Replace(Blanks().Replace(string.Concat(name.EnumerateRunes().Where(rune => Rune.IsControl(rune) || !TypedText.IsIdle(rune))).Normalize(NormalizationForm.FormKC), " "), "$0 ").Trim();

    /// <summary>The same, no longer than a name is.</summary>
    public static string Short(string name) => Harmless(name) is var harmless && harmless.Length > MaxLength ? JsonText.Cut(harmless, MaxLength - 1) + "…" : harmless;

    [GeneratedRegex(@"://|\bwww\.|[^\s@]@[^\s@]+\.[^\s@.]", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Address();

    [GeneratedRegex(@"[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]", RegexOptions.CultureInvariant)]
    private static partial Regex Controls();

    [GeneratedRegex(@"[\p{Cc}\p{Z}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();

    /// <summary>A dot before what may be a top-level domain or between the numbers of an address, an @ within a word, two slashes. What browsers take for these, such as signs in full width, is made these before.</summary>
    [GeneratedRegex(@"(?<=\S)[.。](?=\p{L}[\p{L}\p{M}]|\p{N}{1,3}[.。])|(?<=\p{L}):(?=\S)|(?<=\S)@(?=\S)|/{2}(?=\S)", RegexOptions.CultureInvariant)]
    private static partial Regex Links();
}
