using AgentPlatform.Api.Emails;
using AgentPlatform.Data;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Api.Tests.Emails;

/// <summary>Settings that can't work end the process at start, by a message that names them.</summary>
public sealed class MailOptionsTests
{
    private static readonly Dictionary<string, string?> Least = new() { ["SMTP_HOST"] = "smtp.example.com", ["SMTP_FROM"] = "Größe, Inc. <platform@example.com>", ["PUBLIC_BASE_URL"] = "https://platform.example.com" };

    private static readonly Dictionary<string, string?> OAuth = new(Least)
    {
        ["SMTP_USER"] = "platform@example.com",
        ["SMTP_OAUTH_TOKEN_URL"] = "https://login.example.com/token",
        ["SMTP_OAUTH_CLIENT_ID"] = "app",
        ["SMTP_OAUTH_CLIENT_SECRET"] = "app secret",
    };

    [Fact]
    public void What_is_not_set_has_its_default()
    {
        var options = MailOptions.Read(Configuration(Least));
        Assert.Equal(new MailOptions { Host = "smtp.example.com", From = Least["SMTP_FROM"]!, EhloName = "platform.example.com" }, options);
        Assert.Equal(("platform@example.com", "Größe, Inc."), (options.Sender.Address, options.Sender.Name));
        Assert.Equal(465, MailOptions.Read(Configuration(Least, ("SMTP_TLS", "implicit"))).Port);
        Assert.False(MailOptions.Read(Configuration([])).IsConfigured);
    }

    [Fact]
    public void Tokens_stand_in_place_of_a_password()
    {
        var options = MailOptions.Read(Configuration(OAuth, ("SMTP_OAUTH_SCOPE", "mail")));
        Assert.Equal(new MailOAuthOptions { TokenUrl = new("https://login.example.com/token"), ClientId = "app", ClientSecret = "app secret", Scope = "mail" }, options.OAuth);
        Assert.DoesNotContain("secret", $"{options} {options.OAuth}", StringComparison.Ordinal);
        Assert.Equal("refresh", MailOptions.Read(Configuration(OAuth, ("SMTP_OAUTH_CLIENT_SECRET", null), ("SMTP_OAUTH_REFRESH_TOKEN", "refresh"))).OAuth!.RefreshToken);
    }

    [Theory]
    [InlineData("SMTP_TLS", "always", "SMTP_TLS is always")]
    [InlineData("SMTP_FROM", "platform", "SMTP_FROM must be")]
    [InlineData("SMTP_FROM", null, "SMTP_FROM must be")]
    [InlineData("PUBLIC_BASE_URL", null, "PUBLIC_BASE_URL is not")]
    [InlineData("SMTP_USER", null, "SMTP_OAUTH_TOKEN_URL needs SMTP_USER")]
    [InlineData("SMTP_PASSWORD", "secret", "in place of SMTP_PASSWORD")]
    [InlineData("SMTP_OAUTH_TOKEN_URL", "http://login.example.com/token", "SMTP_OAUTH_TOKEN_URL must be")]
    [InlineData("SMTP_OAUTH_TOKEN_URL", "login", "SMTP_OAUTH_TOKEN_URL must be")]
    [InlineData("SMTP_OAUTH_CLIENT_ID", null, "needs SMTP_OAUTH_CLIENT_ID")]
    [InlineData("SMTP_OAUTH_CLIENT_SECRET", null, "needs SMTP_OAUTH_CLIENT_SECRET or SMTP_OAUTH_REFRESH_TOKEN")]
    [InlineData("SMTP_MAILS_PER_MINUTE", "0", "SMTP_MAILS_PER_MINUTE is 0")]
    [InlineData("SMTP_TIMEOUT_SECONDS", "-1", "SMTP_TIMEOUT_SECONDS is -1")]
    [InlineData("ALERT_MAILS_PER_DAY", "0", "ALERT_MAILS_PER_DAY is 0")]
    public void A_setting_that_can_not_work_is_named(string name, string? value, string said) =>
        Assert.Contains(said, Assert.Throws<SettingException>(() => MailOptions.Read(Configuration(OAuth, (name, value)))).Message, StringComparison.Ordinal);

    private static IConfiguration Configuration(Dictionary<string, string?> settings, params (string Name, string? Value)[] changed)
    {
        var all = new Dictionary<string, string?>(settings);
        foreach (var (name, value) in changed)
        {
            all[name] = value;
        }
        return new ConfigurationBuilder().AddInMemoryCollection(all).Build();
    }
}
