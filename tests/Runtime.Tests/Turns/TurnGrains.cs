using AgentPlatform.Runtime.Tests.Support;
using Orleans.Concurrency;
using Orleans.Serialization.Invocation;

namespace AgentPlatform.Runtime.Tests.Turns;

internal interface ICounterGrain : IGrainWithStringKey
{
    Task<Guid> Add();

    Task<int> Total();
}

internal sealed class CounterGrain : Grain, ICounterGrain
{
    private readonly Guid _activation = Guid.NewGuid();
    private int _total;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Signals.Report("activated " + this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public async Task<Guid> Add()
    {
        var before = _total;
        await Task.Yield();
        _total = before + 1;
        return _activation;
    }

    public Task<int> Total() => Task.FromResult(_total);
}

internal interface ITurnGrain : IGrainWithStringKey
{
    Task Wait(string gate);

    Task Pass();

    [ReadOnly]
    Task ReadAndWait(string gate);

    [ReadOnly]
    Task Read();

    [AlwaysInterleave]
    Task Interrupt();

    [OneWay]
    Task WaitUnheard(string gate);

    Task<bool> StaysOnTheActivation();

    Task<bool> TaskRunLeavesTheActivation();
}

internal class TurnGrainBase : Grain
{
    public async Task Wait(string gate)
    {
        Signals.Report("waiting at " + gate);
        await Signals.Gate(gate);
    }

    public Task Pass() => Task.CompletedTask;

    public Task ReadAndWait(string gate) => Wait(gate);

    public Task Read() => Task.CompletedTask;

    public Task Interrupt() => Task.CompletedTask;

    public async Task WaitUnheard(string gate)
    {
        await Wait(gate);
        Signals.Report("passed " + gate);
    }

    public async Task<bool> StaysOnTheActivation()
    {
        var before = TaskScheduler.Current;
        await Task.Yield();
        await Task.Run(() => Thread.SpinWait(100));
        return before == TaskScheduler.Current && before != TaskScheduler.Default;
    }

    public Task<bool> TaskRunLeavesTheActivation() => Task.Run(() => TaskScheduler.Current == TaskScheduler.Default);
}

internal sealed class TurnGrain : TurnGrainBase, ITurnGrain;

internal interface IReentrantTurnGrain : ITurnGrain;

[Reentrant]
internal sealed class ReentrantTurnGrain : TurnGrainBase, IReentrantTurnGrain;

internal interface IChoosyTurnGrain : ITurnGrain;

[MayInterleave(nameof(MayInterleave))]
internal sealed class ChoosyTurnGrain : TurnGrainBase, IChoosyTurnGrain
{
    public static bool MayInterleave(IInvokable request) => request.GetMethodName() == nameof(ITurnGrain.Pass);
}

internal interface IWorkerGrain : IGrainWithIntegerKey
{
    Task<Guid> Work(string gate);
}

[StatelessWorker(3)]
internal sealed class WorkerGrain : Grain, IWorkerGrain
{
    private readonly Guid _activation = Guid.NewGuid();

    public async Task<Guid> Work(string gate)
    {
        Signals.Report("working at " + gate);
        await Signals.Gate(gate);
        return _activation;
    }
}
