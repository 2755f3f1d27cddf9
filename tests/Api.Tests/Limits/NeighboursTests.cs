using AgentPlatform.Api.Limits;
using AgentPlatform.Fakes.Time;

namespace AgentPlatform.Api.Tests.Limits;

public sealed class NeighboursTests
{
    private static readonly Guid A = Guid.NewGuid(), B = Guid.NewGuid(), C = Guid.NewGuid();

    [Fact]
    public void One_that_asks_alone_is_alone_and_others_are_there_for_a_while()
    {
        var clock = new FakeTimeProvider();
        var neighbours = new Neighbours(clock);
        Assert.False(neighbours.Meet(A));
        Assert.False(neighbours.Meet(A));
        Assert.True(neighbours.Meet(B));
        Assert.True(neighbours.Meet(A));
        Assert.True(neighbours.Meet(A));
        clock.Advance(Neighbours.Presence / 2);
        Assert.True(neighbours.Meet(A));
        clock.Advance(Neighbours.Presence / 2);
        Assert.False(neighbours.Meet(A));
        Assert.True(neighbours.Meet(C));
        Assert.True(neighbours.Meet(A));
    }

    [Fact]
    public void Of_many_the_last_two_are_enough()
    {
        var clock = new FakeTimeProvider();
        var neighbours = new Neighbours(clock);
        Guid[] all = [A, B, C, Guid.NewGuid()];
        neighbours.Meet(A);
        for (var round = 1; round < 20; round++)
        {
            clock.Advance(Neighbours.Presence / 4);
            Assert.True(neighbours.Meet(all[round % all.Length]));
        }
    }
}
