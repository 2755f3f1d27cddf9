using AgentPlatform.Fakes.Time;

namespace AgentPlatform.Data.Tests.Time;

public sealed class FakeTimeProviderTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Timers_fire_in_the_order_in_which_they_are_due_each_at_its_own_time()
    {
        var start = _time.GetUtcNow();
        var fired = new List<(string, double)>();
        using var late = Timer("late", 30);
        using var early = Timer("early", 10);
        using var both = Timer("both", 30);
        _time.Advance(TimeSpan.FromSeconds(60));

        Assert.Equal([("early", 10), ("late", 30), ("both", 30)], fired);
        Assert.Equal(start.AddSeconds(60), _time.GetUtcNow());
        ITimer Timer(string name, int seconds) =>
            _time.CreateTimer(_ => fired.Add((name, (_time.GetUtcNow() - start).TotalSeconds)), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void A_periodic_timer_fires_once_for_each_period()
    {
        var fired = 0;
        using var timer = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(3, fired);
    }

    [Fact]
    public void A_timer_set_by_a_timer_fires_in_the_same_advance()
    {
        var fired = new List<int>();
        ITimer? second = null;
        using var first = _time.CreateTimer(
            _ =>
            {
                fired.Add(1);
                second = _time.CreateTimer(_ => fired.Add(2), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
            },
            null,
            TimeSpan.FromSeconds(1),
            Timeout.InfiniteTimeSpan);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal([1, 2], fired);
        second?.Dispose();
    }

    [Fact]
    public async Task Task_Delay_ends_when_the_clock_reaches_it()
    {
        var delay = Task.Delay(TimeSpan.FromMinutes(5), _time);
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Assert.False(delay.IsCompleted);

        _time.Advance(TimeSpan.FromTicks(1));
        await delay;
    }

    [Fact]
    public void A_disposed_timer_is_silent()
    {
        var fired = 0;
        var timer = _time.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(1));
        timer.Dispose();
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(1, fired);
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
    }
}
