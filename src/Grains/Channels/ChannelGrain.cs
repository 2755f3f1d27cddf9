using AgentPlatform.Channels;
using AgentPlatform.Data.Channels;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Channels;

/// <summary>See <see cref="IChannelGrain"/>. What it knows is lost with its activation: then the worst is one burst too many, which the platform answers with 429.</summary>
internal sealed partial class ChannelGrain(
    IChannelDirectory channels, ChannelBreakage breakage, IEnumerable<IChannelConnector> connectors, TimeProvider clock, ILogger<ChannelGrain> logger) : Grain, IChannelGrain
{
    /// <summary>For a platform without a connector of its own.</summary>
    private const double FallbackRatePerSecond = 10;

    private readonly SendBudget _budget = new();

    /// <summary>The settings under which the platform refused the channel: until they are read anew, it stays refused.</summary>
    private ChannelSettings? _refused;
    private string? _refusal;

    public async ValueTask<SendPermit> ReserveSend(int count)
    {
        if (await channels.Find(this.GetPrimaryKey(), CancellationToken.None) is not { } channel)
        {
            return new SendPermit(TimeSpan.Zero, "The channel does not exist any more.");
        }

        if (!channel.IsActive)
        {
            return new SendPermit(TimeSpan.Zero, "The channel is switched off.");
        }

        if (channel.BrokenReason is not null || ReferenceEquals(channel, _refused))
        {
            return new SendPermit(TimeSpan.Zero, channel.BrokenReason ?? _refusal);
        }

        return new SendPermit(_budget.Reserve(Math.Max(1, count), RateOf(channel), clock.GetUtcNow()));
    }

    public Task ReportThrottled(TimeSpan retryAfter)
    {
        _budget.Pause(retryAfter, clock.GetUtcNow());
        LogThrottled(this.GetPrimaryKey(), retryAfter.TotalSeconds);
        return Task.CompletedTask;
    }

    public async Task ReportBroken(string code, string reason)
    {
        var channel = await channels.Find(this.GetPrimaryKey(), CancellationToken.None);
        if (channel is null || channel.BrokenReason is not null || ReferenceEquals(channel, _refused))
        {
            return;
        }

        (_refused, _refusal) = (channel, reason);
        await breakage.Record(channel, code, reason, clock.GetUtcNow());
        LogBroken(channel.OrganizationId, channel.Id, channel.Platform, code);
    }

    private double RateOf(ChannelSettings channel) =>
        channel.SendRatePerSecond ?? connectors.FirstOrDefault(connector => connector.Platform == channel.Platform)?.SendRatePerSecond ?? FallbackRatePerSecond;

    [LoggerMessage(2321, LogLevel.Warning, "Channel {ChannelId} sends too fast; it pauses for {Seconds} s")]
    private partial void LogThrottled(Guid channelId, double seconds);

    [LoggerMessage(2322, LogLevel.Warning, "{Platform} refuses channel {ChannelId} of organization {OrganizationId} with code {Code}; sending stops until the channel is updated")]
    private partial void LogBroken(Guid organizationId, Guid channelId, string platform, string code);
}
