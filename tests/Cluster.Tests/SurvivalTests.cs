using System.Collections.Concurrent;
using AgentPlatform.Api.Tests.Survival;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.WhatsApp;
using Xunit.Abstractions;

namespace AgentPlatform.Cluster.Tests;

/// <summary>The product itself in several silos: webhooks reach any of them, they speak TLS with each other, one is killed, another joins.</summary>
public sealed class SurvivalTests(ITestOutputHelper output)
{
    private const int People = 30;
    private const int MessagesEach = 10;

    [Fact]
    public async Task A_cluster_that_loses_a_silo_and_gains_one_stores_and_answers_every_message_once_and_in_order()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        using var certificates = new ClusterCertificates();
        var cluster = new Dictionary<string, string>(certificates.Settings("silo"))
        {
            ["ORLEANS_CLUSTERING"] = "postgres",
            ["ORLEANS_CLUSTER_ID"] = $"survival-{seed}",
            ["ORLEANS_ADVERTISED_IP"] = "127.0.0.1",
            ["ORLEANS_RESPONSE_TIMEOUT_SECONDS"] = "5",
        };
        await using var database = await TestDatabase.CreateAsync();
        await using var world = await SurvivalWorld.Start(database.Url, cluster);
        var second = await world.AddSilo(cluster);
        var acknowledged = new ConcurrentBag<string>();
        var halfway = new TaskCompletionSource();

        var load = Enumerable.Range(0, People).Select(person => Task.Run(async () =>
        {
            for (var i = 0; i < MessagesEach; i++)
            {
                var id = $"wamid.{person:000}.{i:000}";
                await world.Until200(WhatsAppBodies.Text(SurvivalWorld.PhoneNumberId, $"4921{person:00000}", id, $"message {i} of {person}"));
                acknowledged.Add(id);
                if (acknowledged.Count >= People * MessagesEach / 3)
                {
                    halfway.TrySetResult();
                }
            }
        })).ToArray();
        await halfway.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await second.Kill();
        await world.AddSilo(cluster);
        await Task.WhenAll(load);
        await world.Settled();

        await world.AssertWhole([.. acknowledged]);
        Assert.Empty(await world.Column("""
            SELECT conversation_id::text FROM messages WHERE direction = 'inbound' GROUP BY conversation_id
            HAVING array_agg(platform_message_id ORDER BY sequence) <> array_agg(platform_message_id ORDER BY platform_message_id)
            """));
    }
}
