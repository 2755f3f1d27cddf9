namespace AgentPlatform.Fakes.Time;

/// <summary>The system's clock, put forward as a test says; timers and time-outs run as ever.</summary>
/// <param name="start">What the clock shows at first.</param>
public sealed class ShiftedTimeProvider(DateTimeOffset start) : TimeProvider
{
    private long _shift = (start - TimeProvider.System.GetUtcNow()).Ticks;

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => TimeProvider.System.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _shift));

    /// <summary>Puts the clock forward.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        Interlocked.Add(ref _shift, by.Ticks);
    }
}
