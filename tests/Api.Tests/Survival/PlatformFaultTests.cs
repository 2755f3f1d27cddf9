using System.Collections.Concurrent;
using AgentPlatform.Fakes.Platforms;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.WhatsApp;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>A platform that delivers webhooks several times and out of order, and answers sends with 429, 500, or nothing.</summary>
public sealed class PlatformFaultTests(ITestOutputHelper output)
{
    private const int People = 25;
    private const int MessagesEach = 6;

    [Fact]
    public async Task Webhooks_that_come_up_to_three_times_shuffled_and_on_two_connections_are_stored_and_answered_once()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        await using var database = await TestDatabase.CreateAsync();
        await using var world = await SurvivalWorld.Start(database.Url);
        var random = new Random(seed);
        var deliveries = Enumerable.Range(0, People)
            .SelectMany(person => Enumerable.Range(0, MessagesEach).Select(i => (Person: person, Id: $"wamid.{person:000}.{i:000}")))
            .SelectMany(message => Enumerable.Repeat(message, random.Next(1, 4)))
            .ToArray();
        random.Shuffle(deliveries);

        await Parallel.ForEachAsync(deliveries, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (delivery, _) =>
            await world.Until200(WhatsAppBodies.Text(SurvivalWorld.PhoneNumberId, $"4919{delivery.Person:00000}", delivery.Id, delivery.Id)));
        await world.Settled();
        await world.AssertWhole([.. deliveries.Select(delivery => delivery.Id).Distinct()]);
    }

    [Fact]
    public async Task A_platform_that_answers_429_500_or_nothing_gets_every_reply_once_and_in_order()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        await using var database = await TestDatabase.CreateAsync();
        await using var world = await SurvivalWorld.Start(database.Url, new Dictionary<string, string>
        {
            ["Engine__Delivery__FirstRetry"] = "00:00:00.05",
            ["Engine__Delivery__LongestRetry"] = "00:00:00.3",
            ["Engine__Delivery__DoubtTime"] = "00:00:01.5",
            ["Engine__Delivery__MaxAttempts"] = "100",
        });
        var random = new Random(seed);
        var lockRandom = new Lock();
        world.Graph.FaultFor = _ =>
        {
            int dice;
            lock (lockRandom)
            {
                dice = random.Next(100);
            }
            return dice switch
            {
                < 10 => new PlatformFault.Answer(500),
                < 15 => GraphError.Fault(130429, 429, TimeSpan.FromMilliseconds(50)),
                < 20 => new PlatformFault.Drop(Accept: false),
                < 30 => new PlatformFault.Drop(Accept: true),
                _ => null,
            };
        };
        var acknowledged = new ConcurrentBag<string>();
        await Task.WhenAll(Enumerable.Range(0, People).Select(person => Task.Run(async () =>
        {
            for (var i = 0; i < MessagesEach; i++)
            {
                var id = $"wamid.{person:000}.{i:000}";
                await world.Until200(WhatsAppBodies.Text(SurvivalWorld.PhoneNumberId, $"4920{person:00000}", id, id));
                acknowledged.Add(id);
            }
        })));
        await world.Settled();
        await world.AssertWhole([.. acknowledged]);
        var order = await world.Column("SELECT id::text FROM messages WHERE direction = 'outbound' ORDER BY conversation_id, sequence");
        var accepted = world.Graph.Messages.Select(message => Guid.Parse(message.Callback!).ToString()).ToList();
        var byRecipient = world.Graph.Messages.GroupBy(message => message.Recipient).Select(group => group.Select(message => order.ToList().IndexOf(Guid.Parse(message.Callback!).ToString())).ToArray());
        Assert.All(byRecipient, positions => Assert.Equal(positions.Order(), positions));
        Assert.Equal(order.Count, accepted.Count);
    }
}
