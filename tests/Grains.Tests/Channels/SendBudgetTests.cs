using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Tests.Channels;

public sealed class SendBudgetTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 5, 9, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(80)]
    [InlineData(30)]
    [InlineData(1000)]
    public void Within_any_second_no_more_than_the_rate_is_handed_out(double rate)
    {
        var budget = new SendBudget();
        var times = Enumerable.Range(0, (int)rate * 5).Select(_ => budget.Reserve(1, rate, Start)).ToArray();

        Assert.Equal(TimeSpan.Zero, times[0]);
        Assert.Equal(times.Order(), times);
        for (var i = 0; i + (int)rate < times.Length; i++)
        {
            Assert.True(times[i + (int)rate] - times[i] >= TimeSpan.FromSeconds(0.999), $"{i}");
        }

        Assert.InRange(times[^1].TotalSeconds, 4.5, 5.7); // and hardly less
    }

    [Fact]
    public void Sends_at_their_own_pace_never_wait()
    {
        var budget = new SendBudget();
        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal(TimeSpan.Zero, budget.Reserve(1, 50, Start + TimeSpan.FromMilliseconds(25 * i)));
        }
    }

    [Fact]
    public void A_pause_holds_everybody_and_order_stays()
    {
        var budget = new SendBudget();
        budget.Pause(TimeSpan.FromSeconds(10), Start);

        var first = budget.Reserve(1, 20, Start);
        var second = budget.Reserve(1, 20, Start + TimeSpan.FromSeconds(1));

        Assert.True(first >= TimeSpan.FromSeconds(10));
        Assert.True(second >= TimeSpan.FromSeconds(9) && second + TimeSpan.FromSeconds(1) >= first);
        Assert.Equal(TimeSpan.Zero, budget.Reserve(1, 20, Start + TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void No_pause_is_longer_than_an_hour()
    {
        var budget = new SendBudget();
        budget.Pause(TimeSpan.FromDays(30), Start);

        Assert.InRange(budget.Reserve(1, 80, Start), TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));
    }

    [Fact]
    public void Several_at_once_use_up_as_much_as_one_by_one()
    {
        var budget = new SendBudget();
        budget.Reserve(100, 10, Start);

        Assert.InRange(budget.Reserve(1, 10, Start).TotalSeconds, 9.5, 11.5);
    }
}
