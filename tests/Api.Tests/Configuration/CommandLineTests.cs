using System.Diagnostics;
using AgentPlatform.Silo.Hosting;

namespace AgentPlatform.Api.Tests.Configuration;

/// <summary>What an operator is told who gives wrong settings or a wrong command line: one line, and nothing of the program's insides.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--super-admin", "needs the e-mail address")]
    [InlineData("--reset-password", "needs the e-mail address")]
    [InlineData("--no-super-admin", "needs the e-mail address")]
    [InlineData("--super-admin --migrate", "needs the e-mail address")]
    [InlineData("--super-admin ann@example.com", null)]
    [InlineData("--PORT=8081 --reset-password ann@example.com", null)]
    [InlineData("--migrate", null)]
    [InlineData("--nonsense", "means nothing")]
    [InlineData("ann@example.com", "means nothing")]
    public void A_mistake_is_told(string arguments, string? told) => Assert.Contains(told ?? "", CommandLine.Mistake(arguments.Split(' ')) ?? "", StringComparison.Ordinal);

    [Theory]
    [InlineData("DATABASE_URL", "", "DATABASE_URL is not set")]
    [InlineData("DATABASE_URL", "postgres://anna:5/hidden@localhost/shop", "DATABASE_URL is not a valid URL")]
    [InlineData("PORT", "abc", "PORT is abc; it must be a whole number.")]
    [InlineData("API_IN_SILO", "maybe", "API_IN_SILO is maybe; it must be true or false.")]
    [InlineData("SMTP_TLS", "foo", "SMTP_TLS is foo")]
    [InlineData("ORLEANS_CLUSTERING", "etcd", "ORLEANS_CLUSTERING")]
    [InlineData("JWT_SIGNING_KEY", "short", "JWT_SIGNING_KEY")]
    [InlineData("SECRETS_KEYS", "hidden", "SECRETS_KEYS")]
    public async Task A_wrong_setting_is_told_in_one_line(string name, string value, string told)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "AgentPlatform.Silo.dll");
        var start = new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (setting, right) in new[]
        {
            ("DATABASE_URL", "postgres://anna:password@localhost/shop"), ("JWT_SIGNING_KEY", new string('k', 44)), ("SECRETS_KEYS", "k1:" + Convert.ToBase64String(new byte[32])), ("SMTP_HOST", "mail.example.com"),
            ("SMTP_FROM", "a@example.com"), ("PUBLIC_BASE_URL", "https://platform.example.com"), (name, value),
        })
        {
            start.Environment[setting] = value.Length == 0 && setting == name ? null : right;
        }
        using var process = Process.Start(start)!;
        var (errors, printed) = (process.StandardError.ReadToEndAsync(), process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        var line = Assert.Single((await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((2, true, false), (process.ExitCode, line.Contains(told, StringComparison.Ordinal), line.Contains("hidden", StringComparison.Ordinal)));
        Assert.DoesNotContain("   at ", await printed, StringComparison.Ordinal);
    }
}
