using AgentPlatform.Runtime.Tests.Support;

namespace AgentPlatform.Runtime.Tests.Turns;

[Collection(SharedSiloTests.Name)]
public sealed class SingleActivationTests(SharedSilo silo)
{
    [Fact]
    public async Task Ten_thousand_racing_calls_meet_one_activation_and_none_is_lost()
    {
        var key = Signals.NewName();
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = Enumerable.Range(0, 10_000).Select(async _ =>
        {
            await start.Task;
            return await silo.Grains.GetGrain<ICounterGrain>(key).Add();
        }).ToList();
        start.SetResult();

        var activations = (await Task.WhenAll(calls)).Distinct();

        Assert.Single(activations);
        Assert.Equal(10_000, await silo.Grains.GetGrain<ICounterGrain>(key).Total());
        Assert.Equal(1, Signals.CountOf("activated " + key));
    }

    [Fact]
    public async Task Each_of_many_grains_has_its_own_activation()
    {
        var keys = Enumerable.Range(0, 500).Select(_ => Signals.NewName()).ToList();

        var activations = await Task.WhenAll(keys.SelectMany(key => Enumerable.Range(0, 10).Select(_ => silo.Grains.GetGrain<ICounterGrain>(key).Add())));

        Assert.Equal(500, activations.Distinct().Count());
        Assert.All(keys, key => Assert.Equal(1, Signals.CountOf("activated " + key)));
    }

    [Fact]
    public async Task A_stateless_worker_has_as_many_activations_as_it_may()
    {
        var gate = Signals.NewName();
        var worker = silo.Grains.GetGrain<IWorkerGrain>(Random.Shared.NextInt64());
        var work = Enumerable.Range(0, 3).Select(_ => worker.Work(gate)).ToList();

        await Signals.Happened("working at " + gate, 3);
        work.Add(worker.Work(gate));
        Signals.Open(gate);

        Assert.Equal(3, (await Task.WhenAll(work)).Distinct().Count());
    }
}
