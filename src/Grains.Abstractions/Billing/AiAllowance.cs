namespace AgentPlatform.Billing;

/// <summary>What an organization's subscription lets the AI do, as of one moment.</summary>
[GenerateSerializer, Immutable, Alias("billing.ai-allowance.v1")]
public sealed record AiAllowance
{
    /// <summary>An organization without a subscription.</summary>
    public static AiAllowance Unlimited { get; } = new();

    /// <summary>False where there is no subscription: then nothing is to be watched.</summary>
    [Id(0)] public bool IsLimited { get; init; }

    /// <summary>Why the AI answers nobody: <c>token_quota</c>, <c>canceled</c>, <c>unpaid</c>, <c>paused</c> or <c>incomplete</c>; null while it may.</summary>
    [Id(1)] public string? StopReason { get; init; }

    /// <summary>False when the month's conversations are used up: those counted already go on, others wait.</summary>
    [Id(2)] public bool TakesNewConversations { get; init; } = true;

    /// <summary>What a customer is told whose conversation begins to wait; null to say nothing.</summary>
    [Id(3)] public string? StopMessage { get; init; }

    /// <summary>Tokens until the AI stops; null for no limit.</summary>
    [Id(4)] public long? TokensLeft { get; init; }

    /// <summary>Conversations of this month until new ones wait; null for no limit.</summary>
    [Id(5)] public int? ConversationsLeft { get; init; }

    /// <summary>When something begins again or ends by itself; null for never.</summary>
    [Id(6)] public DateTimeOffset? ValidUntil { get; init; }

    /// <summary>True when the AI may begin a turn in a conversation that was last counted in that month.</summary>
    public bool Permits(DateOnly? countedMonth, DateTimeOffset now) => StopReason is null && (TakesNewConversations || countedMonth == MonthOf(now));

    /// <summary>The first day of a moment's month, in UTC: months of usage are those of the calendar.</summary>
    public static DateOnly MonthOf(DateTimeOffset at) => new(at.UtcDateTime.Year, at.UtcDateTime.Month, 1);
}
