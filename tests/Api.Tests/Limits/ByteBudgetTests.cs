using AgentPlatform.Api.Limits;

namespace AgentPlatform.Api.Tests.Limits;

public sealed class ByteBudgetTests
{
    [Fact]
    public void Each_may_hold_so_much_and_one_that_holds_nothing_whatever_it_asks_for()
    {
        var budget = new ByteBudget<string>(100);
        Assert.True(budget.TryTake("a", 60, out var first));
        Assert.False(budget.TryTake("a", 41, out _));
        Assert.True(budget.TryTake("a", 40, out var second));
        Assert.True(budget.TryTake("b", 1000, out var other));
        Assert.False(budget.TryTake("b", 1, out _));

        first.Dispose();
        Assert.False(budget.TryTake("a", 61, out _));
        second.Dispose();
        other.Dispose();
        Assert.Equal(0, budget.Count);
    }

    [Fact]
    public void All_together_may_hold_so_much()
    {
        var budget = new ByteBudget<string>(100, 150);
        Assert.True(budget.TryTake("a", 100, out var first));
        Assert.False(budget.TryTake("b", 51, out _));
        Assert.True(budget.TryTake("b", 50, out var second));
        Assert.False(budget.TryTake("c", 1, out _));
        Assert.Equal(2, budget.Count);

        first.Dispose();
        second.Dispose();
        Assert.True(budget.TryTake("c", 1000, out var large));
        large.Dispose();
        Assert.Equal(0, budget.Count);
    }

    [Fact]
    public void Nothing_is_lent_for_nothing()
    {
        var budget = new ByteBudget<string>(1, 1);
        Assert.True(budget.TryTake("a", 1, out var all));
        Assert.True(budget.TryTake("a", 0, out var none));
        none.Dispose();
        default(ByteBudget<string>.Loan).Dispose();
        Assert.False(budget.TryTake("a", 1, out _));
        all.Dispose();
        Assert.Equal(0, budget.Count);
    }

    [Fact]
    public void Many_at_once_give_back_what_they_took()
    {
        var budget = new ByteBudget<int>(10, 20);
        Parallel.For(0, 10_000, i =>
        {
            if (budget.TryTake(i % 5, i % 7, out var loan))
            {
                loan.Dispose();
            }
        });
        Assert.Equal(0, budget.Count);
        Assert.True(budget.TryTake(1, 1000, out _));
    }
}
