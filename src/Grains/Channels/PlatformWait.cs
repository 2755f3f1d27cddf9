namespace AgentPlatform.Grains.Channels;

/// <summary>The one place that bounds what a platform asks us to wait.</summary>
public static class PlatformWait
{
    /// <summary>Longest wait that a platform's word can cause; a longer one is a mistake of the platform, of a gateway, or ours. A timer holds some 49 days at most.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>A wait within bounds.</summary>
    public static TimeSpan Bound(TimeSpan wait) => wait < TimeSpan.Zero ? TimeSpan.Zero : wait < Longest ? wait : Longest;

    /// <summary>So many seconds as a platform names them, which may be anything; null for what asks for no wait, so that the usual pauses hold.</summary>
    public static TimeSpan? OfSeconds(double seconds) =>
        seconds > 0 ? seconds < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds) : TimeSpan.MaxValue : null;
}
