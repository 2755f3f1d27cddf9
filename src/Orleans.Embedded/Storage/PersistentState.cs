using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Providers;
using Orleans.Runtime;

namespace Orleans.Storage;

/// <summary>A state of an activation: read before it activates; its reads and writes happen one after the other.</summary>
internal sealed class PersistentState<T> : IPersistentState<T>, ILifecycleObserver, IStartOnly
{
    private readonly Activation _activation;
    private readonly string _name;
    private readonly IGrainStorage _storage;
    private readonly GrainState<T> _state;
    private Task _last = Task.CompletedTask;
    private bool _read;

    private PersistentState(Activation activation, string name, IGrainStorage storage)
    {
        _activation = activation;
        _name = name;
        _storage = storage;
        _state = new GrainState<T>(NewState.Of<T>());
    }

    public T State
    {
        get => _state.State!;
        set => _state.State = value;
    }

    public string? Etag => _state.ETag;

    public bool RecordExists => _read ? _state.RecordExists : throw new InvalidOperationException($"The state '{_name}' of {_activation.GrainId} is not read yet.");

    public static PersistentState<T> Attach(Activation activation, string name, string? storageName)
    {
        var state = new PersistentState<T>(activation, name, GrainStorageNames.Find(activation, storageName));
        activation.ObservableLifecycle.Subscribe(name, GrainLifecycleStage.SetupState, state);
        return state;
    }

    public Task OnStart(CancellationToken cancellationToken = default) => ReadStateAsync(cancellationToken);

    public Task OnStop(CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task ReadStateAsync() => InTurn(async () =>
    {
        await _storage.ReadStateAsync(_name, _activation.GrainId, _state);
        _read = true;
    });

    public Task ReadStateAsync(CancellationToken cancellationToken) => ReadStateAsync().WaitAsync(cancellationToken);

    public Task WriteStateAsync() => InTurn(() => _storage.WriteStateAsync(_name, _activation.GrainId, _state));

    public Task WriteStateAsync(CancellationToken cancellationToken) => WriteStateAsync().WaitAsync(cancellationToken);

    public Task ClearStateAsync() => InTurn(() => _storage.ClearStateAsync(_name, _activation.GrainId, _state));

    public Task ClearStateAsync(CancellationToken cancellationToken) => ClearStateAsync().WaitAsync(cancellationToken);

    private Task InTurn(Func<Task> operation)
    {
        if (RuntimeContext.Current != _activation)
        {
            throw new InvalidOperationException($"The state '{_name}' of {_activation.GrainId} was used outside its grain's turns.");
        }

        var before = _last;
        return _last = before.IsCompleted ? operation() : After(before, operation);
    }

    private static async Task After(Task before, Func<Task> operation)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await operation();
    }
}

/// <summary>Makes the state parameters of grain constructors.</summary>
internal static class PersistentStateFactory
{
    public static Func<Activation, object> For(Type parameterType, PersistentStateAttribute attribute)
    {
        if (!parameterType.IsGenericType || parameterType.GetGenericTypeDefinition() != typeof(IPersistentState<>))
        {
            throw new InvalidOperationException($"[PersistentState(\"{attribute.StateName}\")] is on a parameter of type {parameterType}; it must be IPersistentState<T>.");
        }

        return typeof(PersistentStateFactory)
            .GetMethod(nameof(Make), BindingFlags.Static | BindingFlags.NonPublic)!
            .MakeGenericMethod(parameterType.GenericTypeArguments)
            .CreateDelegate<Func<PersistentStateAttribute, Func<Activation, object>>>()(attribute);
    }

    private static Func<Activation, object> Make<T>(PersistentStateAttribute attribute) =>
        activation => PersistentState<T>.Attach(activation, attribute.StateName, attribute.StorageName);
}

/// <summary>Which storage a state is kept in.</summary>
internal static class GrainStorageNames
{
    public static string? Of(Type grainClass) => grainClass.GetCustomAttribute<StorageProviderAttribute>()?.ProviderName;

    public static IGrainStorage Find(Activation activation, string? name)
    {
        var services = activation.Runtime.Services;
        var storage = string.IsNullOrWhiteSpace(name) ? services.GetService<IGrainStorage>() : services.GetKeyedService<IGrainStorage>(name);
        return storage ?? throw new BadProviderConfigException(string.IsNullOrWhiteSpace(name)
            ? $"{activation.Type.ClassType} has a persistent state, but no default grain storage is configured."
            : $"{activation.Type.ClassType} has a persistent state in the grain storage '{name}', which is not configured.");
    }
}

/// <summary>The state of a grain that has none yet.</summary>
internal static class NewState
{
    public static T Of<T>() => Maker<T>.Make();

    private static class Maker<T>
    {
        public static readonly Func<T> Make =
            typeof(T) == typeof(string) ? static () => (T)(object)string.Empty
            : typeof(T).IsValueType || typeof(T).IsAbstract || typeof(T).GetConstructor(Type.EmptyTypes) is null ? static () => default!
            : Activator.CreateInstance<T>;
    }
}
