using System.Collections.Concurrent;
using AgentPlatform.Runtime.Tests.Support;
using Orleans.Configuration;
using Xunit.Abstractions;

namespace AgentPlatform.Runtime.Tests.Turns;

internal interface IBusyGrain : IGrainWithStringKey
{
    /// <summary>Does something that takes <paramref name="steps"/> turns, calls the next grain on the way, and leaves if told to.</summary>
    Task<int> Work(int steps, string[] next, bool leave);
}

internal sealed class BusyGrain : Grain, IBusyGrain
{
    private static readonly ConcurrentDictionary<string, int> Active = new();
    private static int _violations;
    private readonly List<IGrainTimer> _timers = [];
    private int _inside;
    private int _ticks;

    public static ConcurrentDictionary<string, int> Done { get; } = new();

    public static int Violations => _violations;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Expect(Active.AddOrUpdate(this.GetPrimaryKeyString(), 1, (_, count) => count + 1) == 1);
        _timers.Add(this.RegisterGrainTimer(TickAsync, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(3)));
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Expect(_inside == 0);
        Active.AddOrUpdate(this.GetPrimaryKeyString(), 0, (_, count) => count - 1);
        return Task.CompletedTask;
    }

    public async Task<int> Work(int steps, string[] next, bool leave)
    {
        Enter();
        for (var step = 0; step < steps; step++)
        {
            await (step % 3 == 2 ? Task.Run(() => Thread.SpinWait(20)) : YieldAsync());
            Expect(_inside == 1);
        }

        if (next is [var first, .. var others])
        {
            await GrainFactory.GetGrain<IBusyGrain>(first).Work(steps, others, leave: false);
        }

        if (leave)
        {
            DeactivateOnIdle();
        }

        Done.AddOrUpdate(this.GetPrimaryKeyString(), 1, (_, count) => count + 1);
        _inside--;
        return _ticks;
    }

    private static async Task YieldAsync() => await Task.Yield();

    private async Task TickAsync()
    {
        Enter();
        await Task.Yield();
        _ticks++;
        _inside--;
    }

    private void Enter() => Expect(++_inside == 1);

    private static void Expect(bool condition)
    {
        if (!condition)
        {
            Interlocked.Increment(ref _violations);
        }
    }
}

public sealed class RandomTrafficTests(ITestOutputHelper output)
{
    private const int Grains = 30;
    private const int Callers = 24;
    private const int CallsEach = 150;

    [Fact]
    public async Task Whatever_happens_at_random_nothing_interleaves_and_nothing_is_lost()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await using var silo = await TestSilo.StartAsync(NeverRefuse);
        var run = Signals.NewName();
        var expected = new ConcurrentDictionary<string, int>();

        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var random = new Random(seed + caller);
            for (var call = 0; call < CallsEach; call++)
            {
                // Always from lower to higher numbers, so that calls can't form a cycle.
                string[] path = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(Grains)).Distinct().Order().Select(number => $"{run}-{number:D2}")];
                await silo.Grains.GetGrain<IBusyGrain>(path[0]).Work(random.Next(4), path[1..], leave: random.Next(20) == 0);
                foreach (var key in path)
                {
                    expected.AddOrUpdate(key, 1, (_, count) => count + 1);
                }

                if (caller == 0 && call % 10 == 0)
                {
                    await silo.Grains.GetGrain<IManagementGrain>(0).ForceActivationCollection(TimeSpan.Zero);
                }
            }
        })));

        Assert.Equal(0, BusyGrain.Violations);
        Assert.All(expected, pair => Assert.Equal(pair.Value, BusyGrain.Done[pair.Key]));
    }

    /// <summary>
    /// A request whose grain leaves several times while it waits is refused, by default after two activations; that is a promise of its
    /// own (ActivationTests). Here chance may put any number of requests that leave before another one: the most that may be set.
    /// </summary>
    private static void NeverRefuse(ISiloBuilder silo) => silo.Configure<SiloMessagingOptions>(options => options.MaxForwardCount = byte.MaxValue);
}
