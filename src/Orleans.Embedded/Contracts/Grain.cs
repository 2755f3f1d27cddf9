using System.Diagnostics.CodeAnalysis;
using Orleans.Core;
using Orleans.Runtime;
using Orleans.Storage;

namespace Orleans;

/// <summary>The base of grain classes.</summary>
public abstract class Grain : IGrainBase, IAddressable
{
    /// <summary>For the runtime, which makes grains inside their activation.</summary>
    protected Grain()
        : this(RuntimeContext.Current!)
    {
    }

    /// <summary>For a given activation.</summary>
    protected Grain(IGrainContext grainContext)
    {
        GrainContext = grainContext;
    }

    /// <summary>The activation that this object belongs to.</summary>
    [AllowNull]
    public IGrainContext GrainContext { get; }

    /// <summary>A reference to this grain, of no interface yet.</summary>
    public GrainReference GrainReference => GrainContext.GrainReference;

    /// <summary>The grain id as text.</summary>
    public string IdentityString => GrainContext.GrainId.ToString();

    /// <summary>The silo's name.</summary>
    public string RuntimeIdentity => Activation.Runtime.Details.SiloAddress.ToParsableString();

    /// <summary>Makes references to other grains.</summary>
    protected IGrainFactory GrainFactory => Activation.Runtime.Factory;

    /// <summary>The services of this activation.</summary>
    protected internal IServiceProvider ServiceProvider => GrainContext.ActivationServices;

    private Activation Activation => GrainContext as Activation
        ?? throw new InvalidOperationException("This grain was made by hand, outside the grain runtime.");

    /// <summary>Runs before the first request. If it throws, callers get the exception and the next call tries anew.</summary>
    public virtual Task OnActivateAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Runs after the last request, unless the process is killed.</summary>
    public virtual Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends this activation when its running requests are done; waiting ones go to the next activation.</summary>
    protected void DeactivateOnIdle() => GrainBaseExtensions.DeactivateOnIdle(this);

    /// <summary>With one process there is nowhere to move to: the same as <see cref="DeactivateOnIdle"/>.</summary>
    protected void MigrateOnIdle() => GrainBaseExtensions.MigrateOnIdle(this);

    /// <summary>Keeps this activation for at least that long however idle it is; a negative time takes it back.</summary>
    protected void DelayDeactivation(TimeSpan timeSpan) => Activation.DelayDeactivation(timeSpan);
}

/// <summary>A grain with one persistent state, loaded before it activates.</summary>
/// <typeparam name="TGrainState">The type of the state.</typeparam>
public class Grain<TGrainState> : Grain
{
    private readonly IStorage<TGrainState> _storage;

    /// <summary>With the storage that <see cref="Providers.StorageProviderAttribute"/> names, or the default one.</summary>
    protected Grain()
    {
        _storage = PersistentState<TGrainState>.Attach((Activation)GrainContext, "state", GrainStorageNames.Of(GetType()));
    }

    /// <summary>With a given storage.</summary>
    protected Grain(IStorage<TGrainState> storage)
    {
        _storage = storage;
    }

    /// <summary>The state as this activation knows it.</summary>
    protected TGrainState State
    {
        get => _storage.State;
        set => _storage.State = value;
    }

    /// <summary>Removes the stored state.</summary>
    protected virtual Task ClearStateAsync() => _storage.ClearStateAsync();

    /// <summary>Stores the state.</summary>
    protected virtual Task WriteStateAsync() => _storage.WriteStateAsync();

    /// <summary>Loads the state anew.</summary>
    protected virtual Task ReadStateAsync() => _storage.ReadStateAsync();
}
