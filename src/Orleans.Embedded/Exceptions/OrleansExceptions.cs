namespace Orleans.Runtime
{
    /// <summary>An error of the grain runtime.</summary>
    public class OrleansException : Exception
    {
        /// <summary>Without a reason.</summary>
        public OrleansException()
            : base("The grain runtime failed.")
        {
        }

        /// <summary>With a reason.</summary>
        public OrleansException(string message)
            : base(message)
        {
        }

        /// <summary>With a reason and its cause.</summary>
        public OrleansException(string message, Exception innerException)
            : base(message, innerException)
        {
        }
    }

    /// <summary>A request was refused before a grain saw it.</summary>
    public class OrleansMessageRejectionException : OrleansException
    {
        internal OrleansMessageRejectionException(string message)
            : base(message)
        {
        }
    }

    /// <summary>The silo of the target is shutting down.</summary>
    public sealed class SiloUnavailableException : OrleansMessageRejectionException
    {
        /// <summary>With a reason.</summary>
        public SiloUnavailableException(string message)
            : base(message)
        {
        }
    }

    /// <summary>An observer is gone.</summary>
    public sealed class ClientNotAvailableException : OrleansException
    {
        internal ClientNotAvailableException(GrainId observer)
            : base($"The observer {observer} was deleted or collected.")
        {
        }
    }

    /// <summary>The configuration can't work; the message says what to change.</summary>
    public sealed class OrleansConfigurationException : Exception
    {
        /// <summary>With a reason.</summary>
        public OrleansConfigurationException(string message)
            : base(message)
        {
        }

        /// <summary>With a reason and its cause.</summary>
        public OrleansConfigurationException(string message, Exception innerException)
            : base(message, innerException)
        {
        }
    }

    /// <summary>A reminder could not be changed.</summary>
    public sealed class ReminderException(string message) : OrleansException(message);
}

namespace Orleans.Storage
{
    using Orleans.Runtime;

    /// <summary>Somebody else wrote the state since this activation read it. The activation is deactivated.</summary>
    public class InconsistentStateException : OrleansException
    {
        /// <summary>Without a reason.</summary>
        public InconsistentStateException()
        {
        }

        /// <summary>With a reason.</summary>
        public InconsistentStateException(string message)
            : base(message)
        {
        }

        /// <summary>With a reason and its cause.</summary>
        public InconsistentStateException(string message, Exception? innerException)
            : base(message, innerException!)
        {
        }

        /// <summary>With the etags that differ.</summary>
        public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag)
            : this(errorMsg, storedEtag, currentEtag, null)
        {
        }

        /// <summary>With the etags that differ and a cause.</summary>
        public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag, Exception? storageException)
            : base(errorMsg, storageException!)
        {
            StoredEtag = storedEtag;
            CurrentEtag = currentEtag;
        }

        /// <summary>The etag in storage, where it is known.</summary>
        public string? StoredEtag { get; private set; }

        /// <summary>The etag that the activation held.</summary>
        public string? CurrentEtag { get; private set; }

        /// <summary>False once the activation that met the conflict has been told to go.</summary>
        internal bool IsSourceActivation { get; set; } = true;
    }

    /// <summary>A grain names a storage that isn't configured.</summary>
    public sealed class BadProviderConfigException(string message) : OrleansException(message);
}
