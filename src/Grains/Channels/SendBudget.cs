namespace AgentPlatform.Grains.Channels;

/// <summary>
/// Hands out moments to send at, in the order of asking: a small burst, then evenly spaced. Within any second no more than the rate is handed out
/// (rates of 10 a second and above; a slower one may exceed itself by one).
/// </summary>
internal sealed class SendBudget
{
    /// <summary>When the budget would be full again, had nothing more been asked.</summary>
    private DateTimeOffset _fullAt;
    private DateTimeOffset _pausedUntil;

    /// <summary>Reserves <paramref name="count"/> sends.</summary>
    /// <returns>How long to wait from <paramref name="now"/>.</returns>
    public TimeSpan Reserve(int count, double ratePerSecond, DateTimeOffset now)
    {
        var burst = Math.Max(1, Math.Floor(ratePerSecond / 10));
        var spacing = TimeSpan.FromSeconds(1 / Math.Max(ratePerSecond - burst, ratePerSecond * 0.9));
        var start = Later(now, _pausedUntil);
        _fullAt = Later(_fullAt, start) + (spacing * count);
        var free = _fullAt - (spacing * Math.Max(burst, count));
        return Later(free, start) - now;
    }

    /// <summary>Nobody sends for a while.</summary>
    public void Pause(TimeSpan pause, DateTimeOffset now)
    {
        _pausedUntil = Later(_pausedUntil, now + PlatformWait.Bound(pause));
        _fullAt = Later(_fullAt, _pausedUntil);
    }

    /// <summary>A pause is over before its time: the channel was changed.</summary>
    public void EndPause(DateTimeOffset now)
    {
        if (_pausedUntil > now)
        {
            _pausedUntil = now;
            _fullAt = now;
        }
    }

    private static DateTimeOffset Later(DateTimeOffset a, DateTimeOffset b) => a > b ? a : b;
}
