namespace Orleans
{
    /// <summary>Something that starts and stops in stages.</summary>
    public interface ILifecycleObservable
    {
        /// <summary>Takes part at a stage; disposing the result ends it.</summary>
        IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer);
    }

    /// <summary>Something that takes part in a start and a stop.</summary>
    public interface ILifecycleObserver
    {
        /// <summary>The stage starts.</summary>
        Task OnStart(CancellationToken cancellationToken = default);

        /// <summary>The stage stops.</summary>
        Task OnStop(CancellationToken cancellationToken = default);
    }

    /// <summary>Something that wants to take part in a lifecycle.</summary>
    /// <typeparam name="TLifecycleObservable">The lifecycle.</typeparam>
    public interface ILifecycleParticipant<TLifecycleObservable>
        where TLifecycleObservable : ILifecycleObservable
    {
        /// <summary>Subscribes to what it wants.</summary>
        void Participate(TLifecycleObservable lifecycle);
    }

    /// <summary>Subscriptions by functions.</summary>
    public static class LifecycleExtensions
    {
        /// <summary>Takes part at a stage.</summary>
        public static IDisposable Subscribe(this ILifecycleObservable observable, string observerName, int stage, Func<CancellationToken, Task> onStart, Func<CancellationToken, Task>? onStop)
        {
            ArgumentNullException.ThrowIfNull(observable);
            return observable.Subscribe(observerName, stage, new FunctionObserver(onStart, onStop));
        }

        /// <summary>Takes part at a stage.</summary>
        public static IDisposable Subscribe(this ILifecycleObservable observable, string observerName, int stage, Func<CancellationToken, Task> onStart) =>
            observable.Subscribe(observerName, stage, onStart, null);

        /// <summary>Takes part at a stage.</summary>
        public static IDisposable Subscribe<TObserver>(this ILifecycleObservable observable, int stage, Func<CancellationToken, Task> onStart, Func<CancellationToken, Task> onStop) =>
            observable.Subscribe(typeof(TObserver).Name, stage, onStart, onStop);

        /// <summary>Takes part at a stage.</summary>
        public static IDisposable Subscribe<TObserver>(this ILifecycleObservable observable, int stage, Func<CancellationToken, Task> onStart) =>
            observable.Subscribe(typeof(TObserver).Name, stage, onStart, null);

        private sealed class FunctionObserver(Func<CancellationToken, Task> onStart, Func<CancellationToken, Task>? onStop) : ILifecycleObserver
        {
            public Task OnStart(CancellationToken cancellationToken = default) => onStart(cancellationToken);

            public Task OnStop(CancellationToken cancellationToken = default) => onStop?.Invoke(cancellationToken) ?? Task.CompletedTask;
        }
    }

    /// <summary>The stages of a silo's start; it stops in the opposite order.</summary>
    public static class ServiceLifecycleStage
    {
        /// <summary>Before everything.</summary>
        public const int First = int.MinValue;

        /// <summary>The runtime prepares itself.</summary>
        public const int RuntimeInitialize = 2000;

        /// <summary>The runtime's services.</summary>
        public const int RuntimeServices = 4000;

        /// <summary>The runtime's storage.</summary>
        public const int RuntimeStorageServices = 6000;

        /// <summary>The runtime's grain services: reminders.</summary>
        public const int RuntimeGrainServices = 8000;

        /// <summary>The application's services, such as storage of grain state.</summary>
        public const int ApplicationServices = 10000;

        /// <summary>Just before grains serve.</summary>
        public const int BecomeActive = Active - 1;

        /// <summary>Grains serve.</summary>
        public const int Active = 20000;

        /// <summary>After everything.</summary>
        public const int Last = int.MaxValue;
    }
}

namespace Orleans.Runtime
{
    /// <summary>The start and stop of the silo.</summary>
    public interface ISiloLifecycle : ILifecycleObservable;

    /// <summary>The activation and deactivation of a grain.</summary>
    public interface IGrainLifecycle : ILifecycleObservable;

    /// <summary>The stages of a grain's activation.</summary>
    public static class GrainLifecycleStage
    {
        /// <summary>Before everything.</summary>
        public const int First = int.MinValue;

        /// <summary>State is loaded.</summary>
        public const int SetupState = 1000;

        /// <summary>The grain activates.</summary>
        public const int Activate = 2000;

        /// <summary>After everything.</summary>
        public const int Last = int.MaxValue;
    }

    /// <summary>Something to be done when the silo has started.</summary>
    public interface IStartupTask
    {
        /// <summary>Does it; the silo's start fails with it.</summary>
        Task Execute(CancellationToken cancellationToken);
    }

    /// <summary>Runs observers by stage: up at the start, down again at the stop.</summary>
    internal class LifecycleSubject : ILifecycleObservable
    {
        private readonly List<Subscription> _subscriptions = [];

        /// <summary>Whether anybody wants to know of the stop.</summary>
        public bool HasStops => _subscriptions.Exists(subscription => subscription.Observer is not IStartOnly);

        public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
        {
            ArgumentNullException.ThrowIfNull(observer);
            var subscription = new Subscription(this, stage, observer);
            _subscriptions.Add(subscription);
            return subscription;
        }

        public async Task StartAsync(CancellationToken cancellationToken)
        {
            foreach (var stage in _subscriptions.ToArray().GroupBy(subscription => subscription.Stage).OrderBy(group => group.Key))
            {
                await Task.WhenAll(stage.Select(subscription => subscription.StartAsync(cancellationToken)));
            }
        }

        /// <summary>Stops what was started, all of it, whatever fails; then throws what failed.</summary>
        public Task StopAsync(CancellationToken cancellationToken) => StopAsync(int.MinValue, cancellationToken);

        /// <summary>The same for the stages from <paramref name="lowest"/> up.</summary>
        public async Task StopAsync(int lowest, CancellationToken cancellationToken)
        {
            List<Exception>? failures = null;
            foreach (var stage in _subscriptions.ToArray().Where(subscription => subscription.Started && subscription.Stage >= lowest).GroupBy(subscription => subscription.Stage).OrderByDescending(group => group.Key))
            {
                try
                {
                    await Task.WhenAll(stage.Select(subscription => subscription.StopAsync(cancellationToken)));
                }
                catch (Exception exception)
                {
                    (failures ??= []).Add(exception);
                }
            }

            if (failures is not null)
            {
                throw new AggregateException("Parts of the lifecycle failed to stop.", failures);
            }
        }

        private sealed class Subscription(LifecycleSubject subject, int stage, ILifecycleObserver observer) : IDisposable
        {
            public int Stage => stage;

            public ILifecycleObserver Observer => observer;

            public bool Started { get; private set; }

            public Task StartAsync(CancellationToken cancellationToken)
            {
                Started = true;
                return observer.OnStart(cancellationToken);
            }

            public Task StopAsync(CancellationToken cancellationToken)
            {
                Started = false;
                return observer.OnStop(cancellationToken);
            }

            public void Dispose() => subject._subscriptions.Remove(this);
        }
    }

    /// <summary>Marks observers that do nothing at the stop, so that an activation need not remember them.</summary>
    internal interface IStartOnly;
}
