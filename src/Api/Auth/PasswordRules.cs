using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Auth;

/// <summary>Which passwords are taken: long ones that nobody would guess first. Kinds of characters aren't prescribed; they make passwords worse, not better.</summary>
internal static class PasswordRules
{
    /// <summary>Fewest different characters.</summary>
    public const int MinDifferentCharacters = 5;

    /// <summary>What is tried first everywhere, as texts are compared; longer passwords that merely repeat or extend one of these are refused too.</summary>
    private static readonly string[] Common =
    [
        "password", "passw0rd", "p@ssw0rd", "p@ssword", "123456789", "1234567890", "0123456789", "987654321", "qwertyuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "1q2w3e4r",
        "1qaz2wsx", "zaq12wsx", "letmein", "welcome", "iloveyou", "sunshine", "princess", "football", "baseball", "superman", "batman", "dragon", "monkey", "master",
        "trustno1", "administrator", "admin", "changeme", "secret", "default", "login", "abc123", "abcdefghij", "google", "facebook", "whatsapp", "agentplatform", "пароль", "йцукенгшщз", "contraseña", "motdepasse", "passwort",
    ];

    /// <summary>A sentence that says what is wrong with a password; null when it is taken.</summary>
    public static string? Complaint(string given, string email, AccountOptions options)
    {
        if (PasswordPreparation.IsForbidden(given))
        {
            return "must not hold control characters or characters that nobody can see.";
        }
        var password = PasswordPreparation.Prepared(given);
        if (password.Length < options.PasswordMinLength)
        {
            return $"must have at least {options.PasswordMinLength} characters (PASSWORD_MIN_LENGTH).";
        }
        if (password.Distinct().Count() < MinDifferentCharacters)
        {
            return $"must have at least {MinDifferentCharacters} different characters.";
        }
        var plain = ComparableText.Of(password);
        var name = ComparableText.Of(email.Split('@')[0]);
        if (plain.Contains(ComparableText.Of(email), StringComparison.Ordinal) || Leaves(plain, name) < MinDifferentCharacters)
        {
            return "must not be made of the e-mail address.";
        }
        return Common.Any(common => Leaves(plain, common) < MinDifferentCharacters) ? "is one that is guessed first. Take several words, or let a password manager make one." : null;
    }

    /// <summary>The same as a problem of a field.</summary>
    public static Problem? Check(string field, string password, string email, AccountOptions options) =>
        Complaint(password, email, options) is { } complaint ? Problem.Invalid($"/{field}", $"/{field} {complaint}") : null;

    /// <summary>How many characters are left of a password without a word that is guessed; all of it where the word isn't in it.</summary>
    private static int Leaves(string password, string word) =>
        word.Length >= 4 && password.Contains(word, StringComparison.Ordinal) ? password.Replace(word, "", StringComparison.Ordinal).Length : int.MaxValue;
}
