using AgentPlatform.Runtime.Tests.Support;

namespace AgentPlatform.Runtime.Tests.Life;

[Collection(SharedSiloTests.Name)]
public sealed class TimerTests(SharedSilo silo)
{
    [Fact]
    public async Task A_timer_ticks_until_it_is_stopped()
    {
        var name = Signals.NewName();
        var grain = silo.Grains.GetGrain<ITimerGrain>(name);
        await grain.Start(name, interleave: false, keepAlive: false);
        await Signals.Happened("tick " + name, 3);

        await grain.Stop();

        await AssertNoMoreTicksAsync(name);
    }

    [Fact]
    public async Task A_timer_without_a_period_ticks_once()
    {
        var name = Signals.NewName();
        await silo.Grains.GetGrain<ITimerGrain>(name).StartOnce(name);

        await Signals.Happened("tick " + name);

        await AssertNoMoreTicksAsync(name);
    }

    [Fact]
    public async Task Ticks_wait_for_the_running_request()
    {
        var (name, gate) = (Signals.NewName(), Signals.NewName());
        var grain = silo.Grains.GetGrain<ITimerGrain>(name);
        await grain.Start(name, interleave: false, keepAlive: false);
        var holding = grain.Hold(gate);
        await Signals.Happened("holding " + gate);

        await OtherTicksAsync();
        Signals.Open(gate);
        await holding;
        await Signals.Happened("tick " + name, Signals.CountOf("tick " + name) + 1);

        Assert.Equal(0, Signals.CountOf("tick beside a request " + name));
    }

    [Fact]
    public async Task Ticks_that_interleave_come_beside_the_running_request()
    {
        var (name, gate) = (Signals.NewName(), Signals.NewName());
        var grain = silo.Grains.GetGrain<ITimerGrain>(name);
        await grain.Start(name, interleave: true, keepAlive: false);
        var holding = grain.Hold(gate);

        await Signals.Happened("tick beside a request " + name, 2);

        Signals.Open(gate);
        await holding;
    }

    [Fact]
    public async Task A_timer_ends_with_its_activation()
    {
        var name = Signals.NewName();
        var grain = silo.Grains.GetGrain<ITimerGrain>(name);
        await grain.Start(name, interleave: false, keepAlive: true);
        await Signals.Happened("tick " + name);

        await grain.Leave();
        await Signals.Happened("left " + name);

        await AssertNoMoreTicksAsync(name);
    }

    private async Task AssertNoMoreTicksAsync(string name)
    {
        var ticks = Signals.CountOf("tick " + name);
        await OtherTicksAsync();
        Assert.InRange(Signals.CountOf("tick " + name), ticks, ticks + 1);
    }

    /// <summary>Lets another grain's timer of the same pace tick ten times.</summary>
    private async Task OtherTicksAsync()
    {
        var name = Signals.NewName();
        var other = silo.Grains.GetGrain<ITimerGrain>(name);
        await other.Start(name, interleave: false, keepAlive: false);
        await Signals.Happened("tick " + name, 10);
        await other.Stop();
    }
}
