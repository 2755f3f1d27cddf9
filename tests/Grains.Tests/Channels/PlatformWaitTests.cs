using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Tests.Channels;

public sealed class PlatformWaitTests
{
    [Theory]
    [InlineData(-5, null)]
    [InlineData(0, null)]
    [InlineData(59, 59)]
    [InlineData(3600, 3600)]
    [InlineData(3601, 3600)]
    [InlineData(4_300_000, 3600)] // a timer holds some 49 days
    [InlineData(1e18, 3600)]
    [InlineData(double.PositiveInfinity, 3600)]
    [InlineData(double.NaN, null)]
    public void No_platform_makes_anybody_wait_longer_than_an_hour(double asked, int? seconds) =>
        Assert.Equal<TimeSpan?>(seconds is { } expected ? TimeSpan.FromSeconds(expected) : null, PlatformWait.OfSeconds(asked) is { } wait ? PlatformWait.Bound(wait) : null);

    [Fact]
    public void A_reason_says_what_to_do_and_stays_short()
    {
        Assert.Equal("(#190) Access token has expired. Put in a new access token.", ChannelAdvice.Reason("(#190) Access token has expired", ChannelTrouble.Token));
        Assert.Equal(ChannelAdvice.MaxReasonLength, ChannelAdvice.Reason(new string('x', 5000), ChannelTrouble.Payment).Length);
        Assert.All(Enum.GetValues<ChannelTrouble>(), trouble => Assert.StartsWith("channel", ChannelAdvice.TextName(trouble), StringComparison.Ordinal));
    }
}
