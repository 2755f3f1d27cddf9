using AgentPlatform.Runtime.Tests.Support;
using Orleans.Configuration;

namespace AgentPlatform.Runtime.Tests.Calls;

[Collection(SharedSiloTests.Name)]
public sealed class CallTests(SharedSilo silo)
{
    private ICallGrain Grain => silo.Grains.GetGrain<ICallGrain>(Signals.NewName());

    [Fact]
    public async Task Arguments_and_results_arrive()
    {
        var answer = await Grain.Ask(" bananas", 3, new Answer { Text = "yellow", Number = 4 });

        Assert.Equal(new Answer { Text = "yellow bananas", Number = 7 }, answer);
        Assert.Equal(42, await Grain.Double(21));
        await Grain.Nothing();
    }

    [Fact]
    public async Task Exceptions_arrive_with_their_type()
    {
        Assert.Equal("no pears", (await Assert.ThrowsAsync<OutOfStockException>(() => Grain.Fail("no pears"))).Message);
        Assert.Equal("no plums", (await Assert.ThrowsAsync<OutOfStockException>(() => Grain.FailLater("no plums"))).Message);
    }

    [Fact]
    public async Task A_grain_that_failed_serves_the_next_call()
    {
        var grain = Grain;

        await Assert.ThrowsAsync<OutOfStockException>(() => grain.Fail("no pears"));

        Assert.Equal(2, await grain.Double(1));
    }

    [Fact]
    public async Task A_method_may_have_a_response_timeout_of_its_own()
    {
        var gate = Signals.NewName();

        await Assert.ThrowsAsync<TimeoutException>(() => Grain.WaitBriefly(gate));

        Signals.Open(gate);
    }

    [Fact]
    public async Task Canceling_frees_the_caller_and_reaches_the_grain()
    {
        var name = Signals.NewName();
        using var cancellation = new CancellationTokenSource();
        var call = Grain.WaitOrCancel(name, cancellation.Token);
        await Signals.Happened("running " + name);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Signals.Happened("canceled " + name);
    }

    [Fact]
    public async Task Context_values_travel_with_calls_and_never_back()
    {
        RequestContext.Set("colour", "green");

        Assert.Equal("green, then changed", await Grain.ContextValueAfterChange("colour"));

        Assert.Equal("green", RequestContext.Get("colour"));
        RequestContext.Clear();
        Assert.Null(await Grain.ContextValue("colour"));
    }

    [Fact]
    public async Task Keys_of_every_kind_come_back_as_they_went()
    {
        var guid = Guid.NewGuid();

        Assert.Equal($"{guid}", await silo.Grains.GetGrain<IKeyedByGuid>(guid).Key());
        Assert.Equal($"{guid} north/1+2", await silo.Grains.GetGrain<IKeyedByGuidAndText>(guid, "north/1+2", null).Key());
        Assert.Equal("-7", await silo.Grains.GetGrain<IKeyedByInteger>(-7).Key());
        Assert.Equal("7 north", await silo.Grains.GetGrain<IKeyedByIntegerAndText>(7, "north", null).Key());
    }

    [Fact]
    public async Task A_grain_can_pass_on_a_reference_to_itself()
    {
        var grain = silo.Grains.GetGrain<ISpeakerGrain>(Signals.NewName());

        var self = await grain.Self();

        Assert.Equal(grain.GetGrainId(), self.GetGrainId());
        Assert.Equal(grain.GetPrimaryKeyString(), self.GetPrimaryKeyString());
    }
}

public sealed class TimeoutTests : IAsyncLifetime
{
    private TestSilo _silo = null!;

    public async Task InitializeAsync() => _silo = await TestSilo.StartAsync(builder =>
        builder.Configure<SiloMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(2)));

    public async Task DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task A_request_that_takes_too_long_times_out_and_so_do_those_behind_it()
    {
        var gate = Signals.NewName();
        var grain = _silo.Grains.GetGrain<ICallGrain>(Signals.NewName());

        var first = Assert.ThrowsAsync<TimeoutException>(() => grain.Wait(gate));
        // Two calls on their way to a grain that is not active yet can overtake each other.
        await Signals.Happened("waiting at " + gate);
        var second = Assert.ThrowsAsync<TimeoutException>(() => grain.Double(1).AsTask());
        await Task.WhenAll(first, second);

        Signals.Open(gate);
        Assert.Equal(4, await grain.Double(2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_cycle_of_calls_ends_in_an_error(int grains)
    {
        var names = Enumerable.Range(0, grains).Select(_ => Signals.NewName()).ToArray();
        string[] path = [.. names.Skip(1), names[0]];

        await Assert.ThrowsAnyAsync<TimeoutException>(() => _silo.Grains.GetGrain<ILoopGrain>(names[0]).Follow(path, 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task A_call_chain_that_is_let_back_in_ends_well(int grains)
    {
        var names = Enumerable.Range(0, grains).Select(_ => Signals.NewName()).ToArray();
        string[] path = [.. names.Skip(1), names[0]];

        Assert.Equal(grains, await _silo.Grains.GetGrain<ILoopGrain>(names[0]).FollowLettingBackIn(path, 0));
    }
}
