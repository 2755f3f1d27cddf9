using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Orleans.Runtime;

/// <summary>The grains of one process: their classes, references, pending requests and options.</summary>
internal sealed class SiloRuntime : IDisposable
{
    private readonly IServiceCollection _descriptors;
    private readonly Dictionary<string, GrainClass> _byName = [];
    private readonly ActivationCollector _collector;
    private volatile bool _stopped;

    public SiloRuntime(
        IServiceProvider services,
        RegisteredServices registered,
        LocalSiloDetails details,
        IOptions<SiloMessagingOptions> messaging,
        IOptions<GrainCollectionOptions> collection,
        [FromKeyedServices("Orleans.Grains")] TimeProvider timeProvider,
        ILogger<SiloRuntime> logger)
    {
        Services = services;
        _descriptors = registered.Services;
        Details = details;
        TimeProvider = timeProvider;
        Log = new RuntimeLog(logger);
        MaxForwardCount = messaging.Value.CheckedMaxForwardCount;
        ActivationTimeout = collection.Value.ActivationTimeout;
        DeactivationTimeout = collection.Value.DeactivationTimeout;
        IncomingFilters = [.. services.GetServices<IIncomingGrainCallFilter>()];
        OutgoingFilters = [.. services.GetServices<IOutgoingGrainCallFilter>()];
        Pending = new PendingRequests(messaging.Value.ResponseTimeout, Expire, ReportCycle);
        References = new ReferenceFactory(this);
        Factory = new GrainFactory(this);
        Observers = GrainClass.ForObservers(this);

        var found = GrainClassScanner.Scan();
        SearchedAssemblies = string.Join(", ", found.Assemblies);
        foreach (var type in found.Classes)
        {
            var grainClass = new GrainClass(this, type, CollectionAges.Of(type, collection.Value));
            if (!_byName.TryAdd(grainClass.Name.ToString(), grainClass))
            {
                throw new OrleansConfigurationException($"{type} and {_byName[grainClass.Name.ToString()].ClassType} have the same grain type '{grainClass.Name}'. Rename one or give it a [GrainType].");
            }
        }

        _collector = new ActivationCollector(this, collection.Value.CollectionQuantum);
    }

    public IServiceProvider Services { get; }

    public LocalSiloDetails Details { get; }

    public TimeProvider TimeProvider { get; }

    public RuntimeLog Log { get; }

    public int MaxForwardCount { get; }

    public TimeSpan ActivationTimeout { get; }

    public TimeSpan DeactivationTimeout { get; }

    public IIncomingGrainCallFilter[] IncomingFilters { get; }

    public IOutgoingGrainCallFilter[] OutgoingFilters { get; }

    public PendingRequests Pending { get; }

    public ReferenceFactory References { get; }

    public GrainFactory Factory { get; }

    public GrainClass Observers { get; }

    public IReadOnlyCollection<GrainClass> Classes => _byName.Values;

    /// <summary>For error messages.</summary>
    public string SearchedAssemblies { get; }

    /// <summary>Milliseconds of the clock by which idleness is measured.</summary>
    public long Now => (long)TimeProvider.GetElapsedTime(0).TotalMilliseconds;

    public ActivationCollector Collector => _collector;

    public GrainClass? ClassByName(GrainType name) => _byName.GetValueOrDefault(name.ToString());

    /// <summary>Whether the container holds one object of this type for the whole process.</summary>
    public bool IsSingleton(Type type, object? key)
    {
        if (type == typeof(IServiceScopeFactory))
        {
            return true;
        }

        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        var last = _descriptors.LastOrDefault(descriptor =>
            (descriptor.ServiceType == type || descriptor.ServiceType == definition) && descriptor.IsKeyedService == key is not null && Equals(descriptor.ServiceKey, key));
        return last is { Lifetime: ServiceLifetime.Singleton };
    }

    public void ThrowIfStopped()
    {
        if (_stopped)
        {
            throw new SiloUnavailableException("The silo is shutting down.");
        }
    }

    /// <summary>Deactivates everything; nothing is activated any more.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopped = true;
        var going = new List<Task>();
        foreach (var type in Classes)
        {
            foreach (var activation in type.Activations)
            {
                going.Add(activation.Deactivated);
                activation.Deactivate(new DeactivationReason(DeactivationReasonCode.ShuttingDown, "The silo is shutting down."), cancellationToken);
            }
        }

        try
        {
            await Task.WhenAll(going).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Log.ShutdownTooSlow(going.Count(task => !task.IsCompleted));
        }

        foreach (var request in Pending.Snapshot())
        {
            request.Fail(new SiloUnavailableException($"The silo shut down before {request.Description} on {request.Target.GrainId} ended."));
        }
    }

    public void Dispose()
    {
        _stopped = true;
        _collector.Dispose();
        Pending.Dispose();
    }

    private void Expire(GrainRequest request, TimeSpan timeout)
    {
        if (!request.IsAnswered)
        {
            var state = request.Running ? "it was still running" : "it was still waiting for its turn";
            Log.RequestTimedOut(request.Description, request.Target.GrainId, timeout);
            request.Fail(new TimeoutException($"{request.Description} on {request.Target.GrainId} did not answer within {timeout} (ResponseTimeout); {state}."));
        }
    }

    private void ReportCycle(GrainRequest request, string cycle)
    {
        if (!request.IsAnswered)
        {
            Log.CallCycle(cycle);
            request.Fail(new CallCycleException(cycle));
        }
    }
}

/// <summary>The container's registrations, to know what is made once.</summary>
internal sealed record RegisteredServices(IServiceCollection Services);
