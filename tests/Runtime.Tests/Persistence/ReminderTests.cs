using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Runtime.Tests.Support;

namespace AgentPlatform.Runtime.Tests.Persistence;

public sealed class ReminderTests : IAsyncLifetime
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(200);
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
    public async Task A_reminder_rings_again_and_again()
    {
        var key = Signals.NewName();

        await _silo.Grains.GetGrain<IAlarmGrain>(key).Set("tea", Often);

        await Signals.Happened("tea rang at " + key, 3);
    }

    [Fact]
    public async Task A_reminder_rings_after_a_restart_although_nobody_calls_its_grain()
    {
        var key = Signals.NewName();
        await _silo.Grains.GetGrain<IAlarmGrain>(key).Set("tea", Often);
        await Signals.Happened("tea rang at " + key);

        await RestartAsync();

        await Signals.Happened("tea rang at " + key, Signals.CountOf("tea rang at " + key) + 2);
    }

    [Fact]
    public async Task A_removed_reminder_rings_no_more_neither_now_nor_after_a_restart()
    {
        var (key, other) = (Signals.NewName(), Signals.NewName());
        await _silo.Grains.GetGrain<IAlarmGrain>(key).Set("tea", Often);
        await Signals.Happened("tea rang at " + key);

        await _silo.Grains.GetGrain<IAlarmGrain>(key).Unset("tea");
        var rung = Signals.CountOf("tea rang at " + key);
        await _silo.Grains.GetGrain<IAlarmGrain>(other).Set("tea", Often);
        await Signals.Happened("tea rang at " + other, 3);
        await RestartAsync();
        await Signals.Happened("tea rang at " + other, Signals.CountOf("tea rang at " + other) + 2);

        Assert.InRange(Signals.CountOf("tea rang at " + key), rung, rung + 1);
        Assert.Empty(await _silo.Grains.GetGrain<IAlarmGrain>(key).Names());
    }

    [Fact]
    public async Task A_grain_knows_its_reminders_and_setting_one_again_replaces_it()
    {
        var grain = _silo.Grains.GetGrain<IAlarmGrain>(Signals.NewName());
        await grain.Set("tea", TimeSpan.FromHours(1));
        await grain.Set("cake", TimeSpan.FromHours(1));
        await grain.Set("tea", TimeSpan.FromHours(2));

        Assert.Equal(["cake", "tea"], await grain.Names());
        Assert.Equal(7_200_000L, await _database.ScalarAsAdminAsync<long>("select period_ms from orleans_reminders where name = 'tea'"));
    }

    [Fact]
    public async Task A_period_below_the_minimum_is_refused()
    {
        var grain = _silo.Grains.GetGrain<IAlarmGrain>(Signals.NewName());

        await Assert.ThrowsAsync<ArgumentException>(() => grain.Set("tea", TimeSpan.FromMilliseconds(99)));
    }

    private async Task RestartAsync()
    {
        await _silo.DisposeAsync();
        _silo = await TestSilo.StartOnAsync(_database);
    }
}
