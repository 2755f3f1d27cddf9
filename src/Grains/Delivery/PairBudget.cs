namespace AgentPlatform.Grains.Delivery;

/// <summary>The rate to one person: a burst, then one message a refill time. Used by one delivery at a time.</summary>
internal sealed class PairBudget
{
    private double _tokens = -1;
    private long _refilledAt;

    /// <summary>Takes one send out of the budget; returns how long to wait before it.</summary>
    public TimeSpan Reserve((int Burst, TimeSpan Refill) limit, TimeProvider clock)
    {
        if (limit.Refill <= TimeSpan.Zero)
        {
            return TimeSpan.Zero;
        }
        var now = clock.GetTimestamp();
        _tokens = _tokens < 0 && _refilledAt == 0 ? limit.Burst : Math.Min(limit.Burst, _tokens + (clock.GetElapsedTime(_refilledAt, now) / limit.Refill));
        _refilledAt = now;
        _tokens -= 1;
        return _tokens >= 0 ? TimeSpan.Zero : -_tokens * limit.Refill;
    }
}
