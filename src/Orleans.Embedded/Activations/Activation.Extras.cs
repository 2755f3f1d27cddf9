using Microsoft.Extensions.DependencyInjection;
using Orleans.Timers;

namespace Orleans.Runtime;

/// <summary>What few activations need, or need only for a time; it is made when it is first needed.</summary>
internal sealed partial class Activation
{
    private ActivationExtras? _extras;

    /// <inheritdoc />
    object? IGrainContext.GrainInstance => _instance;

    /// <inheritdoc />
    public GrainReference GrainReference => Runtime.References.Untyped(Type, _key);

    /// <inheritdoc />
    public IServiceProvider ActivationServices
    {
        get
        {
            lock (this)
            {
                return (Extras.Scope ??= Runtime.Services.CreateAsyncScope()).ServiceProvider;
            }
        }
    }

    /// <inheritdoc />
    public IGrainLifecycle ObservableLifecycle
    {
        get
        {
            lock (this)
            {
                return Extras.Lifecycle ??= new GrainLifecycle();
            }
        }
    }

    /// <inheritdoc />
    public Task Deactivated
    {
        get
        {
            lock (this)
            {
                return _stage == Stage.Gone
                    ? Task.CompletedTask
                    : (Extras.Gone ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    /// <summary>Made when first needed; the lock must be held.</summary>
    private ActivationExtras Extras => _extras ??= new ActivationExtras();

    /// <inheritdoc />
    public bool Equals(IGrainContext? other) => ReferenceEquals(this, other);

    /// <inheritdoc />
    public void SetComponent<TComponent>(TComponent? value)
        where TComponent : class
    {
        lock (this)
        {
            var components = Extras.Components ??= [];
            if (value is null)
            {
                components.Remove(typeof(TComponent));
            }
            else
            {
                components[typeof(TComponent)] = value;
            }
        }
    }

    /// <inheritdoc />
    public TComponent? GetComponent<TComponent>()
        where TComponent : class
    {
        if (_instance is TComponent grain)
        {
            return grain;
        }

        lock (this)
        {
            return _extras?.Components?.GetValueOrDefault(typeof(TComponent)) as TComponent ?? this as TComponent;
        }
    }

    public void DelayDeactivation(TimeSpan time)
    {
        lock (this)
        {
            var now = Runtime.Now;
            Extras.KeepUntil = time == TimeSpan.MaxValue || time == Timeout.InfiniteTimeSpan ? long.MaxValue
                : time <= TimeSpan.Zero ? 0
                : now + (long)Math.Min(time.TotalMilliseconds, long.MaxValue / 2);
        }
    }

    public void AddTimer(GrainTimer timer)
    {
        lock (this)
        {
            (Extras.Timers ??= []).Add(timer);
        }
    }

    public void RemoveTimer(GrainTimer timer)
    {
        lock (this)
        {
            _extras?.Timers?.Remove(timer);
        }
    }

    public void EnterReentrantSection(Guid id)
    {
        lock (this)
        {
            var sections = Extras.ReentrantSections ??= [];
            sections[id] = sections.GetValueOrDefault(id) + 1;
            if (_stage == Stage.Valid && _firstWaiting is not null)
            {
                StartWaiting();
            }
        }
    }

    public void LeaveReentrantSection(Guid id)
    {
        lock (this)
        {
            if (_extras?.ReentrantSections is { } sections && sections.TryGetValue(id, out var depth))
            {
                if (depth <= 1)
                {
                    sections.Remove(id);
                }
                else
                {
                    sections[id] = depth - 1;
                }
            }
        }
    }

    private void StopTimers()
    {
        GrainTimer[] timers;
        lock (this)
        {
            timers = _extras?.Timers?.ToArray() ?? [];
        }

        foreach (var timer in timers)
        {
            timer.Dispose();
        }
    }

    private sealed class ActivationExtras
    {
        public HashSet<GrainTimer>? Timers { get; set; }

        public AsyncServiceScope? Scope { get; set; }

        public GrainLifecycle? Lifecycle { get; set; }

        public TaskCompletionSource? Gone { get; set; }

        public Dictionary<Guid, int>? ReentrantSections { get; set; }

        public Dictionary<Type, object>? Components { get; set; }

        public DeactivationReason Reason { get; set; }

        public bool Ending { get; set; }

        /// <summary>The runtime's clock until which the collector leaves it alone.</summary>
        public long KeepUntil { get; set; }

        public bool IsEmpty => Timers is null && Scope is null && Lifecycle is null or { HasStops: false } && Gone is null && ReentrantSections is null && Components is null && !Ending && KeepUntil == 0;
    }
}
