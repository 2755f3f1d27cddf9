namespace AgentPlatform.Channels;

/// <summary>
/// One connected account; its key is the channel's id. It holds the account's send budget, so that all conversations of the channel, on
/// every silo, stay together under the platform's rate, first come first served.
/// </summary>
[Alias("channels.IChannelGrain")]
public interface IChannelGrain : IGrainWithGuidKey
{
    /// <summary>Reserves the next free moment to send <paramref name="count"/> messages.</summary>
    [Alias("ReserveSend")]
    ValueTask<SendPermit> ReserveSend(int count);

    /// <summary>
    /// A permit for what a person has just written: a pause doesn't hold it, so that one try shows whether the platform meant so long a pause. A broken channel does.
    /// </summary>
    [Alias("ReserveSendNow")]
    ValueTask<SendPermit> ReserveSendNow();

    /// <summary>The platform said 429: nobody sends before <paramref name="retryAfter"/> has passed.</summary>
    [Alias("ReportThrottled")]
    Task ReportThrottled(TimeSpan retryAfter);

    /// <summary>The platform refuses the channel itself (revoked token, locked account): sending stops until the channel is updated.</summary>
    [Alias("ReportBroken")]
    Task ReportBroken(string code, string reason);

    /// <summary>The same, with what people can do about it (a <c>ChannelTrouble</c> by name).</summary>
    [Alias("ReportTrouble")]
    Task ReportTrouble(string code, string reason, string trouble);
}

/// <summary>When to send.</summary>
/// <param name="Wait">How long to wait from now; zero to send at once.</param>
/// <param name="BrokenReason">Not null: don't send, the channel is broken.</param>
[GenerateSerializer, Immutable, Alias("channels.send-permit.v1")]
public readonly record struct SendPermit([property: Id(0)] TimeSpan Wait, [property: Id(1)] string? BrokenReason = null);
