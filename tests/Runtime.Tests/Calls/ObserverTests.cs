using System.Collections.Concurrent;
using AgentPlatform.Runtime.Tests.Support;

namespace AgentPlatform.Runtime.Tests.Calls;

[Collection(SharedSiloTests.Name)]
public sealed class ObserverTests(SharedSilo silo)
{
    [Fact]
    public async Task An_observer_hears_everything_in_order()
    {
        var listener = new Listener(Signals.NewName());
        var reference = silo.Grains.CreateObjectReference<IListener>(listener);
        var grain = silo.Grains.GetGrain<ISpeakerGrain>(Signals.NewName());

        for (var i = 0; i < 100; i++)
        {
            await grain.Tell(reference, $"{i}");
        }

        await grain.TellAndWait(reference, "end");

        Assert.Equal([.. Enumerable.Range(0, 100).Select(i => $"{i}"), "end"], listener.Heard);
    }

    [Fact]
    public async Task A_deleted_observer_hears_nothing()
    {
        var listener = new Listener(Signals.NewName());
        var reference = silo.Grains.CreateObjectReference<IListener>(listener);
        var grain = silo.Grains.GetGrain<ISpeakerGrain>(Signals.NewName());
        await grain.TellAndWait(reference, "before");

        silo.Grains.DeleteObjectReference<IListener>(reference);
        await grain.Tell(reference, "after");
        await SomethingElseIsHeardAsync(grain);

        Assert.Equal(["before"], listener.Heard);
        GC.KeepAlive(listener);
    }

    private async Task SomethingElseIsHeardAsync(ISpeakerGrain grain)
    {
        var other = new Listener(Signals.NewName());
        await grain.TellAndWait(silo.Grains.CreateObjectReference<IListener>(other), "other");
        Assert.Equal(["other"], other.Heard);
    }

    private sealed class Listener(string name) : IListener
    {
        public ConcurrentQueue<string> Heard { get; } = new();

        public void Hear(string text)
        {
            Heard.Enqueue(text);
            Signals.Report("heard " + name);
        }

        public Task HearOut(string text)
        {
            Hear(text);
            return Task.CompletedTask;
        }
    }
}
