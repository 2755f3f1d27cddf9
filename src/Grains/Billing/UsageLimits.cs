using AgentPlatform.Billing;
using AgentPlatform.Data.Billing;

namespace AgentPlatform.Grains.Billing;

/// <summary>What is to be told about a limit.</summary>
/// <param name="Kind"><c>tokens</c> or <c>conversations</c>.</param>
/// <param name="Level"><c>warning</c> or <c>limit</c>.</param>
/// <param name="PeriodStart">First day of the period that it is about: told once in it.</param>
/// <param name="Used">What was used when it was noticed.</param>
/// <param name="Quota">The limit; a new one is told about again.</param>
internal sealed record UsageAlert(string Kind, string Level, DateOnly PeriodStart, long Used, long Quota)
{
    /// <summary>Two with the same key say the same.</summary>
    public (string, string, DateOnly, long) Key => (Kind, Level, PeriodStart, Quota);
}

/// <summary>Decides what follows from what was used. Pure.</summary>
internal static class UsageLimits
{
    /// <summary>What is to be told: for each limit the highest level reached.</summary>
    public static IEnumerable<UsageAlert> Alerts(UsageState state)
    {
        if (Level(state.TokensUsed, state.TokenQuota, state) is { } tokens)
        {
            yield return new UsageAlert("tokens", tokens, Day(state.PeriodStart), state.TokensUsed, state.TokenQuota!.Value);
        }
        if (Level(state.ConversationsUsed, state.ConversationLimit, state) is { } conversations)
        {
            yield return new UsageAlert("conversations", conversations, Day(state.MonthStart), state.ConversationsUsed, state.ConversationLimit!.Value);
        }
    }

    /// <summary>What turns need to know.</summary>
    public static AiAllowance Allowance(UsageState? state) => state is null ? AiAllowance.Unlimited : new AiAllowance
    {
        IsLimited = true,
        StopReason = state.StopReason,
        TakesNewConversations = state.TakesNewConversations,
        StopMessage = state.StopMessage,
        TokensLeft = Left(state.TokensUsed, state.TokenQuota, state.StopPercent),
        ConversationsLeft = (int?)Left(state.ConversationsUsed, state.ConversationLimit, state.StopPercent),
        ValidUntil = state.ValidUntil,
    };

    private static string? Level(long used, long? quota, UsageState state) => quota switch
    {
        null => null,
        { } limit when (decimal)used * 100 >= (decimal)limit * state.StopPercent => "limit",
        { } limit when (decimal)used * 100 >= (decimal)limit * state.WarnPercent => "warning",
        _ => null,
    };

    /// <summary>How much more may be used before the limit is reached.</summary>
    private static long? Left(long used, long? quota, int stopPercent) =>
        quota is { } limit ? (long)Math.Clamp(Math.Ceiling((decimal)limit * stopPercent / 100) - used, 0, int.MaxValue) : null;

    private static DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime);
}
