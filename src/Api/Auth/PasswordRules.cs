using AgentPlatform.Api.Auth.CommonPasswords;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Auth;

/// <summary>Which passwords are taken: long ones that nobody would guess first. Kinds of characters aren't prescribed; they make passwords worse, not better.</summary>
internal static class PasswordRules
{
    /// <summary>Fewest different characters.</summary>
    public const int MinDifferentCharacters = 5;

    /// <summary>Shortest name before an address's at sign that counts.</summary>
    private const int MinName = 4;

    /// <summary>Least worth of a password, as <see cref="CommonPasswordList.Worth"/> counts: fewer are guessed within a day, however well they are hashed.</summary>
    public const int MinWorth = 5;

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
        var address = ComparableText.Of(email);
        var name = address.Split('@')[0];
        if (plain.Contains(address, StringComparison.Ordinal) || (name.Length >= MinName && plain.Replace(name, "", StringComparison.Ordinal).Length < MinDifferentCharacters))
        {
            return "must not be made of the e-mail address.";
        }
        return CommonPasswordList.Worth(plain, [address, name]) < MinWorth ? "is one that is guessed first. Take several words, or let a password manager make one." : null;
    }

    /// <summary>The same as a problem of a field.</summary>
    public static Problem? Check(string field, string password, string email, AccountOptions options) =>
        Complaint(password, email, options) is { } complaint ? Problem.Invalid($"/{field}", $"/{field} {complaint}") : null;
}
