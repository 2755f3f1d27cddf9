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

    /// <summary>The settings under which the platform refused the channel: until they are read again, it stays refused.</summary>
    private ChannelSettings? _refused;
    private string? _refusal;

    /// <summary>The settings under which the platform asked for a pause: a changed channel doesn't wait for its end.</summary>
    private ChannelSettings? _paused;

    public async ValueTask<SendPermit> ReserveSend(int count)
    {
        if (await channels.Find(this.GetPrimaryKey(), CancellationToken.None) is not { } channel || Refusal(channel) is not null)
        {
            return await ReserveSendNow();
        }

        if (_paused is not null && !ReferenceEquals(channel, _paused))
        {
            _paused = null;
            _budget.EndPause(clock.GetUtcNow());
        }

        return new SendPermit(_budget.Reserve(Math.Max(1, count), RateOf(channel), clock.GetUtcNow()));
    }

    public async ValueTask<SendPermit> ReserveSendNow() => new(
        TimeSpan.Zero, await channels.Find(this.GetPrimaryKey(), CancellationToken.None) is { } channel ? Refusal(channel) : "The channel does not exist any more.");

    public async Task ReportThrottled(TimeSpan retryAfter)
    {
        _paused = await channels.Find(this.GetPrimaryKey(), CancellationToken.None);
        _budget.Pause(retryAfter, clock.GetUtcNow());
        LogThrottled(this.GetPrimaryKey(), retryAfter.TotalSeconds);
    }

    public Task ReportBroken(string code, string reason) => Break(code, reason, ChannelTrouble.Other);

    public Task ReportTrouble(string code, string reason, string trouble)
    {
        var known = Enum.TryParse<ChannelTrouble>(trouble, out var parsed) ? parsed : ChannelTrouble.Other;
        return Break(code, ChannelAdvice.Reason(reason, known), known);
    }

    private async Task Break(string code, string reason, ChannelTrouble trouble)
    {
        var channel = await channels.Find(this.GetPrimaryKey(), CancellationToken.None);
        if (channel is null || channel.BrokenReason is not null || ReferenceEquals(channel, _refused))
        {
            return;
        }

        (_refused, _refusal) = (channel, reason);
        await breakage.Record(channel, code, reason, trouble, clock.GetUtcNow());
        LogBroken(channel.OrganizationId, channel.Id, channel.Platform, code);
    }

    /// <summary>Why nothing is sent by a channel; null when it works.</summary>
    private string? Refusal(ChannelSettings channel) =>
        !channel.IsActive ? "The channel is switched off."
        : channel.BrokenReason is not null || ReferenceEquals(channel, _refused) ? channel.BrokenReason ?? _refusal
        : null;

    private double RateOf(ChannelSettings channel) =>
        channel.SendRatePerSecond ?? connectors.FirstOrDefault(connector => connector.Platform == channel.Platform)?.SendRatePerSecond ?? FallbackRatePerSecond;

    [LoggerMessage(2321, LogLevel.Warning, "Channel {ChannelId} sends too fast; it pauses for {Seconds} s")]
    private partial void LogThrottled(Guid channelId, double seconds);

    [LoggerMessage(2322, LogLevel.Warning, "{Platform} refuses channel {ChannelId} of organization {OrganizationId} with code {Code}; sending stops until the channel is updated")]
    private partial void LogBroken(Guid organizationId, Guid channelId, string platform, string code);
}
