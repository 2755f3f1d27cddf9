using System.Collections.Concurrent;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.WhatsApp;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>The silo dies at any moment, and comes back.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int People = 30;
    private const int MessagesEach = 8;
    private const int Kills = 3;

    [Fact]
    public async Task After_kill_minus_9_under_load_every_acknowledged_message_is_stored_once_answered_once_and_in_order()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        await using var database = await TestDatabase.CreateAsync();
        await using var world = await SurvivalWorld.Start(database.Url);
        var acknowledged = new ConcurrentBag<string>();

        var load = Enumerable.Range(0, People).Select(person => Task.Run(async () =>
        {
            var random = new Random(seed + person);
            for (var i = 0; i < MessagesEach; i++)
            {
                var id = $"wamid.{person:000}.{i:000}";
                var body = WhatsAppBodies.Text(PhoneNumber, $"4917{person:00000}", id, $"message {i} of {person}");
                // Some come from two connections at once, some again later.
                await Task.WhenAll(Enumerable.Range(0, random.Next(1, 4)).Select(_ => world.Until200(body)));
                acknowledged.Add(id);
                await Task.Delay(random.Next(5, 90));
            }
        })).ToArray();
        var moments = new Random(seed);
        for (var kill = 0; kill < Kills; kill++)
        {
            await Task.Delay(moments.Next(20, 95));
            await world.Silo.Kill();
            await world.Silo.Start();
        }
        await Task.WhenAll(load);
        await world.Settled();

        await world.AssertWhole([.. acknowledged]);
        Assert.Empty(await world.Column($"""
            SELECT conversation_id::text FROM messages WHERE direction = 'inbound' GROUP BY conversation_id
            HAVING array_agg(platform_message_id ORDER BY sequence) <> array_agg(platform_message_id ORDER BY platform_message_id)
            """));
    }

    private static string PhoneNumber => SurvivalWorld.PhoneNumberId;
}
