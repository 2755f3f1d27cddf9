using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Conversations;
using AgentPlatform.Data;
using AgentPlatform.Data.Channels;
using AgentPlatform.Fakes;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Grains.Maintenance;
using AgentPlatform.Grains.Tests.Conversations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Configuration;

namespace AgentPlatform.Grains.Tests.Hosting;

/// <summary>
/// The engine in a silo of its own on a real Postgres, with a platform and a model that a test holds in its hands. Several can stand on one
/// database, as after a restart.
/// </summary>
internal sealed class TestSilo : IAsyncDisposable
{
    private readonly IHost _host;

    private TestSilo(IHost host, TestDatabase database, PlainConnector platform, TestRunner model, TestChannels channels)
    {
        _host = host;
        Database = database;
        Platform = platform;
        Model = model;
        Channels = channels;
    }

    public TestDatabase Database { get; }
    public PlainConnector Platform { get; }
    public TestRunner Model { get; }
    public TestChannels Channels { get; }
    public IGrainFactory Grains => _host.Services.GetRequiredService<IGrainFactory>();
    public IServiceProvider Services => _host.Services;

    public static async Task<TestSilo> Start(TestDatabase database, Action<ChannelSettingsEdit>? channel = null, TimeProvider? clock = null, DeliveryOptions? delivery = null, int sweepLimit = 500)
    {
        var edit = new ChannelSettingsEdit();
        channel?.Invoke(edit);
        var channels = new TestChannels(edit.Settings);
        await Seed(database, edit.Settings);
        var platform = new PlainConnector();
        var model = new TestRunner();
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["DATABASE_URL"] = database.Url });
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Warning).AddConsole();
        builder.Services.AddSingleton(clock ?? TimeProvider.System);
        // Orleans asks for its clocks by key: a test's clock is the application's, and must not stop or rush what a silo does for itself.
        builder.Services.AddKeyedSingleton(KeyedService.AnyKey, TimeProvider.System);
        builder.Services.AddSingleton(database.DataOptions);
        builder.Services.AddData(builder.Configuration);
        builder.Services.AddSingleton<IChannelDirectory>(channels);
        builder.Services.AddSingleton<IChannelConnector>(platform);
        builder.Services.AddSingleton<ChannelBreakage>();
        builder.Services.AddSingleton<AccountConfirmation>();
        builder.Services.AddSingleton<ITurnRunner>(model);
        builder.Services.AddEngine(builder.Configuration);
        builder.Services.AddSingleton(Microsoft.Extensions.Options.Options.Create(delivery ?? new DeliveryOptions { FirstRetry = TimeSpan.FromMilliseconds(20), DoubtTime = TimeSpan.FromMilliseconds(300), LongestRetry = TimeSpan.FromMilliseconds(100) }));
        builder.Services.AddSingleton(Microsoft.Extensions.Options.Options.Create(new EngineInstanceOptions { HeartbeatInterval = TimeSpan.FromMilliseconds(200), DeadAfter = TimeSpan.FromMilliseconds(900), SweepInterval = TimeSpan.FromMilliseconds(200), UnsentAfter = TimeSpan.FromSeconds(1), SweepLimit = sweepLimit }));
        builder.UseOrleans(silo =>
        {
            var (port, gateway) = TestPorts.Pair();
            silo.UseLocalhostClustering(port, gateway, serviceId: "tests", clusterId: Guid.NewGuid().ToString("N"));
            silo.AddMemoryGrainStorageAsDefault();
            silo.UseInMemoryReminderService();
            silo.Configure<GrainCollectionOptions>(static options => options.CollectionAge = TimeSpan.FromMinutes(5));
        });
        var host = builder.Build();
        await host.StartAsync();
        return new TestSilo(host, database, platform, model, channels);
    }

    public IConversationGrain Conversation(string identity) => Grains.GetGrain<IConversationGrain>(new ConversationKey(Samples.Channel, identity).ToString());

    public static InboundBatch From(string identity, params ImmutableArray<InboundMessage> messages) =>
        Samples.Batch(messages) with { Contact = new InboundContact { Identities = [identity] } };

    /// <summary>Waits until a query gives what is wanted; fails with what it gave last.</summary>
    public async Task<T> Until<T>(string sql, Func<T, bool> wanted)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        T? last = default;
        while (!patience.IsCancellationRequested)
        {
            last = await Database.ScalarAsAdminAsync<T>(sql);
            if (wanted(last!))
            {
                return last!;
            }
            await Task.Delay(10);
        }
        throw new TimeoutException($"'{sql}' gave {last} to the end.");
    }

    public async Task<IReadOnlyList<(long Sequence, string Sender, string Status, string? Text)>> Messages(string identity)
    {
        await using var connection = new NpgsqlConnection(Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("""
            SELECT m.sequence, m.sender_type, m.status, m.text_content FROM messages m JOIN contact_identities i ON i.contact_id = m.contact_id WHERE i.identity = $1 ORDER BY m.sequence
            """, connection);
        command.Parameters.Add(new() { Value = identity });
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<(long, string, string, string?)>();
        while (await reader.ReadAsync())
        {
            rows.Add((reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3)));
        }
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private static async Task Seed(TestDatabase database, ChannelSettings channel) => await database.ExecuteAsAdminAsync($"""
        INSERT INTO organizations (id, name, slug) VALUES ('{channel.OrganizationId}', 'Acme', 'acme') ON CONFLICT DO NOTHING;
        INSERT INTO agents (id, organization_id, name, status) VALUES ('{Samples.Agent}', '{channel.OrganizationId}', 'Guide', 'active') ON CONFLICT DO NOTHING;
        INSERT INTO channels (id, organization_id, agent_id, name, platform) VALUES ('{channel.Id}', '{channel.OrganizationId}', '{Samples.Agent}', 'Line', 'whatsapp') ON CONFLICT DO NOTHING;
        """);
}

/// <summary>What a test wants different about the channel.</summary>
internal sealed class ChannelSettingsEdit
{
    public ChannelSettings Settings { get; set; } = Samples.WhatsApp;
}

/// <summary>The one channel of a test.</summary>
internal sealed class TestChannels(ChannelSettings channel) : IChannelDirectory
{
    public ChannelSettings Channel { get; set; } = channel;

    public ValueTask<ChannelSettings?> Find(Guid channelId, CancellationToken cancellationToken) => ValueTask.FromResult(channelId == Channel.Id ? Channel : null);

    public ValueTask<ImmutableArray<Guid>> FindByPlatformId(string platform, string platformChannelId, CancellationToken cancellationToken) => ValueTask.FromResult(ImmutableArray<Guid>.Empty);
}

/// <summary>A model that answers as it is told; it names the messages that it answers.</summary>
internal sealed class TestRunner : ITurnRunner
{
    public ConcurrentQueue<TurnRequest> Requests { get; } = new();

    public Func<TurnRequest, CancellationToken, Task<TurnResult>> Answer { get; set; } = static (request, _) => Task.FromResult(Say($"answer to {request.FirstSequence}-{request.LastSequence}"));

    public Task<TurnResult> Run(TurnRequest request, CancellationToken cancellationToken)
    {
        Requests.Enqueue(request);
        return Answer(request, cancellationToken);
    }

    public static TurnResult Say(string text) => new() { Replies = [new OutgoingContent { Text = text }], Outcome = "replied", Record = new TurnRecord { Responder = "model", InputTokens = 5, OutputTokens = 7 } };
}
