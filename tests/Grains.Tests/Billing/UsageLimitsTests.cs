using AgentPlatform.Billing;
using AgentPlatform.Data.Billing;
using AgentPlatform.Grains.Billing;

namespace AgentPlatform.Grains.Tests.Billing;

public sealed class UsageLimitsTests
{
    private static readonly DateTimeOffset Month = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly UsageState State = new()
    {
        PlanCode = "scale",
        PlanName = "Scale",
        Status = "active",
        TokensUsed = 0,
        PeriodStart = Month.AddDays(10),
        PeriodEnd = Month.AddMonths(1).AddDays(10),
        ConversationsUsed = 0,
        MonthStart = Month,
        MonthEnd = Month.AddMonths(1),
        TakesNewConversations = true,
        ValidUntil = Month.AddMonths(1),
        WarnPercent = 80,
        StopPercent = 100,
    };

    [Theory]
    [InlineData(0, 1000L, null)]
    [InlineData(799, 1000L, null)]
    [InlineData(800, 1000L, "warning")]
    [InlineData(999, 1000L, "warning")]
    [InlineData(1000, 1000L, "limit")]
    [InlineData(5000, 1000L, "limit")]
    [InlineData(79, 99L, null)] // 79.8 %
    [InlineData(80, 99L, "warning")]
    [InlineData(0, 0L, "limit")]
    [InlineData(long.MaxValue, null, null)]
    [InlineData(long.MaxValue / 2, long.MaxValue, null)]
    public void Each_level_is_told_from_its_percent_on(long used, long? quota, string? level)
    {
        var alert = UsageLimits.Alerts(State with { TokensUsed = used, TokenQuota = quota }).SingleOrDefault();
        Assert.Equal(level, alert?.Level);
        Assert.Equal(level is null ? null : new DateOnly(2026, 5, 11), alert?.PeriodStart);
    }

    [Fact]
    public void Tokens_and_conversations_are_told_apart()
    {
        var alerts = UsageLimits.Alerts(State with { TokensUsed = 90, TokenQuota = 100, ConversationsUsed = 7, ConversationLimit = 7 }).ToArray();
        Assert.Equal([("tokens", "warning", new DateOnly(2026, 5, 11), 100L), ("conversations", "limit", new DateOnly(2026, 5, 1), 7L)], alerts.Select(alert => alert.Key));
    }

    [Fact]
    public void A_plan_may_warn_earlier_and_stop_later()
    {
        var state = State with { WarnPercent = 50, StopPercent = 120, TokenQuota = 100 };
        Assert.Empty(UsageLimits.Alerts(state with { TokensUsed = 49 }));
        Assert.Equal("warning", Assert.Single(UsageLimits.Alerts(state with { TokensUsed = 119 })).Level);
        Assert.Equal("limit", Assert.Single(UsageLimits.Alerts(state with { TokensUsed = 120 })).Level);
        Assert.Equal(1, UsageLimits.Allowance(state with { TokensUsed = 119 }).TokensLeft);
    }

    [Fact]
    public void Without_a_subscription_nothing_is_limited() => Assert.Same(AiAllowance.Unlimited, UsageLimits.Allowance(null));

    [Fact]
    public void Conversations_that_are_counted_go_on_when_new_ones_have_to_wait()
    {
        var allowance = UsageLimits.Allowance(State with { TakesNewConversations = false, ConversationLimit = 5, ConversationsUsed = 5 });
        Assert.True(allowance.Permits(new DateOnly(2026, 5, 1), Month.AddDays(20)));
        Assert.False(allowance.Permits(new DateOnly(2026, 4, 1), Month.AddDays(20)));
        Assert.False(allowance.Permits(null, Month.AddDays(20)));
        Assert.False((allowance with { StopReason = "token_quota" }).Permits(new DateOnly(2026, 5, 1), Month.AddDays(20)));
    }
}
