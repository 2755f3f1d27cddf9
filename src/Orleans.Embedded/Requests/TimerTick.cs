using Orleans.Timers;

namespace Orleans.Runtime;

/// <summary>A tick of a grain timer, as a request to the timer's own activation.</summary>
internal sealed class TimerTick : GrainRequest
{
    private readonly GrainTimer _timer;

    public TimerTick(GrainTimer timer)
    {
        _timer = timer;
        AlwaysInterleave = timer.Interleave;
        KeepsAlive = timer.KeepAlive;
        LocalOnly = true;
    }

    public override bool OneWay => true;

    public override string Description => "a timer";

    public override bool IsAnswered => _timer.Stopped.IsCancellationRequested;

    public override void Fail(Exception exception) => _timer.TickEnded();

    protected override void Run()
    {
        if (IsAnswered)
        {
            Target.Ended(this, null, inFirstTurn: true);
            return;
        }

        Task task;
        try
        {
            task = _timer.Invoke();
        }
        catch (Exception exception)
        {
            task = FromException(exception);
        }

        if (task.IsCompleted)
        {
            End(task, inFirstTurn: true);
        }
        else
        {
            task.ContinueWith(static (ended, tick) => ((TimerTick)tick!).End(ended, inFirstTurn: false), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private void End(Task task, bool inFirstTurn)
    {
        if (task.IsFaulted)
        {
            Target.Runtime.Log.TimerFailed(task.Exception!.InnerException!, Target.GrainId);
        }

        Target.Ended(this, null, inFirstTurn);
        _timer.TickEnded();
    }
}
