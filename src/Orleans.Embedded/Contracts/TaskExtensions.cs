namespace Orleans;

/// <summary>For calls whose outcome doesn't matter.</summary>
public static class PublicOrleansTaskExtensions
{
    /// <summary>Says that nobody waits for the task and that its failure is of no interest.</summary>
    public static void Ignore(this Task task)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (task.IsCompleted)
        {
            _ = task.Exception;
        }
        else
        {
            task.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }
}
