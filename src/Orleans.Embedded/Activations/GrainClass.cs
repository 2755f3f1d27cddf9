using System.Collections.Concurrent;
using System.Reflection;
using Orleans.Concurrency;
using Orleans.Serialization.Invocation;

namespace Orleans.Runtime;

/// <summary>A grain class: what its attributes say, and the directory of its activations.</summary>
internal sealed class GrainClass
{
    private readonly ConcurrentDictionary<string, Activation> _activations = new();
    private readonly ConcurrentDictionary<string, WorkerPool>? _workers;
    private readonly Lazy<GrainActivator> _activator;

    public GrainClass(SiloRuntime runtime, Type type, TimeSpan? ageLimit)
    {
        Runtime = runtime;
        ClassType = type;
        Name = GrainTypeNames.Of(type);
        AgeLimit = ageLimit;
        Reentrant = type.IsDefined(typeof(ReentrantAttribute), inherit: true);
        MayInterleave = InterleavePredicate.Of(type, runtime.Log);
        HasFilters = runtime.IncomingFilters.Length > 0 || typeof(IIncomingGrainCallFilter).IsAssignableFrom(type);
        _activator = new Lazy<GrainActivator>(() => new GrainActivator(runtime, type));
        if (type.GetCustomAttribute<StatelessWorkerAttribute>() is { } worker)
        {
            MaxWorkers = worker.MaxLocalWorkers;
            _workers = new ConcurrentDictionary<string, WorkerPool>();
        }
    }

    /// <summary>The class of all observers.</summary>
    private GrainClass(SiloRuntime runtime)
    {
        Runtime = runtime;
        ClassType = typeof(IGrainObserver);
        Name = GrainType.Create("observer");
        IsObserver = true;
        _activator = new Lazy<GrainActivator>(() => throw new InvalidOperationException("Observers aren't activated."));
    }

    public SiloRuntime Runtime { get; }

    public Type ClassType { get; }

    public GrainType Name { get; }

    public bool Reentrant { get; }

    public bool IsObserver { get; }

    public bool HasFilters { get; }

    public Func<object, IInvokable, bool>? MayInterleave { get; }

    /// <summary>How long an activation may be idle; null for ever.</summary>
    public TimeSpan? AgeLimit { get; }

    /// <summary>How many activations a stateless worker may have for a key; 0 for other grains.</summary>
    public int MaxWorkers { get; }

    /// <summary>Calls aren't run on the caller's thread, as several workers are there to work at the same time.</summary>
    public bool MayRunInline => _workers is null && !IsObserver;

    public int ActivationCount => _activations.Count + (_workers?.Values.Sum(pool => pool.Count) ?? 0);

    public IEnumerable<Activation> Activations =>
        _activations.Select(pair => pair.Value).Concat(_workers?.Values.SelectMany(pool => pool.Snapshot()) ?? []);

    public static GrainClass ForObservers(SiloRuntime runtime) => new(runtime);

    /// <summary>Sends a request to the activation for a key, or to one of a stateless worker's.</summary>
    public void Send(string key, GrainRequest request)
    {
        if (_workers is not null)
        {
            _workers.GetOrAdd(key, static (key, type) => new WorkerPool(type, key), this).Send(request);
        }
        else
        {
            Find(key).Accept(request, MayRunInline && !request.OneWay);
        }
    }

    /// <summary>The activation for a key; it is made where there is none, and begins activating with its first request.</summary>
    public Activation Find(string key)
    {
        while (true)
        {
            if (_activations.TryGetValue(key, out var activation))
            {
                return activation;
            }

            Runtime.ThrowIfStopped();
            activation = new Activation(this, key);
            if (_activations.TryAdd(key, activation))
            {
                return activation;
            }
        }
    }

    /// <summary>Registers an observer.</summary>
    public Activation AddObserver(string key, IGrainObserver observer)
    {
        var activation = new Activation(this, key);
        activation.StartWith(new WeakReference(observer));
        _activations[key] = activation;
        return activation;
    }

    public Activation? TryFind(string key) => _activations.GetValueOrDefault(key);

    public void Remove(Activation activation)
    {
        if (_workers is not null)
        {
            if (_workers.TryGetValue(activation.Key, out var pool))
            {
                pool.Remove(activation);
            }
        }
        else
        {
            _activations.TryRemove(KeyValuePair.Create(activation.Key, activation));
        }
    }

    /// <summary>Passes a request on that an activation can't serve any more. Never throws: what goes wrong is the request's answer.</summary>
    public void Resend(Activation from, GrainRequest request)
    {
        try
        {
            if (IsObserver)
            {
                request.Fail(new ClientNotAvailableException(from.GrainId));
            }
            else
            {
                Send(from.Key, request);
            }
        }
        catch (Exception exception)
        {
            request.Fail(exception);
        }
    }

    public object Create(Activation activation) => _activator.Value.Create(activation);

    public Task OnActivateAsync(object instance, CancellationToken cancellationToken) =>
        instance is IGrainBase grain ? grain.OnActivateAsync(cancellationToken) : Task.CompletedTask;

    public Task OnDeactivateAsync(object instance, DeactivationReason reason, CancellationToken cancellationToken) =>
        instance is IGrainBase grain ? grain.OnDeactivateAsync(reason, cancellationToken) : Task.CompletedTask;

    public async ValueTask DisposeAsync(object? instance)
    {
        if (IsObserver)
        {
            return;
        }

        if (instance is IAsyncDisposable asyncDisposable)
        {
            await asyncDisposable.DisposeAsync();
        }
        else if (instance is IDisposable disposable)
        {
            disposable.Dispose();
        }
    }
}
