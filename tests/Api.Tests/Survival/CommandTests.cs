using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>What an operator runs on the server.</summary>
public sealed class CommandTests
{
    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task A_command_about_accounts_runs_and_ends_whether_or_not_silos_serve_the_API(string isApiInSilo)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var silo = new SiloProcess(database.Url, new Dictionary<string, string> { ["API_IN_SILO"] = isApiInSilo });
        Assert.Contains("Nobody has the address nobody@example.com.", await silo.Run("--super-admin", "nobody@example.com"), StringComparison.Ordinal);
    }
}
