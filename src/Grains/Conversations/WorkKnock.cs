using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Conversations;

/// <summary>
/// Tells a conversation's grain that something of it ended outside. Not part of the grain's class: it runs beside the grain's turns, and goes on when the
/// activation that began it is gone.
/// </summary>
internal static partial class WorkKnock
{
    /// <summary>The wait before the second knock; the next ones wait longer.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>Knocks until the grain has opened: while Postgres is away it can't, and what is unfinished must not be forgotten.</summary>
    public static async Task UntilOpened(IConversationWork grain, ConversationServices services, Guid channelId, TimeSpan wait = default)
    {
        for (; ; wait = wait < LongestWait ? wait * 2 + FirstWait : LongestWait)
        {
            try
            {
                if (wait > TimeSpan.Zero)
                {
                    await Task.Delay(wait, services.Clock, services.Stopping).ConfigureAwait(false);
                }
                await grain.Work().ConfigureAwait(false);
                return;
            }
            catch (Exception) when (services.Stopping.IsCancellationRequested)
            {
                // What is unfinished is in Postgres; another silo, or the next start, takes it up.
                return;
            }
            catch (Exception failure)
            {
                LogNotOpened(services.Logger, channelId, failure.GetType().Name, failure.Message);
            }
        }
    }

    [LoggerMessage(EventId = 2308, Level = LogLevel.Warning, Message = "A conversation of channel {ChannelId} could not take in what ended ({Exception}: {Reason}); it is tried again")]
    private static partial void LogNotOpened(ILogger logger, Guid channelId, string exception, string reason);
}
