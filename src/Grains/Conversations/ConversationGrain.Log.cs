using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Conversations;

internal sealed partial class ConversationGrain
{
    [LoggerMessage(EventId = 2301, Level = LogLevel.Debug, Message = "Stored {Messages} messages ({Duplicates} were there) of conversation {ConversationId}, trace {TraceParent}")]
    private static partial void LogReceived(ILogger logger, int messages, int duplicates, Guid conversationId, string? traceParent);

    [LoggerMessage(EventId = 2302, Level = LogLevel.Warning, Message = "Conversation {ConversationId} was committed elsewhere since version {Version} was read; this activation reads again")]
    private static partial void LogStale(ILogger logger, Guid conversationId, long version);

    [LoggerMessage(EventId = 2303, Level = LogLevel.Debug, Message = "Turn {TurnId} of conversation {ConversationId} started, attempt {Attempt}, messages {First} to {Last}, trace {TraceId}")]
    private static partial void LogTurnStarted(ILogger logger, Guid turnId, Guid conversationId, int attempt, long first, long last, string? traceId);

    [LoggerMessage(EventId = 2304, Level = LogLevel.Debug, Message = "Turn {TurnId} of conversation {ConversationId} ended: {Outcome} by {Responder}, trace {TraceId}")]
    private static partial void LogTurnEnded(ILogger logger, Guid turnId, Guid conversationId, string outcome, string responder, string? traceId);

    [LoggerMessage(EventId = 2305, Level = LogLevel.Error, Message = "Turn {TurnId} of conversation {ConversationId} failed")]
    private static partial void LogTurnFailed(ILogger logger, Exception failure, Guid turnId, Guid conversationId);

    [LoggerMessage(EventId = 2306, Level = LogLevel.Warning, Message = "Work of a conversation of channel {ChannelId} could not be taken in ({Exception}: {Reason}); it is tried again")]
    private static partial void LogWorkFailed(ILogger logger, Guid channelId, string exception, string reason);

    [LoggerMessage(EventId = 2307, Level = LogLevel.Warning, Message = "A read mark on channel {ChannelId} failed ({Exception}: {Reason})")]
    private static partial void LogReadMarkFailed(ILogger logger, Guid channelId, string exception, string reason);

    [LoggerMessage(EventId = 2309, Level = LogLevel.Information, Message = "Conversation {OtherId} turned out to be one with {ConversationId} on channel {ChannelId}; it is part of it now")]
    private static partial void LogMerged(ILogger logger, Guid otherId, Guid conversationId, Guid channelId);
}
