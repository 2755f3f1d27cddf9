using Orleans.Concurrency;

namespace Orleans.Runtime;

/// <summary>Looks at and manages the silo; its key is 0.</summary>
public interface IManagementGrain : IGrainWithIntegerKey
{
    /// <summary>Deactivates what has been idle for that long.</summary>
    Task ForceActivationCollection(TimeSpan ageLimit);

    /// <summary>How many activations there are.</summary>
    Task<int> GetTotalActivationCount();
}

/// <inheritdoc cref="IManagementGrain" />
[StatelessWorker(1)]
internal sealed class ManagementGrain : Grain, IManagementGrain
{
    public Task ForceActivationCollection(TimeSpan ageLimit)
    {
        Runtime().Collector.Collect(ageLimit);
        return Task.CompletedTask;
    }

    public Task<int> GetTotalActivationCount() => Task.FromResult(Runtime().Classes.Sum(type => type.ActivationCount));

    private SiloRuntime Runtime() => ((Activation)GrainContext).Runtime;
}
