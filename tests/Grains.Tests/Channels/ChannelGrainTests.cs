using AgentPlatform.Channels;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Tests.Conversations;
using AgentPlatform.Grains.Tests.Hosting;

namespace AgentPlatform.Grains.Tests.Channels;

public sealed class ChannelGrainTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestSilo _silo = null!;

    private IChannelGrain Channel => _silo.Grains.GetGrain<IChannelGrain>(Samples.Channel);

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { SendRatePerSecond = 2 });
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Permits_follow_the_channels_rate_in_the_order_of_asking()
    {
        var waits = new List<TimeSpan>();
        for (var i = 0; i < 6; i++)
        {
            waits.Add((await Channel.ReserveSend(1)).Wait);
        }

        Assert.Equal(TimeSpan.Zero, waits[0]);
        Assert.Equal(waits.Order(), waits);
        Assert.True(waits[^1] > TimeSpan.FromSeconds(1.5), $"{waits[^1]}");
    }

    [Fact]
    public async Task Throttled_by_the_platform_the_whole_channel_pauses()
    {
        await Channel.ReportThrottled(TimeSpan.FromMinutes(5));

        Assert.True((await Channel.ReserveSend(1)).Wait > TimeSpan.FromMinutes(4));
    }

    [Fact]
    public async Task A_refused_channel_sends_nothing_until_it_was_changed()
    {
        await Channel.ReportBroken("190", "The token was revoked.");
        await Channel.ReportBroken("190", "Said again.");

        Assert.Equal("The token was revoked.", (await Channel.ReserveSend(1)).BrokenReason);
        Assert.Equal("The token was revoked.", await _database.ScalarAsAdminAsync<string>($"SELECT broken_reason FROM channels WHERE id = '{Samples.Channel}'"));
        Assert.Equal("190", await _database.ScalarAsAdminAsync<string>($"SELECT after ->> 'code' FROM activity_logs WHERE action_type = 'channel.broken' AND entity_id = '{Samples.Channel}'"));
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM activity_logs WHERE action_type = 'channel.broken'"));

        _silo.Channels.Channel = _silo.Channels.Channel with { Name = "mended" };
        Assert.Null((await Channel.ReserveSend(1)).BrokenReason);
    }

    [Fact]
    public async Task A_channel_that_is_off_or_gone_sends_nothing()
    {
        _silo.Channels.Channel = _silo.Channels.Channel with { IsActive = false };

        Assert.NotNull((await Channel.ReserveSend(1)).BrokenReason);
        Assert.NotNull((await _silo.Grains.GetGrain<IChannelGrain>(Guid.NewGuid()).ReserveSend(1)).BrokenReason);
    }
}
