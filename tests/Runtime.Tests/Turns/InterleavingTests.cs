using AgentPlatform.Runtime.Tests.Support;

namespace AgentPlatform.Runtime.Tests.Turns;

[Collection(SharedSiloTests.Name)]
public sealed class InterleavingTests(SharedSilo silo)
{
    [Fact]
    public async Task A_request_waits_until_the_one_before_it_has_ended()
    {
        var (grain, gate, first) = await BusyAsync<ITurnGrain>();

        var second = grain.Pass();
        await OtherWorkAsync();
        Assert.False(second.IsCompleted);

        Signals.Open(gate);
        await first;
        await second;
    }

    [Fact]
    public async Task A_reentrant_grain_serves_others_while_one_waits()
    {
        var (grain, gate, first) = await BusyAsync<IReentrantTurnGrain>();

        await grain.Pass();

        Assert.False(first.IsCompleted);
        Signals.Open(gate);
        await first;
    }

    [Fact]
    public async Task A_method_that_always_interleaves_is_served_while_another_waits()
    {
        var (grain, gate, first) = await BusyAsync<ITurnGrain>();

        await grain.Interrupt();

        Assert.False(first.IsCompleted);
        Signals.Open(gate);
        await first;
    }

    [Fact]
    public async Task A_predicate_lets_in_what_it_accepts_and_nothing_else()
    {
        var (grain, gate, first) = await BusyAsync<IChoosyTurnGrain>();

        var refused = grain.Read();
        await grain.Pass();

        Assert.False(refused.IsCompleted);
        Signals.Open(gate);
        await first;
        await refused;
    }

    [Fact]
    public async Task Read_only_requests_run_beside_each_other_but_not_beside_a_change()
    {
        var grain = silo.Grains.GetGrain<ITurnGrain>(Signals.NewName());
        var (gate, secondGate) = (Signals.NewName(), Signals.NewName());
        var first = grain.ReadAndWait(gate);
        await Signals.Happened("waiting at " + gate);
        var second = grain.ReadAndWait(secondGate);
        await Signals.Happened("waiting at " + secondGate);

        var change = grain.Pass();
        await OtherWorkAsync();
        Assert.False(change.IsCompleted);
        Signals.Open(secondGate);
        await second;
        await OtherWorkAsync();
        Assert.False(change.IsCompleted);

        Signals.Open(gate);
        await first;
        await change;
    }

    [Fact]
    public async Task Nobody_waits_for_a_one_way_request()
    {
        var gate = Signals.NewName();

        await silo.Grains.GetGrain<ITurnGrain>(Signals.NewName()).WaitUnheard(gate);

        await Signals.Happened("waiting at " + gate);
        Assert.Equal(0, Signals.CountOf("passed " + gate));
        Signals.Open(gate);
        await Signals.Happened("passed " + gate);
    }

    [Fact]
    public async Task Continuations_come_back_to_the_activation() =>
        Assert.True(await silo.Grains.GetGrain<ITurnGrain>(Signals.NewName()).StaysOnTheActivation());

    [Fact]
    public async Task Task_Run_leaves_the_activation() =>
        Assert.True(await silo.Grains.GetGrain<ITurnGrain>(Signals.NewName()).TaskRunLeavesTheActivation());

    [Fact]
    public async Task The_caller_keeps_its_own_scheduler_and_context()
    {
        var grain = silo.Grains.GetGrain<ITurnGrain>(Signals.NewName());
        await grain.Pass();
        var (scheduler, context) = (TaskScheduler.Current, new SynchronizationContext());
        SynchronizationContext.SetSynchronizationContext(context);

        var call = grain.StaysOnTheActivation();

        Assert.Same(scheduler, TaskScheduler.Current);
        Assert.Same(context, SynchronizationContext.Current);
        Assert.True(await call);
    }

    private async Task<(TGrain Grain, string Gate, Task First)> BusyAsync<TGrain>()
        where TGrain : ITurnGrain
    {
        var grain = silo.Grains.GetGrain<TGrain>(Signals.NewName());
        var gate = Signals.NewName();
        var first = grain.Wait(gate);
        await Signals.Happened("waiting at " + gate);
        return (grain, gate, first);
    }

    /// <summary>Gives the runtime ample opportunity to start what it must not start.</summary>
    private async Task OtherWorkAsync()
    {
        for (var i = 0; i < 50; i++)
        {
            await silo.Grains.GetGrain<ITurnGrain>(Signals.NewName()).StaysOnTheActivation();
        }
    }
}
