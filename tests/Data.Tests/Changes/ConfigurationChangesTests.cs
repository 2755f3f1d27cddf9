using System.Threading.Channels;
using AgentPlatform.Data.Changes;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.Time;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Data.Tests.Changes;

public sealed class ConfigurationChangesTests : IAsyncLifetime
{
    private static readonly Guid Organization = Guid.NewGuid();
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Channel<ConfigurationChange> _received = Channel.CreateUnbounded<ConfigurationChange>();
    private readonly ConfigurationChanges _changes = new();
    private readonly FakeTimeProvider _time = new();
    private TestDatabase _database = null!;
    private ConfigurationChangesListener _listener = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        await _database.ExecuteAsAdminAsync(
            """
            set role agentplatform_migrator;
            create table probe_settings (id uuid primary key, organization_id uuid, value int);
            create trigger announce after insert or update or delete on probe_settings for each row execute function notify_configuration_changed();
            """);
        _changes.Subscribe(change => _received.Writer.TryWrite(change));
        _listener = new ConfigurationChangesListener(_database.DataOptions, _changes, _time, NullLogger<ConfigurationChangesListener>.Instance);
        await _listener.StartAsync(default);
        Assert.True((await NextAsync()).IsEverything);
    }

    public async Task DisposeAsync()
    {
        await _listener.StopAsync(default);
        _listener.Dispose();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_committed_change_names_its_table_organization_and_row()
    {
        var id = Guid.NewGuid();
        await _database.ExecuteAsAdminAsync($"insert into probe_settings values ('{id}', '{Organization}', 1)");
        await _database.ExecuteAsAdminAsync($"delete from probe_settings where id = '{id}'");

        Assert.Equal(new ConfigurationChange("probe_settings", Organization, id), await NextAsync());
        Assert.Equal(new ConfigurationChange("probe_settings", Organization, id), await NextAsync());
    }

    [Fact]
    public async Task A_change_that_is_rolled_back_is_not_told()
    {
        var kept = Guid.NewGuid();
        await _database.ExecuteAsAdminAsync($"begin; insert into probe_settings values ('{Guid.NewGuid()}', '{Organization}', 1); rollback");
        await _database.ExecuteAsAdminAsync($"insert into probe_settings values ('{kept}', null, 1)");

        Assert.Equal(new ConfigurationChange("probe_settings", null, kept), await NextAsync());
    }

    [Fact]
    public async Task After_a_lost_connection_everything_may_have_changed_and_listening_goes_on()
    {
        await _database.ExecuteAsAdminAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'agentplatform configuration listener' and datname = current_database()");
        await _time.WaitForTimersAsync(1).WaitAsync(Patience);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True((await NextAsync()).IsEverything);

        var id = Guid.NewGuid();
        await _database.ExecuteAsAdminAsync($"insert into probe_settings values ('{id}', '{Organization}', 1)");
        Assert.Equal(id, (await NextAsync()).Id);
    }

    [Fact]
    public async Task A_payload_that_is_not_understood_may_have_been_anything()
    {
        await _database.ExecuteAsAdminAsync("select pg_notify('configuration_changed', 'gibberish')");

        Assert.True((await NextAsync()).IsEverything);
    }

    [Fact]
    public async Task A_subscriber_that_fails_silences_nobody()
    {
        using var failing = _changes.Subscribe(_ => throw new InvalidOperationException("broken subscriber"));
        using var late = _changes.Subscribe(change => _received.Writer.TryWrite(change));
        await _database.ExecuteAsAdminAsync("select pg_notify('configuration_changed', '{\"table\":\"agents\"}')");

        Assert.Equal("agents", (await NextAsync()).Table);
        Assert.Equal("agents", (await NextAsync()).Table);
    }

    [Fact]
    public void A_subscription_that_was_disposed_hears_nothing()
    {
        var heard = 0;
        var subscription = _changes.Subscribe(_ => heard++);
        _changes.Publish(ConfigurationChange.Everything);
        subscription.Dispose();
        _changes.Publish(ConfigurationChange.Everything);

        Assert.Equal(1, heard);
    }

    private async Task<ConfigurationChange> NextAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _received.Reader.ReadAsync(patience.Token);
    }
}
