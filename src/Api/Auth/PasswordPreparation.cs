using System.Globalization;
using System.Text;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// What of a password counts, so that it is the same from every keyboard: the profile OpaqueString of RFC 8265. Every space is the space of ASCII, letters are composed (NFC),
/// case counts.
/// </summary>
internal static class PasswordPreparation
{
    /// <summary>The password as it is hashed.</summary>
    public static string Prepared(string password)
    {
        if (Ascii.IsValid(password))
        {
            return password;
        }
        var spaced = new StringBuilder(password.Length);
        foreach (var rune in password.EnumerateRunes())
        {
            spaced.Append(Rune.GetUnicodeCategory(rune) == UnicodeCategory.SpaceSeparator ? " " : rune.ToString());
        }
        return TypedText.Of(spaced.ToString());
    }

    /// <summary>What a stored hash may have been made of: the prepared password, and before passwords were prepared what a browser sent, composed or not.</summary>
    public static IEnumerable<string> Forms(string password) => Ascii.IsValid(password) ? [password]
        : new[] { Prepared(password), password, TypedText.Of(password), TypedText.Of(password).Normalize(NormalizationForm.FormD) }.Distinct(StringComparer.Ordinal);

    /// <summary>Whether it holds a character that can't be typed again: a control, or one that nobody sees.</summary>
    public static bool IsForbidden(string password) => password.EnumerateRunes().Any(rune => Rune.IsControl(rune) || TypedText.IsIdle(rune));
}
