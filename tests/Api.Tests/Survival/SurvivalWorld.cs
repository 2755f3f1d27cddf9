using System.Collections.Concurrent;
using System.Net;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Fakes.WhatsApp;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace AgentPlatform.Api.Tests.Survival;

/// <summary>
/// One organization with one WhatsApp channel whose agent answers by itself, the silo as a process, and the platform beside it. The platform
/// behaves as the real one: it delivers again until it gets a 200, and sends a receipt for whatever it accepted.
/// </summary>
internal sealed class SurvivalWorld : IAsyncDisposable
{
    public const string PhoneNumberId = "106540352242922";
    private const string AppSecret = "an app secret";
    private const string AccessToken = "a system user token";
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentBag<Task> _receipts = [];
    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 256 }) { Timeout = TimeSpan.FromSeconds(20) };
    private readonly string _url;
    private SiloProcess[] _silos;

    private SurvivalWorld(string url, SiloProcess silo, FakeGraphApi graph)
    {
        _url = url;
        _silos = [silo];
        Graph = graph;
    }

    public static Guid OrganizationId { get; } = Guid.Parse("0190aaaa-0000-7000-8000-000000000001");
    public static Guid ChannelId { get; } = Guid.Parse("0190aaaa-0000-7000-8000-000000000002");
    public SiloProcess Silo => _silos[0];
    public FakeGraphApi Graph { get; }

    /// <summary>The platform, as it calls one of the silos.</summary>
    public WhatsAppPlatform Platform => new(_client, new Uri(_silos[Random.Shared.Next(_silos.Length)].Address, $"/webhooks/whatsapp/{ChannelId}"), AppSecret);

    public static async Task<SurvivalWorld> Start(string url, Dictionary<string, string>? settings = null)
    {
        var graph = (await FakeGraphApi.StartAsync()).AddNumber(PhoneNumberId, AccessToken);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["SECRETS_KEYS"] = SiloProcess.SecretsKeys }).Build();
        var credentials = SecretBox.From(configuration).SealCredentials(OrganizationId, new Dictionary<string, string>
        {
            ["appSecret"] = AppSecret,
            ["verifyToken"] = "verify",
            ["accessToken"] = AccessToken,
        });
        await using var connection = new NpgsqlConnection(url);
        await connection.OpenAsync();
        await using var seed = new NpgsqlCommand($$"""
            INSERT INTO organizations (id, name, slug) VALUES ('{{OrganizationId}}', 'Survivors', 'survivors');
            INSERT INTO personas (id, organization_id, name, fallback_message, escalation_policy) VALUES ('0190aaaa-0000-7000-8000-000000000003', '{{OrganizationId}}', 'Plain', 'Thank you, noted.', 'apologize');
            INSERT INTO agents (id, organization_id, name, status, persona_id) VALUES ('0190aaaa-0000-7000-8000-000000000004', '{{OrganizationId}}', 'Agent', 'active', '0190aaaa-0000-7000-8000-000000000003');
            INSERT INTO channels (id, organization_id, agent_id, name, platform, platform_channel_id, credentials, settings)
            VALUES ('{{ChannelId}}', '{{OrganizationId}}', '0190aaaa-0000-7000-8000-000000000004', 'Line', 'whatsapp', '{{PhoneNumberId}}', '{{credentials}}', '{"apiBaseUrl": "{{graph.BaseUrl}}"}');
            """, connection);
        await seed.ExecuteNonQueryAsync();
        var world = new SurvivalWorld(url, new SiloProcess(url, settings), graph);
        graph.OnAccepted = message => world._receipts.Add(Task.Run(() => world.Until200(WhatsAppBodies.Status(PhoneNumberId, message.Recipient, message.Id, "sent", message.Callback))));
        try
        {
            await world.Silo.Start();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts another silo of the same cluster; webhooks go to either from then on.</summary>
    public async Task<SiloProcess> AddSilo(Dictionary<string, string> settings)
    {
        var silo = new SiloProcess(_url, settings);
        _silos = [.. _silos, silo];
        await silo.Start();
        return silo;
    }

    /// <summary>Delivers until the answer is 200, as the platform does. Returns how many deliveries it took.</summary>
    public async Task<int> Until200(byte[] body)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                using var answer = await Platform.Deliver(body, _ending.Token);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return tries;
                }
                Assert.True((int)answer.StatusCode >= 500, $"An authentic webhook got {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
            }
            catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !_ending.IsCancellationRequested)
            {
                // The silo is down: the platform tries again.
            }
            await Task.Delay(30, _ending.Token);
        }
    }

    /// <summary>Waits until no turn is unfinished and no message waits.</summary>
    public async Task Settled()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (true)
        {
            var open = await Scalar("SELECT (SELECT count(*) FROM turns WHERE state IN ('settling', 'running')) + (SELECT count(*) FROM messages WHERE status IN ('pending', 'sending'))");
            if (open == 0)
            {
                return;
            }
            Assert.False(patience.IsCancellationRequested, $"{open} turns and messages are still open. The silos' logs:\n{string.Join('\n', _silos.Select(silo => silo.Log))}");
            await Task.Delay(50);
        }
    }

    /// <summary>What must hold after anything: each message once, in order, answered once, sent once.</summary>
    public async Task AssertWhole(IReadOnlyCollection<string> acknowledged, bool sentExactlyOnce = true)
    {
        Assert.Equal(acknowledged.Order(StringComparer.Ordinal), await Column("SELECT platform_message_id FROM messages WHERE direction = 'inbound' ORDER BY platform_message_id COLLATE \"C\""));
        Assert.Equal(0, await Scalar("SELECT count(*) FROM (SELECT conversation_id FROM messages GROUP BY 1 HAVING count(*) <> max(sequence) OR min(sequence) <> 1) gaps"));
        Assert.Equal(0, await Scalar("SELECT count(*) FROM conversations c WHERE last_sequence <> (SELECT max(sequence) FROM messages m WHERE m.conversation_id = c.id)"));
        // Every incoming message belongs to exactly one completed turn.
        Assert.Empty(await Column("""
            SELECT m.platform_message_id || ': ' || count(t.id) FROM messages m
            LEFT JOIN turns t ON t.conversation_id = m.conversation_id AND t.state = 'completed' AND m.sequence BETWEEN t.first_sequence AND t.last_sequence
            WHERE m.direction = 'inbound' GROUP BY m.id HAVING count(t.id) <> 1
            """));
        Assert.Empty(await Column("SELECT id::text || ' ' || status || ' ' || coalesce(error, '') FROM messages WHERE direction = 'outbound' AND status <> 'sent'"));
        // Usage was counted once for each turn and conversation, whatever was repeated or died: it is what a recount from the turns gives.
        Assert.Empty(await Column($"""
            SELECT coalesce(d.usage_date, r.usage_date) || ': counted ' || d::text || ', recounted ' || r::text
            FROM (SELECT * FROM recount_usage('{OrganizationId}', '2000-01-01', '2999-12-31')) r
            FULL JOIN (SELECT usage_date, agent_responses, tokens_consumed, interactions, errors, conversations, messages FROM usage_daily) d USING (usage_date)
            WHERE (d.agent_responses, d.tokens_consumed, d.interactions, d.errors, d.conversations, d.messages)
                IS DISTINCT FROM (r.agent_responses, r.tokens_consumed, r.interactions, r.errors, r.conversations, r.messages)
            """));
        Assert.NotEqual(0, await Scalar("SELECT sum(conversations) FROM usage_daily"));
        var sent = Graph.Messages.GroupBy(message => message.Callback!).ToDictionary(group => group.Key, group => group.Count());
        var replies = await Column("SELECT id::text FROM messages WHERE direction = 'outbound' ORDER BY id");
        Assert.Equal(replies.Order(StringComparer.Ordinal), sent.Keys.Select(key => Guid.Parse(key).ToString()).Order(StringComparer.Ordinal));
        if (sentExactlyOnce)
        {
            Assert.DoesNotContain(sent, static pair => pair.Value != 1);
        }
    }

    public async Task<long> Scalar(string sql)
    {
        await using var connection = new NpgsqlConnection(_url);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }

    public async Task<IReadOnlyList<string>> Column(string sql)
    {
        await using var connection = new NpgsqlConnection(_url);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetString(0));
        }
        return values;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Task.WhenAll(_receipts).ContinueWith(static _ => { }, TaskScheduler.Default);
        foreach (var silo in _silos)
        {
            await silo.DisposeAsync();
        }
        await Graph.DisposeAsync();
        _client.Dispose();
        _ending.Dispose();
    }
}
