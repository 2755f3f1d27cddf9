using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Data.Tests.Channels;

public sealed class ChannelDirectoryTests : IAsyncLifetime
{
    private static readonly Guid Organization = Guid.NewGuid();
    private static readonly Guid Agent = Guid.NewGuid();
    private static readonly Guid Channel = Guid.NewGuid();

    private readonly SecretBox _box = SecretBox.Parse(SecretBox.NewKey("test"));
    private readonly ConfigurationChanges _changes = new();
    private readonly WarningLog _log = new();
    private TestDatabase _database = null!;
    private ApiDataSource _source = null!;
    private ChannelDirectory _directory = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _source = new ApiDataSource(_database.DataOptions);
        _directory = new ChannelDirectory(_source, _box, _changes, _log);
        var credentials = _box.SealCredentials(Organization, new Dictionary<string, string> { ["appSecret"] = "s3cret", ["verifyToken"] = "verify" });
        await _database.ExecuteAsAdminAsync($$"""
            INSERT INTO organizations (id, name, slug) VALUES ('{{Organization}}', 'Acme', 'acme');
            INSERT INTO agents (id, organization_id, name, status, response_delay_seconds, on_new_message) VALUES ('{{Agent}}', '{{Organization}}', 'Guide', 'active', 7, 'queue');
            INSERT INTO channels (id, organization_id, agent_id, name, platform, platform_channel_id, credentials, settings)
            VALUES ('{{Channel}}', '{{Organization}}', '{{Agent}}', 'Line', 'whatsapp', '106540352242922', '{{credentials}}', '{"apiBaseUrl": "http://127.0.0.1:9", "sendRatePerSecond": 250.5}');
            INSERT INTO content_collections (organization_id, channel_id, collection_id, name, items) VALUES ('{{Organization}}', '{{Channel}}', 'menu', 'Menu', ARRAY['Tea', 'Coffee']);
            INSERT INTO keyword_actions (organization_id, channel_id, keyword, action_type, collection_id) VALUES
                ('{{Organization}}', '{{Channel}}', ' ＳＴＯＰ!‏ ', 'DISABLE_AI', NULL), ('{{Organization}}', '{{Channel}}', 'Menu', 'SEND_COLLECTION', 'menu');
            """);
    }

    public async Task DisposeAsync()
    {
        _directory.Dispose();
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_channel_comes_with_all_that_a_message_needs_to_know()
    {
        var channel = (await _directory.Find(Channel, default))!;

        Assert.Equal((Channel, Organization, Agent, "whatsapp", "106540352242922"), (channel.Id, channel.OrganizationId, channel.AgentId!.Value, channel.Platform, channel.PlatformChannelId));
        Assert.True(channel is { IsActive: true, IsBotActive: true, IsOrganizationAiEnabled: true, HasActiveAgent: true, RestartsOnNewMessage: false, ResponseDelaySeconds: 7, BrokenReason: null });
        Assert.Equal(("s3cret", "http://127.0.0.1:9", 250.5), (channel.Credentials["appSecret"], channel.ApiBaseUrl, channel.SendRatePerSecond));
        Assert.Equal("DISABLE_AI", channel.Keywords["stop"].ActionType);
        Assert.Equal(["Tea", "Coffee"], channel.Keywords["menu"].Items.ToArray());
    }

    [Fact]
    public async Task It_is_found_by_the_platforms_id_too() =>
        Assert.Equal(Channel, Assert.Single(await _directory.FindByPlatformId("whatsapp", "106540352242922", default)));

    [Fact]
    public async Task A_known_channel_is_found_without_waiting_or_asking_again()
    {
        var first = await _directory.Find(Channel, default);
        await _database.ExecuteAsAdminAsync($"UPDATE channels SET name = 'Renamed' WHERE id = '{Channel}'");

        var again = _directory.Find(Channel, default);

        Assert.True(again.IsCompletedSuccessfully);
        Assert.Same(first, await again);
    }

    [Theory]
    [InlineData("UPDATE channels SET is_bot_active = false", "channels")]
    [InlineData("UPDATE organizations SET ai_enabled = false", "organizations")]
    [InlineData("UPDATE agents SET status = 'inactive'", "agents")]
    [InlineData("DELETE FROM keyword_actions", "keyword_actions")]
    [InlineData("UPDATE content_collections SET items = '{}'", "content_collections")]
    public async Task A_change_of_anything_in_it_is_seen(string change, string table)
    {
        var before = await _directory.Find(Channel, default);
        await _database.ExecuteAsAdminAsync(change);
        var id = table switch { "channels" => Channel, "agents" => Agent, "organizations" => Organization, _ => Guid.NewGuid() };

        _changes.Publish(new ConfigurationChange(table, Guid.NewGuid(), Guid.NewGuid())); // somebody else's
        Assert.Same(before, await _directory.Find(Channel, default));
        _changes.Publish(new ConfigurationChange(table, Organization, id));

        Assert.NotEqual(before, await _directory.Find(Channel, default));
    }

    [Fact]
    public async Task A_channel_without_an_agent_has_the_default_one_of_its_organization()
    {
        var (draft, second, chosen) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await Change("channels", $"UPDATE channels SET agent_id = NULL WHERE id = '{Channel}'");
        Assert.Equal(Agent, await Answering());

        await Change("agents", $"INSERT INTO agents (id, organization_id, name, status, created_at) VALUES ('{draft}', '{Organization}', 'Older, a draft', 'draft', now() - interval '1 day')");
        Assert.Equal(Agent, await Answering());
        await Change("agents", $"UPDATE agents SET status = 'active' WHERE id = '{draft}'");
        Assert.Equal(draft, await Answering());
        await Change("agents", $"INSERT INTO agents (id, organization_id, name, status) VALUES ('{chosen}', '{Organization}', 'Chosen', 'active'), ('{second}', '{Organization}', 'Second', 'active')");
        await Change("organizations", $"UPDATE organizations SET default_agent_id = '{chosen}' WHERE id = '{Organization}'");
        Assert.Equal(chosen, await Answering());
        await Change("agents", $"UPDATE agents SET status = 'inactive' WHERE id = '{chosen}'");
        Assert.Equal(draft, await Answering());
        await Change("agents", $"UPDATE agents SET status = 'active' WHERE id = '{chosen}'");
        Assert.Equal(chosen, await Answering());
        await Change("agents", $"DELETE FROM agents WHERE id IN ('{chosen}', '{draft}')");
        Assert.Equal(Agent, await Answering());
        await Change("agents", $"UPDATE agents SET status = 'archived' WHERE organization_id = '{Organization}'");
        Assert.Null(await Answering());
        Assert.Equal("no_active_agent", (await _directory.Find(Channel, default))!.NotAnsweredCode);
    }

    [Theory]
    [InlineData("UPDATE channels SET is_active = false", "channels", "channel_inactive")]
    [InlineData("UPDATE channels SET is_bot_active = false", "channels", "bot_inactive")]
    [InlineData("UPDATE organizations SET ai_enabled = false", "organizations", "organization_ai_disabled")]
    [InlineData("UPDATE agents SET status = 'inactive'", "agents", "agent_inactive")]
    [InlineData("DELETE FROM agents", "agents", "no_active_agent")]
    public async Task A_channel_that_nobody_answers_says_why_and_is_logged_once(string change, string table, string code)
    {
        Assert.Null((await _directory.Find(Channel, default))!.NotAnsweredCode);
        Assert.Empty(_log.Lines);

        await Change(table, change);
        for (var times = 0; times < 3; times++)
        {
            Assert.Equal(code, (await _directory.Find(Channel, default))!.NotAnsweredCode);
            _changes.Publish(ConfigurationChange.Everything);
        }

        var line = Assert.Single(_log.Lines);
        Assert.Contains($"channel {Channel} (Line)", line, StringComparison.Ordinal);
        Assert.Contains(code, line, StringComparison.Ordinal);
        Assert.Contains(NotAnswered.Describe(code), line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_inactive_agent_of_the_channels_own_is_not_replaced()
    {
        var other = Guid.NewGuid();
        await Change("agents", $"INSERT INTO agents (id, organization_id, name, status) VALUES ('{other}', '{Organization}', 'Other', 'active'); UPDATE agents SET status = 'inactive' WHERE id = '{Agent}'");

        var channel = (await _directory.Find(Channel, default))!;
        Assert.Equal((Agent, false, "agent_inactive"), (channel.AgentId!.Value, channel.HasActiveAgent, channel.NotAnsweredCode));
        await Change("agents", $"UPDATE agents SET status = 'active' WHERE id = '{Agent}'");
        Assert.Null((await _directory.Find(Channel, default))!.NotAnsweredCode);
        await Change("agents", $"UPDATE agents SET status = 'inactive' WHERE id = '{Agent}'");
        Assert.Equal("agent_inactive", (await _directory.Find(Channel, default))!.NotAnsweredCode);
        Assert.Equal(2, _log.Lines.Count);
    }

    private async Task<Guid?> Answering() => await _directory.Find(Channel, default) is { HasActiveAgent: true } channel ? channel.AgentId : null;

    /// <summary>A change of one of the organization's rows, told as Postgres tells it.</summary>
    private async Task Change(string table, string sql)
    {
        await _directory.Find(Channel, default);
        await _database.ExecuteAsAdminAsync(sql);
        _changes.Publish(new ConfigurationChange(table, Organization, table == "channels" ? Channel : Guid.NewGuid()));
    }

    private sealed class WarningLog : ILogger<ChannelDirectory>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lock (Lines)
                {
                    Lines.Add(formatter(state, exception));
                }
            }
        }
    }

    [Fact]
    public async Task After_a_lost_connection_everything_is_read_again()
    {
        var before = await _directory.Find(Channel, default);
        _changes.Publish(ConfigurationChange.Everything);

        Assert.NotSame(before, await _directory.Find(Channel, default));
    }

    [Fact]
    public async Task A_channel_that_is_made_later_is_found()
    {
        var id = Guid.NewGuid();
        Assert.Null(await _directory.Find(id, default));
        Assert.Empty(await _directory.FindByPlatformId("telegram", "7", default));
        await _database.ExecuteAsAdminAsync($"INSERT INTO channels (id, organization_id, name, platform, platform_channel_id) VALUES ('{id}', '{Organization}', 'New', 'telegram', '7')");
        Assert.Null(await _directory.Find(id, default));

        _changes.Publish(new ConfigurationChange("channels", Organization, id));

        Assert.Equal("New", (await _directory.Find(id, default))?.Name);
        Assert.Equal(id, Assert.Single(await _directory.FindByPlatformId("telegram", "7", default)));
        Assert.True(await _directory.Find(id, default) is { HasActiveAgent: true } found && found.AgentId == Agent);
    }

    [Fact]
    public async Task Credentials_that_cannot_be_opened_are_no_credentials()
    {
        await _database.ExecuteAsAdminAsync($"UPDATE channels SET credentials = 'AQR0ZXN0' WHERE id = '{Channel}'");

        Assert.Empty((await _directory.Find(Channel, default))!.Credentials);
    }

    [Fact]
    public async Task An_address_for_a_whole_app_knows_the_tokens_of_all_active_channels()
    {
        var sealedAgain = _box.SealCredentials(Organization, new Dictionary<string, string> { ["verifyToken"] = "another", ["appSecret"] = "s3cret" });
        var sealedOff = _box.SealCredentials(Organization, new Dictionary<string, string> { ["verifyToken"] = "off" });
        await _database.ExecuteAsAdminAsync($"""
            INSERT INTO channels (organization_id, name, platform, credentials) VALUES ('{Organization}', 'Two', 'whatsapp', '{sealedAgain}'), ('{Organization}', 'Three', 'whatsapp', NULL);
            INSERT INTO channels (organization_id, name, platform, credentials, is_active) VALUES ('{Organization}', 'Off', 'whatsapp', '{sealedOff}', false);
            """);

        Assert.Equal(["another", "verify"], (await _directory.FindAll("whatsapp", "verifyToken", default)).Order());
        Assert.Equal(["s3cret"], (await _directory.FindAll("whatsapp", "appSecret", default)).ToArray());
        Assert.Empty(await _directory.FindAll("telegram", "secretToken", default));
    }

    [Fact]
    public async Task A_failed_look_up_is_not_remembered()
    {
        await _database.ExecuteAsAdminAsync("REVOKE EXECUTE ON FUNCTION find_channel_for_webhook(uuid, text, text) FROM agentplatform_api");
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await _directory.Find(Channel, default));
        await _database.ExecuteAsAdminAsync("GRANT EXECUTE ON FUNCTION find_channel_for_webhook(uuid, text, text) TO agentplatform_api");

        Assert.NotNull(await _directory.Find(Channel, default));
    }

    [Fact]
    public async Task Guessed_ids_do_not_fill_the_memory()
    {
        using var directory = new ChannelDirectory(_source, _box, _changes, _log) { MaxUnknownRemembered = 100 };
        await directory.Find(Channel, default);
        for (var i = 0; i < 450; i++)
        {
            Assert.Null(await directory.Find(Guid.NewGuid(), default));
        }

        Assert.InRange(directory.Remembered, 1, 101);
        Assert.True(directory.Find(Channel, default).IsCompletedSuccessfully);
    }
}
