namespace AgentPlatform.Data.Billing;

/// <summary>Where an organization with a subscription, or a suspended one, stands: a row of the function <c>usage_state</c>.</summary>
public sealed record UsageState
{
    /// <summary>Null without a subscription.</summary>
    public string? PlanCode { get; init; }

    /// <summary>Null without a subscription.</summary>
    public string? PlanName { get; init; }

    /// <summary>A value of <c>subscriptions.status</c>; null without one.</summary>
    public string? Status { get; init; }

    /// <summary>Null for no limit.</summary>
    public long? TokenQuota { get; init; }
    public required long TokensUsed { get; init; }

    /// <summary>The quota month that the tokens belong to.</summary>
    public required DateTimeOffset PeriodStart { get; init; }
    public required DateTimeOffset PeriodEnd { get; init; }

    /// <summary>Null for no limit.</summary>
    public int? ConversationLimit { get; init; }
    public required int ConversationsUsed { get; init; }

    /// <summary>The calendar month that the conversations belong to.</summary>
    public required DateTimeOffset MonthStart { get; init; }
    public required DateTimeOffset MonthEnd { get; init; }
    public DateTimeOffset? GraceEndsAt { get; init; }

    /// <summary>Null while the AI may answer.</summary>
    public string? StopReason { get; init; }
    public required bool TakesNewConversations { get; init; }
    public string? StopMessage { get; init; }

    /// <summary>When this is out of date, whatever is used.</summary>
    public required DateTimeOffset ValidUntil { get; init; }

    /// <summary>Percent of a limit at which admins are warned.</summary>
    public required int WarnPercent { get; init; }

    /// <summary>Percent of a limit at which the AI stops.</summary>
    public required int StopPercent { get; init; }
}
