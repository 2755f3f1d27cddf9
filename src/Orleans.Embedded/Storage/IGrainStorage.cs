using Orleans.Runtime;

namespace Orleans.Storage
{
    /// <summary>Keeps states of grains.</summary>
    public interface IGrainStorage
    {
        /// <summary>Reads a state, or makes an empty one where there is none.</summary>
        Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

        /// <summary>Writes a state; throws <see cref="InconsistentStateException"/> where its etag isn't the stored one.</summary>
        Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);

        /// <summary>Removes a state; throws <see cref="InconsistentStateException"/> where its etag isn't the stored one.</summary>
        Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState);
    }
}

namespace Orleans
{
    /// <summary>A state as a storage sees it.</summary>
    /// <typeparam name="T">The type of the state.</typeparam>
    public interface IGrainState<T>
    {
        /// <summary>The state.</summary>
        T? State { get; set; }

        /// <summary>The version that was read or written last; null where there is none.</summary>
        string? ETag { get; set; }

        /// <summary>Whether it is stored.</summary>
        bool RecordExists { get; set; }
    }

    /// <inheritdoc />
    public sealed class GrainState<T> : IGrainState<T>
    {
        /// <summary>Empty.</summary>
        public GrainState()
        {
        }

        /// <summary>With a state.</summary>
        public GrainState(T? state)
            : this(state, null)
        {
        }

        /// <summary>With a state and its version.</summary>
        public GrainState(T? state, string? eTag)
        {
            State = state;
            ETag = eTag;
        }

        /// <inheritdoc />
        public T? State { get; set; }

        /// <inheritdoc />
        public string? ETag { get; set; }

        /// <inheritdoc />
        public bool RecordExists { get; set; }
    }
}

namespace Orleans.Core
{
    /// <summary>A grain's way to its stored state.</summary>
    public interface IStorage
    {
        /// <summary>The version that was read or written last; null where there is none.</summary>
        string? Etag { get; }

        /// <summary>Whether it is stored.</summary>
        bool RecordExists { get; }

        /// <summary>Removes it.</summary>
        Task ClearStateAsync();

        /// <summary>Removes it.</summary>
        Task ClearStateAsync(CancellationToken cancellationToken);

        /// <summary>Writes it.</summary>
        Task WriteStateAsync();

        /// <summary>Writes it.</summary>
        Task WriteStateAsync(CancellationToken cancellationToken);

        /// <summary>Reads it anew.</summary>
        Task ReadStateAsync();

        /// <summary>Reads it anew.</summary>
        Task ReadStateAsync(CancellationToken cancellationToken);
    }

    /// <inheritdoc />
    public interface IStorage<TState> : IStorage
    {
        /// <summary>The state as this activation knows it.</summary>
        TState State { get; set; }
    }
}

namespace Orleans.Runtime
{
    using Orleans.Core;

    /// <summary>A stored state, as a parameter of a grain's constructor.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    public interface IPersistentState<TState> : IStorage<TState>;

    /// <summary>Names the state and the storage of an <see cref="IPersistentState{TState}"/> parameter.</summary>
    [AttributeUsage(AttributeTargets.Parameter)]
    public class PersistentStateAttribute : Attribute
    {
        /// <summary>Without a storage name, the default storage.</summary>
        public PersistentStateAttribute(string stateName, string? storageName = null)
        {
            ArgumentNullException.ThrowIfNull(stateName);
            StateName = stateName;
            StorageName = storageName;
        }

        /// <summary>The name of the state. In the ADO.NET storage it and the key are all that tells states apart: make it unique.</summary>
        public string StateName { get; }

        /// <summary>The name of the storage.</summary>
        public string? StorageName { get; }
    }
}
