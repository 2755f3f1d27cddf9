using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Orleans
{
    /// <summary>Checks the configuration before the silo starts.</summary>
    public interface IConfigurationValidator
    {
        /// <summary>Throws <see cref="Runtime.OrleansConfigurationException"/> where it can't work.</summary>
        void ValidateConfiguration();
    }
}

namespace Orleans.Runtime
{
    /// <summary>Starts and stops the silo with its host.</summary>
    internal sealed class SiloHostedService(IServiceProvider services) : IHostedService
    {
        private readonly SiloLifecycle _lifecycle = new();
        private SiloRuntime? _runtime;

        public async Task StartAsync(CancellationToken cancellationToken)
        {
            foreach (var validator in services.GetServices<IConfigurationValidator>())
            {
                validator.ValidateConfiguration();
            }

            _runtime = services.GetRequiredService<SiloRuntime>();
            foreach (var participant in services.GetServices<ILifecycleParticipant<ISiloLifecycle>>())
            {
                participant.Participate(_lifecycle);
            }

            await _lifecycle.StartAsync(cancellationToken);
            _runtime.Log.Started(_runtime.Classes.Count);
        }

        public async Task StopAsync(CancellationToken cancellationToken)
        {
            // First what sends requests of its own accord, then the grains, which may still need their storage.
            try
            {
                await _lifecycle.StopAsync(ServiceLifecycleStage.BecomeActive, cancellationToken);
            }
            finally
            {
                if (_runtime is not null)
                {
                    await _runtime.StopAsync(cancellationToken);
                }

                await _lifecycle.StopAsync(cancellationToken);
            }
        }
    }

    internal sealed class SiloLifecycle : LifecycleSubject, ISiloLifecycle;

    /// <summary>Checks the options of the runtime itself.</summary>
    internal sealed class SiloOptionsValidator(IOptions<ClusterOptions> cluster, IOptions<GrainCollectionOptions> collection, IOptions<SiloMessagingOptions> messaging) : IConfigurationValidator
    {
        public void ValidateConfiguration()
        {
            Require(!string.IsNullOrWhiteSpace(cluster.Value.ClusterId), "ClusterOptions.ClusterId must not be empty.");
            Require(!string.IsNullOrWhiteSpace(cluster.Value.ServiceId), "ClusterOptions.ServiceId must not be empty.");
            Require(collection.Value.CollectionQuantum > TimeSpan.Zero, "GrainCollectionOptions.CollectionQuantum must be positive.");
            Require(collection.Value.CollectionAge > collection.Value.CollectionQuantum, "GrainCollectionOptions.CollectionAge must be longer than CollectionQuantum.");
            Require(messaging.Value.ResponseTimeout > TimeSpan.Zero, "SiloMessagingOptions.ResponseTimeout must be positive.");
        }

        private static void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new OrleansConfigurationException(message);
            }
        }
    }
}
