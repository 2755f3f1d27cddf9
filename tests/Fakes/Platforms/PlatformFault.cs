namespace AgentPlatform.Fakes.Platforms;

/// <summary>Something that goes wrong with one request to an emulated platform.</summary>
public abstract record PlatformFault
{
    /// <summary>An answer other than the regular one; the request had no effect.</summary>
    /// <param name="Body">JSON; null for an empty body.</param>
    /// <param name="RetryAfterText">The header as it stands, where it is a date, or nonsense.</param>
    public sealed record Answer(int Status, string? Body = null, TimeSpan? RetryAfter = null, string? RetryAfterText = null) : PlatformFault;

    /// <summary>No answer for as long as the caller waits. The request had no effect.</summary>
    public sealed record Hang : PlatformFault;

    /// <summary>The connection ends once the request was read.</summary>
    /// <param name="Accept">Whether the message is accepted all the same: the case that only a receipt can tell.</param>
    public sealed record Drop(bool Accept) : PlatformFault;
}
