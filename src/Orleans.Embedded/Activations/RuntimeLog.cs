using Microsoft.Extensions.Logging;

namespace Orleans.Runtime;

/// <summary>What the runtime logs. Never arguments or results.</summary>
internal sealed partial class RuntimeLog(ILogger logger)
{
    private readonly ILogger _logger = logger;

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "{Method} on {Grain}, whose outcome nobody awaits, failed")]
    public partial void OneWayFailed(Exception exception, string method, GrainId grain);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "A timer of {Grain} failed; it goes on ticking")]
    public partial void TimerFailed(Exception exception, GrainId grain);

    [LoggerMessage(EventId = 3, Level = LogLevel.Error, Message = "{Grain} could not be activated")]
    public partial void ActivationFailed(Exception exception, GrainId grain);

    [LoggerMessage(EventId = 4, Level = LogLevel.Warning, Message = "{Grain} failed or took too long while it was deactivated")]
    public partial void DeactivationFailed(Exception exception, GrainId grain);

    [LoggerMessage(EventId = 5, Level = LogLevel.Warning, Message = "The silo shuts down without {Count} activations that did not end in time")]
    public partial void ShutdownTooSlow(int count);

    [LoggerMessage(EventId = 6, Level = LogLevel.Warning, Message = "{Method} on {Grain} did not answer within {Timeout}")]
    public partial void RequestTimedOut(string method, GrainId grain, TimeSpan timeout);

    [LoggerMessage(EventId = 7, Level = LogLevel.Warning, Message = "A call waits for itself: {Cycle}")]
    public partial void CallCycle(string cycle);

    [LoggerMessage(EventId = 8, Level = LogLevel.Warning, Message = "Reminder {Reminder} of {Grain} failed; it comes again")]
    public partial void ReminderFailed(Exception exception, string reminder, GrainId grain);

    [LoggerMessage(EventId = 9, Level = LogLevel.Warning, Message = "The reminders could not be read; the known ones go on")]
    public partial void ReminderRefreshFailed(Exception exception);

    [LoggerMessage(EventId = 11, Level = LogLevel.Error, Message = "{Predicate}, the [MayInterleave] predicate of {GrainClass}, failed; the request waits")]
    public partial void PredicateFailed(Exception exception, string predicate, Type grainClass);

    [LoggerMessage(EventId = 10, Level = LogLevel.Information, Message = "Orleans is embedded: {Count} grain classes, this process only")]
    public partial void Started(int count);
}
