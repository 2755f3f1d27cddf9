using System.Runtime.CompilerServices;

namespace Orleans.Runtime;

/// <summary>A request whose caller awaits a <see cref="Task{TResult}"/>.</summary>
/// <typeparam name="T">The type of the result.</typeparam>
internal abstract class TaskRequest<T> : GrainRequest
{
    // Null; then either the ended task of the grain itself (nobody was waiting yet) or the source that the caller awaits.
    private object? _answer;

    public override bool IsAnswered => Volatile.Read(ref _answer) is TaskCompletionSource<T> { Task.IsCompleted: true };

    /// <summary>What the caller gets. Called once, by the caller's thread, after the request was accepted.</summary>
    public Task<T> Answer()
    {
        if (Volatile.Read(ref _answer) is { } ended)
        {
            return Unsafe.As<Task<T>>(ended);
        }

        var source = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var pending = Target.Runtime.Pending;
        pending.Add(this);
        if (Interlocked.CompareExchange(ref _answer, source, null) is { } endedMeanwhile)
        {
            pending.Remove(this);
            return Unsafe.As<Task<T>>(endedMeanwhile);
        }

        return source.Task;
    }

    public override void Fail(Exception exception) => Complete(Task.FromException<T>(exception));

    /// <summary>Calls the grain.</summary>
    public abstract Task Begin(object target);

    /// <summary>The ended task of the grain as the task of the caller.</summary>
    public virtual Task<T> Result(Task ended) => (Task<T>)ended;

    protected override void Run()
    {
        var activation = Target;
        if (IsAnswered)
        {
            activation.Ended(this, null, inFirstTurn: true);
            return;
        }

        Task task;
        try
        {
            var instance = activation.Instance ?? throw new ClientNotAvailableException(activation.GrainId);
            task = (activation.Type.HasFilters ? IncomingCall.Run(this, instance) : Begin(instance))
                ?? throw new InvalidOperationException($"{Description} returned null instead of a task.");
        }
        catch (Exception exception)
        {
            task = Task.FromException<T>(exception);
        }

        if (task.IsCompleted)
        {
            End(task, inFirstTurn: true);
        }
        else
        {
            task.ContinueWith(static (ended, request) => ((TaskRequest<T>)request!).End(ended, inFirstTurn: false), this, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private void End(Task task, bool inFirstTurn)
    {
        Target.Ended(this, task.IsFaulted ? task.Exception!.InnerException : null, inFirstTurn);
        Complete(task.IsCompletedSuccessfully || task is Task<T> ? Result(task) : Unsuccessful(task));
    }

    private static Task<T> Unsuccessful(Task task) => task.IsFaulted
        ? Task.FromException<T>(task.Exception!.InnerException!)
        : Task.FromCanceled<T>(new CancellationToken(canceled: true));

    private void Complete(Task<T> task)
    {
        if (OneWay)
        {
            if (task.IsFaulted)
            {
                Target.Runtime.Log.OneWayFailed(task.Exception!.InnerException!, Description, Target.GrainId);
            }

            return;
        }

        Cancellation?.End();
        if (Interlocked.CompareExchange(ref _answer, task, null) is TaskCompletionSource<T> source)
        {
            Target.Runtime.Pending.Remove(this);
            if (!source.TrySetFromTask(task))
            {
                // The caller has given up; what became of its request must still not count as unobserved.
                _ = task.Exception;
            }
        }
    }
}

/// <summary>A request of a method that returns <see cref="ValueTask{TResult}"/>.</summary>
/// <typeparam name="T">The type of the result.</typeparam>
internal abstract class ValueTaskRequest<T> : TaskRequest<T>
{
    public sealed override Task Begin(object target) => BeginValue(target).AsTask();

    /// <summary>Calls the grain.</summary>
    public abstract ValueTask<T> BeginValue(object target);
}

/// <summary>What stands for the missing result of a method that returns only a task.</summary>
internal readonly struct Nothing;

/// <summary>A request of a method that returns <see cref="Task"/>.</summary>
internal abstract class PlainTaskRequest : TaskRequest<Nothing>
{
    private static readonly Task<Nothing> Done = Task.FromResult(default(Nothing));

    public sealed override Task<Nothing> Result(Task ended) => ended as Task<Nothing> ?? Done;
}

/// <summary>A request of a method that returns <see cref="ValueTask"/>.</summary>
internal abstract class PlainValueTaskRequest : PlainTaskRequest
{
    public sealed override Task Begin(object target) => BeginValue(target).AsTask();

    /// <summary>Calls the grain.</summary>
    public abstract ValueTask BeginValue(object target);
}

/// <summary>A request of a method without a result: the caller never waits.</summary>
internal abstract class VoidRequest : PlainTaskRequest
{
    public sealed override Task Begin(object target)
    {
        BeginVoid(target);
        return CompletedTask;
    }

    /// <summary>Calls the grain or observer.</summary>
    public abstract void BeginVoid(object target);
}
