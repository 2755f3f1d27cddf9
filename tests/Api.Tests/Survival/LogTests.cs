using System.Net;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>What an operator finds in the log of a silo that has nothing to complain about.</summary>
public sealed class LogTests
{
    private const int People = 50;
    private const int MessagesEach = 2;

    [Fact]
    public async Task A_start_and_a_hundred_messages_leave_under_a_hundred_lines()
    {
        await using var database = await TestDatabase.CreateAsync();
        var settings = new Dictionary<string, string> { ["Logging__LogLevel__Default"] = "Information" };
        await using var migration = new SiloProcess(database.Url, settings);
        var migrated = await migration.Run("--migrate");
        await using var world = await SurvivalWorld.Start(database.Url, settings);

        await Task.WhenAll(Enumerable.Range(0, People).Select(async person =>
        {
            for (var i = 0; i < MessagesEach; i++)
            {
                await world.Until200(WhatsAppBodies.Text(SurvivalWorld.PhoneNumberId, $"4917{person:00000}", $"wamid.{person}.{i}", $"message {i}"));
            }
        }));
        await world.Settled();
        // Somebody who tries without a sign-in, or with one that has ended.
        using var stranger = new HttpClient { BaseAddress = world.Silo.Address };
        for (var i = 0; i < 100; i++)
        {
            using var answer = await stranger.GetAsync(new Uri("/v1/me", UriKind.Relative));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        }

        Assert.Equal(People * MessagesEach, await world.Scalar("SELECT count(*) FROM messages WHERE direction = 'inbound'"));
        var lines = (migrated + world.Silo.Log).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(lines.Length, 1, 99);
        Assert.DoesNotContain(lines, line => line.Contains("Polly", StringComparison.Ordinal) || line.Contains("wamid", StringComparison.Ordinal));
    }
}
