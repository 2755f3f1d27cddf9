namespace Orleans.Runtime;

/// <summary>Deactivates what has been idle for too long. It looks once in each quantum, so that calls need no clock.</summary>
internal sealed class ActivationCollector : IDisposable
{
    private readonly SiloRuntime _runtime;
    private readonly ITimer _timer;

    public ActivationCollector(SiloRuntime runtime, TimeSpan quantum)
    {
        _runtime = runtime;
        _timer = runtime.TimeProvider.CreateTimer(static state => ((ActivationCollector)state!).Collect(), this, quantum, quantum);
    }

    /// <summary>Deactivates what has been idle for <paramref name="ageLimit"/>; without one, for the limit of its class.</summary>
    public void Collect(TimeSpan? ageLimit = null)
    {
        var now = _runtime.Now;
        foreach (var observer in _runtime.Observers.Activations)
        {
            if (observer.Instance is null)
            {
                _runtime.Observers.Remove(observer);
            }
        }

        foreach (var type in _runtime.Classes)
        {
            if (type.AgeLimit is not { } limit)
            {
                continue;
            }

            foreach (var activation in type.Activations)
            {
                activation.CollectIfIdle(now, ageLimit ?? limit);
            }
        }
    }

    public void Dispose() => _timer.Dispose();
}
