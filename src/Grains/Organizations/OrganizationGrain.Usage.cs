using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Billing;
using AgentPlatform.Grains.Billing;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Organizations;

/// <summary>
/// What the organization has used, hot: silos report what their conversations used, and are told when a limit is reached. What is in memory only decides when to look
/// closely; what is told and done always comes from the database.
/// </summary>
internal sealed partial class OrganizationGrain
{
    private readonly HashSet<(string, string, DateOnly, long)> _told = [];
    private UsageState? _usage;
    private bool _isRead;

    public async Task<AiAllowance> ReadAllowance() => UsageLimits.Allowance(await ReadUsage().OrUnavailable());

    public async Task Used(long tokens, int conversations)
    {
        // Where nothing was read yet, the reading sees what is committed, this included.
        if (_usage is not null)
        {
            _usage = _usage with { TokensUsed = _usage.TokensUsed + tokens, ConversationsUsed = _usage.ConversationsUsed + conversations };
            if (_usage.ValidUntil > clock.GetUtcNow() && UsageLimits.Alerts(_usage).All(alert => _told.Contains(alert.Key)))
            {
                return;
            }
        }
        try
        {
            await ReadUsage();
        }
        catch (Exception failure)
        {
            LogUsageUnread(this.GetPrimaryKey(), failure.GetType().Name, failure.Message);
        }
    }

    private async Task<UsageState?> ReadUsage()
    {
        var id = this.GetPrimaryKey();
        var before = _usage;
        var now = await store.Read(id, clock.GetUtcNow(), CancellationToken.None);
        foreach (var alert in now is null ? [] : UsageLimits.Alerts(now))
        {
            if (!_told.Contains(alert.Key))
            {
                await store.Alert(id, alert.Kind, alert.Level, alert.PeriodStart, alert.Used, alert.Quota, CancellationToken.None);
                _told.Add(alert.Key);
            }
        }
        if (_isRead && (before?.StopReason != now?.StopReason || (before?.TakesNewConversations ?? true) != (now?.TakesNewConversations ?? true)))
        {
            await store.Announce(id, CancellationToken.None);
        }
        if (!IsHeldBack(now) && (!_isRead || IsHeldBack(before)))
        {
            await WakeWaiting(id);
        }
        // Only once everything is told: what failed on the way is told after the next reading.
        (_usage, _isRead) = (now, true);
        return now;
    }

    public async Task<int> WakeWaiting() => IsHeldBack(await ReadUsage()) ? 0 : await WakeWaiting(this.GetPrimaryKey());

    private static bool IsHeldBack(UsageState? state) => state is { StopReason: not null } or { TakesNewConversations: false };

    /// <summary>The AI may go on: conversations that waited for it are answered. They ask this grain in turn, so none of them is waited for.</summary>
    private async Task<int> WakeWaiting(Guid id)
    {
        var waiting = await conversations.FindWaiting(id, usage.Value.WakeLimit, CancellationToken.None);
        foreach (var (channel, identity) in waiting)
        {
            _ = Wake(new ConversationKey(channel, identity));
        }
        return waiting.Count;
    }

    private async Task Wake(ConversationKey key)
    {
        try
        {
            await GrainFactory.GetGrain<IConversationGrain>(key.ToString()).Wake();
        }
        catch (Exception failure)
        {
            // It goes on with the customer's next message.
            LogNotWoken(key.ChannelId, failure.GetType().Name, failure.Message);
        }
    }

    [LoggerMessage(2502, LogLevel.Warning, "The usage of organization {OrganizationId} could not be read ({Failure}: {Reason}); silos ask again")]
    private partial void LogUsageUnread(Guid organizationId, string failure, string reason);

    [LoggerMessage(2503, LogLevel.Warning, "A conversation of channel {ChannelId} that waited for the AI could not be woken ({Failure}: {Reason})")]
    private partial void LogNotWoken(Guid channelId, string failure, string reason);
}
