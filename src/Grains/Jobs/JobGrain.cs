using AgentPlatform.Jobs;

namespace AgentPlatform.Grains.Jobs;

/// <inheritdoc cref="IJobGrain"/>
/// <remarks>The work runs beside the grain's turns, so that a cancellation is heard at any time; the timer keeps the grain in memory meanwhile.</remarks>
internal sealed class JobGrain(JobRunner runner) : Grain, IJobGrain
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);
    private CancellationTokenSource? _stop;
    private CancellationTokenSource? _cancel;
    private Task _run = Task.CompletedTask;
    private IGrainTimer? _alive;

    public Task Run()
    {
        if (!_run.IsCompleted)
        {
            return Task.CompletedTask;
        }
        _stop?.Dispose();
        _cancel?.Dispose();
        _stop = new CancellationTokenSource();
        _cancel = new CancellationTokenSource();
        var (id, stop, cancel) = (this.GetPrimaryKey(), _stop.Token, _cancel.Token);
        _run = Task.Run(() => runner.Run(id, cancel, stop), CancellationToken.None);
        _alive ??= this.RegisterGrainTimer(static (grain, _) => grain.EndWhenDone(), this, new GrainTimerCreationOptions(LookAgain, LookAgain) { KeepAlive = true });
        return Task.CompletedTask;
    }

    public async Task Cancel()
    {
        if (!_run.IsCompleted)
        {
            await _cancel!.CancelAsync();
        }
        await runner.EndCancelled(this.GetPrimaryKey()).OrUnavailable();
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_stop is not null)
        {
            await _stop.CancelAsync();
            await _run.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        }
        _stop?.Dispose();
        _cancel?.Dispose();
    }

    private Task EndWhenDone()
    {
        if (_run.IsCompleted)
        {
            _alive?.Dispose();
            _alive = null;
            DeactivateOnIdle();
        }
        return Task.CompletedTask;
    }
}
