using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Runtime.Tests.Support;
using Orleans.Storage;

namespace AgentPlatform.Runtime.Tests.Persistence;

public sealed class StateTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _silo = await TestSilo.StartOnAsync(_database);
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task State_is_there_again_after_a_restart()
    {
        var (guid, key) = (Guid.NewGuid(), Signals.NewName());
        await _silo.Grains.GetGrain<INoteGrain>(key).Add("first");
        await _silo.Grains.GetGrain<INoteGrain>(key).Add("second");
        await _silo.Grains.GetGrain<INoteByGuidGrain>(guid).Add();
        await _silo.Grains.GetGrain<INoteByIntegerGrain>(5, "a", null).Add();
        await _silo.Grains.GetGrain<INoteByIntegerGrain>(5, "b", null).Add();

        await RestartAsync();

        Assert.Equal(["first", "second"], await _silo.Grains.GetGrain<INoteGrain>(key).Read());
        Assert.Equal(2, await _silo.Grains.GetGrain<INoteByGuidGrain>(guid).Add());
        Assert.Equal(2, await _silo.Grains.GetGrain<INoteByIntegerGrain>(5, "a", null).Add());
        Assert.Equal((true, "2"), await _silo.Grains.GetGrain<INoteGrain>(key).Stored());
    }

    [Fact]
    public async Task A_grain_without_stored_state_begins_with_an_empty_one()
    {
        var grain = _silo.Grains.GetGrain<INoteGrain>(Signals.NewName());

        Assert.Empty(await grain.Read());
        Assert.Equal((false, null), await grain.Stored());
    }

    [Fact]
    public async Task Cleared_state_is_gone_and_can_be_written_again()
    {
        var key = Signals.NewName();
        var grain = _silo.Grains.GetGrain<INoteGrain>(key);
        await grain.Add("first");

        await grain.Clear();
        Assert.Empty(await grain.Read());
        Assert.False((await grain.Stored()).Stored);
        await grain.Add("second");
        await RestartAsync();

        Assert.Equal(["second"], await _silo.Grains.GetGrain<INoteGrain>(key).Read());
    }

    [Fact]
    public async Task Writing_over_somebody_elses_change_fails_and_the_grain_starts_afresh()
    {
        var key = Signals.NewName();
        var grain = _silo.Grains.GetGrain<INoteGrain>(key);
        await grain.Add("mine");
        await SomebodyElseWritesAsync(key);

        await Assert.ThrowsAsync<InconsistentStateException>(() => grain.Add("more"));
        await Signals.Happened("left " + key);

        Assert.Equal(["mine"], await grain.Read());
        await grain.Add("again");
    }

    [Fact]
    public async Task A_grain_may_settle_a_conflict_itself()
    {
        var key = Signals.NewName();
        var grain = _silo.Grains.GetGrain<INoteGrain>(key);
        await grain.Add("mine");
        await SomebodyElseWritesAsync(key);

        Assert.Equal("conflict", await grain.AddCarefully("more"));
        Assert.Equal("written", await grain.AddCarefully("more"));
        Assert.Equal(["mine", "more"], await grain.Read());
    }

    [Fact]
    public async Task A_first_write_fails_where_somebody_else_was_first()
    {
        var key = Signals.NewName();
        var grain = _silo.Grains.GetGrain<INoteGrain>(key);
        Assert.Empty(await grain.Read());
        await _database.ExecuteAsAdminAsync(
            $"insert into orleans_grain_states (service_id, state_name, key_n0, key_n1, key_text, payload, version) values ('tests', 'notes', 0, 0, '{key}', convert_to('{{\"Lines\":[\"theirs\"]}}', 'UTF8'), 1)");

        await Assert.ThrowsAsync<InconsistentStateException>(() => grain.Add("mine"));
        await Signals.Happened("left " + key);

        Assert.Equal(["theirs"], await grain.Read());
    }

    private Task SomebodyElseWritesAsync(string key) =>
        _database.ExecuteAsAdminAsync($"update orleans_grain_states set version = version + 1 where key_text = '{key}'");

    private async Task RestartAsync()
    {
        await _silo.DisposeAsync();
        _silo = await TestSilo.StartOnAsync(_database);
    }
}
