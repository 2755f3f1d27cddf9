using AgentPlatform.Runtime.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Runtime.Tests.Life;

internal interface ILifeGrain : IGrainWithStringKey
{
    Task<Guid> Activation();

    Task<Guid> Leave();

    Task<Guid> LeaveAfter(string gate);

    Task Remember(int bytes);
}

internal sealed class LifeGrain : Grain, ILifeGrain
{
    private readonly Guid _activation = Guid.NewGuid();
    private byte[] _memory = [];

    public static List<WeakReference> Seen { get; } = [];

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        Signals.Report("activated " + this.GetPrimaryKeyString());
        lock (Seen)
        {
            Seen.Add(new WeakReference(this));
        }

        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Signals.Report($"deactivated {this.GetPrimaryKeyString()} {reason.ReasonCode}");
        return Task.CompletedTask;
    }

    public Task<Guid> Activation() => Task.FromResult(_activation);

    public Task<Guid> Leave()
    {
        DeactivateOnIdle();
        return Task.FromResult(_activation);
    }

    public async Task<Guid> LeaveAfter(string gate)
    {
        Signals.Report("waiting at " + gate);
        await Signals.Gate(gate);
        DeactivateOnIdle();
        return _activation;
    }

    public Task Remember(int bytes)
    {
        _memory = new byte[bytes];
        return Task.FromResult(_memory.Length);
    }
}

internal interface IReluctantGrain : IGrainWithStringKey
{
    Task<string> Hello();
}

internal sealed class ReluctantException(string message) : Exception(message);

/// <summary>Fails to activate the first time.</summary>
internal sealed class ReluctantGrain : Grain, IReluctantGrain
{
    public override Task OnActivateAsync(CancellationToken cancellationToken) =>
        Signals.Report("tried " + this.GetPrimaryKeyString()) == 1 ? throw new ReluctantException("not yet") : Task.CompletedTask;

    public Task<string> Hello() => Task.FromResult("hello");
}

internal sealed class ProcessWide;

internal sealed class PerActivation : IDisposable
{
    public string Name { get; } = Signals.NewName();

    public void Dispose() => Signals.Report("disposed " + Name);
}

internal interface IInjectedGrain : IGrainWithGuidKey
{
    Task<string> Services(bool leave);
}

internal sealed class InjectedGrain(ProcessWide processWide, PerActivation own, IGrainFactory grains, TimeProvider time) : Grain, IInjectedGrain
{
    public Task<string> Services(bool leave)
    {
        if (leave)
        {
            DeactivateOnIdle();
        }

        var all = processWide == ServiceProvider.GetRequiredService<ProcessWide>() && own == ServiceProvider.GetRequiredService<PerActivation>() && grains is not null && time is not null;
        return Task.FromResult(all ? own.Name : "something is missing");
    }
}

internal interface ITimerGrain : IGrainWithStringKey
{
    Task Start(string name, bool interleave, bool keepAlive);

    Task StartOnce(string name);

    Task Hold(string gate);

    Task Stop();

    Task Leave();
}

internal sealed class TimerGrain : Grain, ITimerGrain
{
    private IGrainTimer? _timer;
    private bool _busy;

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Signals.Report("left " + this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public Task Start(string name, bool interleave, bool keepAlive)
    {
        _timer = this.RegisterGrainTimer(
            Tick,
            name,
            new GrainTimerCreationOptions(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10)) { Interleave = interleave, KeepAlive = keepAlive });
        return Task.CompletedTask;
    }

    public Task StartOnce(string name)
    {
        this.RegisterGrainTimer(() => Tick(name), TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        return Task.CompletedTask;
    }

    public async Task Hold(string gate)
    {
        _busy = true;
        Signals.Report("holding " + gate);
        await Signals.Gate(gate);
        _busy = false;
    }

    public Task Stop()
    {
        _timer?.Dispose();
        return Task.CompletedTask;
    }

    public Task Leave()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private async Task Tick(string name)
    {
        Signals.Report("tick " + name);
        if (_busy)
        {
            Signals.Report("tick beside a request " + name);
        }

        await Task.Yield();
    }
}
