using AgentPlatform.Runtime.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace AgentPlatform.Runtime.Tests.Life;

[Collection(SharedSiloTests.Name)]
public sealed class ActivationTests(SharedSilo silo)
{
    [Fact]
    public async Task A_grain_that_leaves_is_activated_again_by_the_next_call()
    {
        var key = Signals.NewName();
        var grain = silo.Grains.GetGrain<ILifeGrain>(key);

        var first = await grain.Leave();
        await Signals.Happened($"deactivated {key} {DeactivationReasonCode.ApplicationRequested}");

        Assert.NotEqual(first, await grain.Activation());
        Assert.Equal(2, Signals.CountOf("activated " + key));
    }

    [Fact]
    public async Task Calls_that_wait_when_a_grain_leaves_go_to_its_next_activation()
    {
        var (key, gate) = (Signals.NewName(), Signals.NewName());
        var grain = silo.Grains.GetGrain<ILifeGrain>(key);
        var first = grain.LeaveAfter(gate);
        await Signals.Happened("waiting at " + gate);

        var waiting = Enumerable.Range(0, 100).Select(_ => grain.Activation()).ToList();
        Signals.Open(gate);

        var next = Assert.Single((await Task.WhenAll(waiting)).Distinct());
        Assert.NotEqual(await first, next);
    }

    [Fact]
    public async Task A_call_is_refused_when_its_grain_has_left_more_often_than_a_call_may_be_passed_on()
    {
        await using var own = await TestSilo.StartAsync(builder => builder.Configure<SiloMessagingOptions>(options => options.MaxForwardCount = 0));
        var (key, gate) = (Signals.NewName(), Signals.NewName());
        var grain = own.Grains.GetGrain<ILifeGrain>(key);
        var first = grain.LeaveAfter(gate);
        await Signals.Happened("waiting at " + gate);

        var waiting = grain.Activation();
        Signals.Open(gate);

        await Assert.ThrowsAsync<OrleansMessageRejectionException>(() => waiting);
        await first;
    }

    [Fact]
    public async Task A_failed_activation_reaches_the_caller_and_the_next_call_tries_again()
    {
        var grain = silo.Grains.GetGrain<IReluctantGrain>(Signals.NewName());

        var failure = await Assert.ThrowsAnyAsync<Exception>(grain.Hello);
        Assert.Contains("not yet", failure.ToString(), StringComparison.Ordinal);

        Assert.Equal("hello", await grain.Hello());
    }

    [Fact]
    public async Task A_grain_gets_its_services_and_its_own_end_with_it()
    {
        await using var own = await TestSilo.StartAsync(builder => builder.Services.AddSingleton<ProcessWide>().AddScoped<PerActivation>());
        var grain = own.Grains.GetGrain<IInjectedGrain>(Guid.NewGuid());

        var name = await grain.Services(leave: false);
        Assert.Equal(name, await grain.Services(leave: true));

        await Signals.Happened("disposed " + name);
        Assert.NotEqual(name, await grain.Services(leave: false));
    }

    [Fact]
    public async Task A_silo_that_stops_deactivates_every_grain()
    {
        var keys = Enumerable.Range(0, 200).Select(_ => Signals.NewName()).ToList();
        var own = await TestSilo.StartAsync();
        await Task.WhenAll(keys.Select(key => own.Grains.GetGrain<ILifeGrain>(key).Activation()));

        await own.DisposeAsync();

        Assert.All(keys, key => Assert.Equal(1, Signals.CountOf($"deactivated {key} {DeactivationReasonCode.ShuttingDown}")));
    }
}

public sealed class IdleTests
{
    private const int Grains = 200;

    [Fact]
    public async Task Idle_grains_are_deactivated_and_give_their_memory_back()
    {
        await using var silo = await TestSilo.StartAsync(builder => builder.Configure<GrainCollectionOptions>(options =>
        {
            options.CollectionQuantum = TimeSpan.FromSeconds(1);
            options.CollectionAge = TimeSpan.FromSeconds(2);
        }));
        var keys = Enumerable.Range(0, Grains).Select(_ => Signals.NewName()).ToList();
        await Task.WhenAll(keys.Select(key => silo.Grains.GetGrain<ILifeGrain>(key).Remember(10_000)));

        await Task.WhenAll(keys.Select(key => Signals.Happened($"deactivated {key} {DeactivationReasonCode.ActivationIdle}")));

        Assert.InRange(await StillInMemoryAsync(silo.Grains), 0, Grains / 10);
    }

    [Fact]
    public async Task An_idle_grain_goes_when_the_silo_is_told_to_collect()
    {
        await using var silo = await TestSilo.StartAsync();
        var key = Signals.NewName();
        await silo.Grains.GetGrain<ILifeGrain>(key).Activation();

        await silo.Grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);

        await Signals.Happened($"deactivated {key} {DeactivationReasonCode.ActivationIdle}");
    }

    [Fact]
    public async Task A_timer_keeps_a_grain_only_if_told_to()
    {
        await using var silo = await TestSilo.StartAsync(builder => builder.Configure<GrainCollectionOptions>(options =>
        {
            options.CollectionQuantum = TimeSpan.FromSeconds(1);
            options.CollectionAge = TimeSpan.FromSeconds(2);
        }));
        var (kept, left) = (Signals.NewName(), Signals.NewName());
        await silo.Grains.GetGrain<ITimerGrain>(kept).Start(kept, interleave: false, keepAlive: true);
        await silo.Grains.GetGrain<ITimerGrain>(left).Start(left, interleave: false, keepAlive: false);

        await Signals.Happened("left " + left);
        await Signals.Happened("tick " + kept, Signals.CountOf("tick " + kept) + 5);

        Assert.Equal(0, Signals.CountOf("left " + kept));
    }

    private static async Task<int> StillInMemoryAsync(IGrainFactory grains)
    {
        for (var round = 0; round < 20; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();

            // Other calls, so that no thread still holds the last thing it did for one of them.
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.FromDays(1))));
            lock (LifeGrain.Seen)
            {
                if (LifeGrain.Seen.Count(seen => seen.IsAlive) <= Grains / 10)
                {
                    break;
                }
            }
        }

        lock (LifeGrain.Seen)
        {
            return LifeGrain.Seen.Count(seen => seen.IsAlive);
        }
    }
}
