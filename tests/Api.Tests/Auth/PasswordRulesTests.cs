using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Auth.CommonPasswords;

namespace AgentPlatform.Api.Tests.Auth;

public sealed class PasswordRulesTests
{
    private const string Email = "martina.huber@example.com";

    [Theory]
    [InlineData("Password1234")]
    [InlineData("p@$$w0rd2026")]
    [InlineData("Summer2026!!")]
    [InlineData("summer12345")]
    [InlineData("liverpool1234")]
    [InlineData("iloveyou12345")]
    [InlineData("monkeydragon")]
    [InlineData("qwertyuiop12")]
    [InlineData("1qaz2wsx1qaz")]
    [InlineData("0123456789876543210")]
    [InlineData("abcdefghij2024")]
    [InlineData("Passwort2025!")]
    [InlineData("motdepasse99")]
    [InlineData("Contraseña123")]
    [InlineData("Пароль123456")]
    [InlineData("йцукенгшщз1")]
    [InlineData("galatasaray1905")]
    [InlineData("AgentPlatform1")]
    [InlineData("trustno1trustno1")]
    public void What_is_guessed_first_is_refused(string password) =>
        Assert.Contains("guessed first", PasswordRules.Complaint(password, Email, new AccountOptions()), StringComparison.Ordinal);

    [Theory]
    [InlineData("seven blue elephants")]
    [InlineData("Held-0ut-Passw0rd!")]
    [InlineData("correct horse battery staple")]
    [InlineData("jX8#kq2L!p")]
    [InlineData("ненавижу понедельники")]
    [InlineData("ihatemondays7x")]
    [InlineData("令和八年の桜は早い")]
    public void What_takes_long_to_guess_is_taken(string password) =>
        Assert.Null(PasswordRules.Complaint(password, Email, new AccountOptions { PasswordMinLength = 8 }));

    [Theory]
    [InlineData("martina.huber@example.com")]
    [InlineData("Martina.Huber1!")]
    [InlineData("xx martina.huber@example.com xx")]
    public void A_password_is_not_made_of_the_address(string password) =>
        Assert.Contains("e-mail address", PasswordRules.Complaint(password, Email, new AccountOptions()), StringComparison.Ordinal);

    [Fact]
    public void A_password_is_worth_no_more_than_its_characters_and_a_known_one_no_more_than_a_word()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(4, AuthOptions.MaxPasswordLength + 1)).Select(_ => (char)random.Next(0x21, 0x7F)));
            var (worth, known) = (CommonPasswordList.Worth(text, []), CommonPasswordList.Worth(text, [text]));
            Assert.True(worth <= text.Length && known <= Math.Min(worth, 2), $"seed {seed}: {text} is worth {worth}, and {known} when it is known");
        }
    }
}
