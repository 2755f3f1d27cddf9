namespace Orleans;

/// <summary>Why an activation ends.</summary>
public readonly struct DeactivationReason(DeactivationReasonCode code, Exception? exception, string text)
{
    /// <summary>Without an exception.</summary>
    public DeactivationReason(DeactivationReasonCode code, string text)
        : this(code, null, text)
    {
    }

    /// <summary>The kind of reason.</summary>
    public DeactivationReasonCode ReasonCode { get; } = code;

    /// <summary>The reason in words.</summary>
    public string Description { get; } = text;

    /// <summary>The error that led to it.</summary>
    public Exception? Exception { get; } = exception;

    /// <inheritdoc />
    public override string ToString() => Exception is null ? $"{ReasonCode}: {Description}" : $"{ReasonCode}: {Description} ({Exception.GetType().Name})";
}

/// <summary>The kinds of reason for which activations end. The numbers are Orleans'.</summary>
public enum DeactivationReasonCode : byte
{
    /// <summary>None was given.</summary>
    None = 0,

    /// <summary>The process is shutting down.</summary>
    ShuttingDown = 1,

    /// <summary>Activating it failed.</summary>
    ActivationFailed = 2,

    /// <summary>The directory failed; never in one process.</summary>
    DirectoryFailure = 3,

    /// <summary>It was idle for longer than its age limit.</summary>
    ActivationIdle = 4,

    /// <summary>It didn't answer; never in one process.</summary>
    ActivationUnresponsive = 5,

    /// <summary>Another activation of the grain exists; never in one process.</summary>
    DuplicateActivation = 6,

    /// <summary>A request of another version came; never in one process.</summary>
    IncompatibleRequest = 7,

    /// <summary>The grain failed.</summary>
    ApplicationError = 8,

    /// <summary>The grain asked for it.</summary>
    ApplicationRequested = 9,

    /// <summary>It moves to another silo.</summary>
    Migrating = 10,

    /// <summary>The runtime asked for it.</summary>
    RuntimeRequested = 11,

    /// <summary>Memory was short.</summary>
    HighMemoryPressure = 12,
}
