namespace Orleans.Runtime;

/// <inheritdoc cref="IClusterClient" />
internal sealed class GrainFactory(SiloRuntime runtime) : IClusterClient
{
    public IServiceProvider ServiceProvider => runtime.Services;

    public TGrainInterface GetGrain<TGrainInterface>(Guid primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidKey => Get<TGrainInterface>(GrainIdKeyExtensions.CreateGuidKey(primaryKey).Text, grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(long primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithIntegerKey => Get<TGrainInterface>(GrainIdKeyExtensions.CreateIntegerKey(primaryKey).Text, grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey => Get<TGrainInterface>(Checked(primaryKey), grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(Guid primaryKey, string keyExtension, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithGuidCompoundKey => Get<TGrainInterface>(GrainIdKeyExtensions.CreateGuidKey(primaryKey, Checked(keyExtension)).Text, grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(long primaryKey, string keyExtension, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithIntegerCompoundKey => Get<TGrainInterface>(GrainIdKeyExtensions.CreateIntegerKey(primaryKey, Checked(keyExtension)).Text, grainClassNamePrefix);

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable => (TGrainInterface)(object)runtime.References.Of(typeof(TGrainInterface), ClassOf(grainId), grainId.Key.Text);

    public IAddressable GetGrain(GrainId grainId) => runtime.References.Untyped(ClassOf(grainId), grainId.Key.Text);

    public IAddressable GetGrain(GrainId grainId, GrainInterfaceType interfaceType)
    {
        var type = ClassOf(grainId);
        var found = Array.Find(type.ClassType.GetInterfaces(), candidate => candidate.FullName == interfaceType.ToString())
            ?? throw new ArgumentException($"{type.ClassType} implements no interface '{interfaceType}'.", nameof(interfaceType));
        return runtime.References.Of(found, type, grainId.Key.Text);
    }

    public IAddressable GetGrain(Type interfaceType, IdSpan grainKey, string grainClassNamePrefix) =>
        runtime.References.Of(interfaceType, Checked(grainKey.Text), grainClassNamePrefix);

    public IAddressable GetGrain(Type interfaceType, IdSpan grainKey) => runtime.References.Of(interfaceType, Checked(grainKey.Text), null);

    public IGrain GetGrain(Type grainInterfaceType, Guid grainPrimaryKey) => Get(grainInterfaceType, GrainIdKeyExtensions.CreateGuidKey(grainPrimaryKey).Text);

    public IGrain GetGrain(Type grainInterfaceType, long grainPrimaryKey) => Get(grainInterfaceType, GrainIdKeyExtensions.CreateIntegerKey(grainPrimaryKey).Text);

    public IGrain GetGrain(Type grainInterfaceType, string grainPrimaryKey) => Get(grainInterfaceType, Checked(grainPrimaryKey));

    public IGrain GetGrain(Type grainInterfaceType, Guid grainPrimaryKey, string keyExtension) =>
        Get(grainInterfaceType, GrainIdKeyExtensions.CreateGuidKey(grainPrimaryKey, Checked(keyExtension)).Text);

    public IGrain GetGrain(Type grainInterfaceType, long grainPrimaryKey, string keyExtension) =>
        Get(grainInterfaceType, GrainIdKeyExtensions.CreateIntegerKey(grainPrimaryKey, Checked(keyExtension)).Text);

    public TGrainObserverInterface CreateObjectReference<TGrainObserverInterface>(IGrainObserver obj)
        where TGrainObserverInterface : IGrainObserver
    {
        ArgumentNullException.ThrowIfNull(obj);
        if (obj is GrainReference or IGrainBase)
        {
            throw new ArgumentException("Grains and references are callable as they are; use AsReference.", nameof(obj));
        }

        if (obj is not TGrainObserverInterface)
        {
            throw new ArgumentException($"{obj.GetType()} doesn't implement {typeof(TGrainObserverInterface)}.", nameof(obj));
        }

        var key = Guid.NewGuid().ToString("N");
        runtime.Observers.AddObserver(key, obj);
        return (TGrainObserverInterface)(object)runtime.References.Of(typeof(TGrainObserverInterface), runtime.Observers, key);
    }

    public void DeleteObjectReference<TGrainObserverInterface>(IGrainObserver obj)
        where TGrainObserverInterface : IGrainObserver
    {
        ArgumentNullException.ThrowIfNull(obj);
        if (obj is not GrainReference { Target.Type.IsObserver: true } reference)
        {
            throw new ArgumentException("Only what CreateObjectReference returned can be deleted.", nameof(obj));
        }

        if (runtime.Observers.TryFind(reference.Key) is { } activation)
        {
            runtime.Observers.Remove(activation);
            activation.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, "The observer was deleted."));
        }
    }

    private static string Checked(string key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        return key;
    }

    private TGrainInterface Get<TGrainInterface>(string key, string? classNamePrefix) =>
        (TGrainInterface)(object)runtime.References.Of(typeof(TGrainInterface), key, classNamePrefix);

    private IGrain Get(Type grainInterfaceType, string key)
    {
        ArgumentNullException.ThrowIfNull(grainInterfaceType);
        return (IGrain)(object)runtime.References.Of(grainInterfaceType, key, null);
    }

    private GrainClass ClassOf(GrainId id) => runtime.ClassByName(id.Type)
        ?? throw new ArgumentException($"There is no grain class of the type '{id.Type}'.", nameof(id));
}
