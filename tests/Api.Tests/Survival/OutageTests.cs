using System.Collections.Concurrent;
using System.Net;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Migrations;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.WhatsApp;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>Postgres goes away under load, and comes back.</summary>
public sealed class OutageTests(ITestOutputHelper output)
{
    private const int People = 20;
    private const int MessagesEach = 8;

    [Fact]
    public async Task While_Postgres_is_away_webhooks_get_503_with_Retry_After_and_then_all_goes_on()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        await using var postgres = await PostgresServer.StartNewAsync();
        await new Migrator(DataOptions.From(postgres.Url), NullLogger<Migrator>.Instance).MigrateAsync();
        await using var world = await SurvivalWorld.Start(DataOptions.From(postgres.Url).AdminConnectionString);
        var acknowledged = new ConcurrentBag<string>();

        var load = Enumerable.Range(0, People).Select(person => Task.Run(async () =>
        {
            var random = new Random(seed + person);
            for (var i = 0; i < MessagesEach; i++)
            {
                var id = $"wamid.{person:000}.{i:000}";
                await world.Until200(WhatsAppBodies.Text(SurvivalWorld.PhoneNumberId, $"4918{person:00000}", id, $"message {i}"));
                acknowledged.Add(id);
                await Task.Delay(random.Next(5, 90));
            }
        })).ToArray();
        await Task.Delay(80);
        await postgres.StopAsync();

        using (var answer = await world.Platform.Deliver(WhatsAppBodies.Text(SurvivalWorld.PhoneNumberId, "4918999", "wamid.refused", "is anybody there?")))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.NotNull(answer.Headers.RetryAfter);
        }
        await postgres.StartAsync();
        await Task.WhenAll(load);
        await postgres.CrashAsync();
        await postgres.StartAsync();
        await world.Until200(WhatsAppBodies.Text(SurvivalWorld.PhoneNumberId, "4918999", "wamid.refused", "is anybody there?"));
        acknowledged.Add("wamid.refused");
        await world.Settled();
        await world.AssertWhole([.. acknowledged]);
    }
}
