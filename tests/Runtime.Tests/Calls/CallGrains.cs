using AgentPlatform.Runtime.Tests.Support;

namespace AgentPlatform.Runtime.Tests.Calls;

[GenerateSerializer]
[Alias("tests.runtime.out-of-stock")]
internal sealed class OutOfStockException(string message) : Exception(message);

[GenerateSerializer]
[Alias("tests.runtime.answer")]
internal sealed record Answer
{
    [Id(0)]
    public required string Text { get; init; }

    [Id(1)]
    public int Number { get; init; }
}

internal interface ICallGrain : IGrainWithStringKey
{
    Task<Answer> Ask(string text, int number, Answer? previous);

    ValueTask<int> Double(int number);

    ValueTask Nothing();

    Task Fail(string message);

    Task<int> FailLater(string message);

    Task Wait(string gate);

    [ResponseTimeout("00:00:00.500")]
    Task WaitBriefly(string gate);

    Task<bool> WaitOrCancel(string name, CancellationToken cancellationToken);

    Task<string?> ContextValue(string name);

    Task<string?> ContextValueAfterChange(string name);
}

internal sealed class CallGrain : Grain, ICallGrain
{
    public Task<Answer> Ask(string text, int number, Answer? previous) =>
        Task.FromResult(new Answer { Text = previous?.Text + text, Number = number + (previous?.Number ?? 0) });

    public ValueTask<int> Double(int number) => new(number * 2);

    public ValueTask Nothing() => default;

    public Task Fail(string message) => throw new OutOfStockException(message);

    public async Task<int> FailLater(string message)
    {
        await Task.Yield();
        throw new OutOfStockException(message);
    }

    public async Task Wait(string gate)
    {
        Signals.Report("waiting at " + gate);
        await Signals.Gate(gate);
    }

    public Task WaitBriefly(string gate) => Wait(gate);

    public async Task<bool> WaitOrCancel(string name, CancellationToken cancellationToken)
    {
        var canceled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(() => canceled.TrySetResult());
        Signals.Report("running " + name);
        await canceled.Task;
        Signals.Report("canceled " + name);
        return true;
    }

    public Task<string?> ContextValue(string name) => Task.FromResult(RequestContext.Get(name) as string);

    public async Task<string?> ContextValueAfterChange(string name)
    {
        var before = RequestContext.Get(name) as string;
        RequestContext.Set(name, "changed");
        await Task.Yield();
        var next = await GrainFactory.GetGrain<ICallGrain>(this.GetPrimaryKeyString() + "-next").ContextValue(name);
        return $"{before}, then {next}";
    }
}

internal interface ILoopGrain : IGrainWithStringKey
{
    Task<int> Follow(string[] path, int position);

    Task<int> FollowLettingBackIn(string[] path, int position);
}

internal sealed class LoopGrain : Grain, ILoopGrain
{
    public Task<int> Follow(string[] path, int position) => position == path.Length
        ? Task.FromResult(position)
        : GrainFactory.GetGrain<ILoopGrain>(path[position]).Follow(path, position + 1);

    public async Task<int> FollowLettingBackIn(string[] path, int position)
    {
        if (position == path.Length)
        {
            return position;
        }

        using var section = RequestContext.AllowCallChainReentrancy();
        return await GrainFactory.GetGrain<ILoopGrain>(path[position]).FollowLettingBackIn(path, position + 1);
    }
}

internal interface IKeyedByGuid : IGrainWithGuidKey
{
    Task<string> Key();
}

internal interface IKeyedByInteger : IGrainWithIntegerKey
{
    Task<string> Key();
}

internal interface IKeyedByGuidAndText : IGrainWithGuidCompoundKey
{
    Task<string> Key();
}

internal interface IKeyedByIntegerAndText : IGrainWithIntegerCompoundKey
{
    Task<string> Key();
}

internal sealed class KeyedByGuid : Grain, IKeyedByGuid
{
    public Task<string> Key() => Task.FromResult(this.GetPrimaryKey().ToString());
}

internal sealed class KeyedByInteger : Grain, IKeyedByInteger
{
    public Task<string> Key() => Task.FromResult($"{this.GetPrimaryKeyLong()}");
}

internal sealed class KeyedByGuidAndText : Grain, IKeyedByGuidAndText
{
    public Task<string> Key() => Task.FromResult($"{this.GetPrimaryKey(out var text)} {text}");
}

internal sealed class KeyedByIntegerAndText : Grain, IKeyedByIntegerAndText
{
    public Task<string> Key() => Task.FromResult($"{this.GetPrimaryKeyLong(out var text)} {text}");
}

internal interface IListener : IGrainObserver
{
    void Hear(string text);

    Task HearOut(string text);
}

internal interface ISpeakerGrain : IGrainWithStringKey
{
    Task Tell(IListener listener, string text);

    Task TellAndWait(IListener listener, string text);

    Task<ISpeakerGrain> Self();
}

internal sealed class SpeakerGrain : Grain, ISpeakerGrain
{
    public Task Tell(IListener listener, string text)
    {
        listener.Hear(text);
        return Task.CompletedTask;
    }

    public Task TellAndWait(IListener listener, string text) => listener.HearOut(text);

    public Task<ISpeakerGrain> Self() => Task.FromResult(this.AsReference<ISpeakerGrain>());
}
