using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Knowledge;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace AgentPlatform.Grains.Tests.Agents;

/// <summary>An organization with an agent in a database of its own, and the services that answer for it.</summary>
internal sealed class TestCompany : IAsyncDisposable
{
    private TestCompany(TestDatabase database, ServiceProvider services)
    {
        Database = database;
        Services = services;
    }

    public TestDatabase Database { get; }

    public ServiceProvider Services { get; }

    public Guid OrganizationId { get; } = Guid.CreateVersion7();

    public Guid PersonaId { get; } = Guid.CreateVersion7();

    public Guid AgentId { get; } = Guid.CreateVersion7();

    public Guid ChannelId { get; } = Guid.CreateVersion7();

    public SecretBox Secrets => Services.GetRequiredService<SecretBox>();

    public ITurnRunner Runner => Services.GetRequiredService<ITurnRunner>();

    public static async Task<TestCompany> CreateAsync(Action<IServiceCollection>? configure = null, params (string Key, string Value)[] settings)
    {
        var database = await TestDatabase.CreateAsync();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))
                .Append(KeyValuePair.Create("ALLOW_PRIVATE_ENDPOINTS", (string?)"true"))).Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton(database.DataOptions);
        services.AddSingleton(provider => new EngineDataSource(provider.GetRequiredService<DataOptions>()));
        services.AddSingleton<ConfigurationChanges>();
        services.AddSingleton(SecretBox.Parse(SecretBox.NewKey("test")));
        configure?.Invoke(services);
        services.AddAgents(configuration);
        var company = new TestCompany(database, services.BuildServiceProvider());
        await company.Execute("INSERT INTO organizations (id, name, slug) VALUES ($1, 'Silk Road Tours', 'silk-' || $2)", company.OrganizationId, company.OrganizationId.ToString("N"));
        await company.Execute("INSERT INTO personas (id, organization_id, name) VALUES ($1, $2, 'Aida')", company.PersonaId, company.OrganizationId);
        await company.Execute("INSERT INTO agents (id, organization_id, name, status, persona_id) VALUES ($1, $2, 'Aida', 'active', $3)", company.AgentId, company.OrganizationId, company.PersonaId);
        await company.Execute("INSERT INTO channels (id, organization_id, agent_id, name, platform) VALUES ($1, $2, $3, 'Web', 'web')", company.ChannelId, company.OrganizationId, company.AgentId);
        return company;
    }

    /// <summary>Runs a statement as the engine and tells the caches, as Postgres would have by itself.</summary>
    public async Task Execute(string sql, params object[] parameters)
    {
        await using var command = Services.GetRequiredService<EngineDataSource>().CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        await command.ExecuteNonQueryAsync();
        Services.GetRequiredService<ConfigurationChanges>().Publish(ConfigurationChange.Everything);
    }

    public async Task<T?> Scalar<T>(string sql, params object[] parameters)
    {
        await using var command = Services.GetRequiredService<EngineDataSource>().CreateCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        }

        return await command.ExecuteScalarAsync() is T value ? value : default;
    }

    public async Task<Guid> AddArticle(string title, string content, string? language = null, Guid? agentId = null, bool isPublished = true, Guid? organizationId = null, string[]? tags = null)
    {
        var id = Guid.CreateVersion7();
        await Execute(
            "INSERT INTO knowledge_articles (id, organization_id, title, content, language, agent_id, is_published, tags) VALUES ($1, $2, $3, $4, nullif($5, ''), nullif($6, '00000000-0000-0000-0000-000000000000'::uuid), $7, $8)",
            id, organizationId ?? OrganizationId, title, content, language ?? "", agentId ?? Guid.Empty, isPublished, tags ?? []);
        return id;
    }

    public async Task Index()
    {
        var indexer = Services.GetRequiredService<ArticleIndexer>();
        while (await indexer.IndexNext(CancellationToken.None) is not null)
        {
        }

        Services.GetRequiredService<ConfigurationChanges>().Publish(ConfigurationChange.Everything);
    }

    /// <summary>A conversation with the given messages: customer's ones begin with "&gt; ". The turn answers the customer's last ones.</summary>
    public async Task<TurnRequest> Converse(params string[] messages)
    {
        var contactId = Guid.CreateVersion7();
        var conversationId = Guid.CreateVersion7();
        await Execute("INSERT INTO contacts (id, organization_id, channel_id, platform, platform_user_id) VALUES ($1, $2, $3, 'web', $4)", contactId, OrganizationId, ChannelId, contactId.ToString());
        await Execute("INSERT INTO conversations (id, organization_id, channel_id, contact_id, last_sequence) VALUES ($1, $2, $3, $4, $5)", conversationId, OrganizationId, ChannelId, contactId, (long)messages.Length);
        for (var i = 0; i < messages.Length; i++)
        {
            var isInbound = messages[i].StartsWith("> ", StringComparison.Ordinal);
            await Execute(
                "INSERT INTO messages (organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                OrganizationId, conversationId, ChannelId, contactId, (long)i + 1, isInbound ? "inbound" : "outbound", isInbound ? "user" : "ai", isInbound ? "received" : "sent", isInbound ? messages[i][2..] : messages[i]);
        }

        var first = messages.Length;
        while (first > 1 && messages[first - 2].StartsWith("> ", StringComparison.Ordinal))
        {
            first--;
        }

        return new TurnRequest
        {
            TurnId = Guid.CreateVersion7(),
            Attempt = 1,
            OrganizationId = OrganizationId,
            ChannelId = ChannelId,
            ConversationId = conversationId,
            ContactId = contactId,
            AgentId = AgentId,
            FirstSequence = first,
            LastSequence = messages.Length,
        };
    }

    public async Task<TurnResult> Ask(params string[] messages) => await Runner.Run(await Converse([.. messages]), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await Services.DisposeAsync();
        await Database.DisposeAsync();
    }
}
