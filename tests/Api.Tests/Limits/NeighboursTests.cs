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
        Assert.False(Meet(neighbours, A));
        Assert.False(Meet(neighbours, A));
        Assert.True(Meet(neighbours, B));
        Assert.True(Meet(neighbours, A));
        Assert.True(Meet(neighbours, A));
        clock.Advance(Neighbours.Presence / 2);
        Assert.True(Meet(neighbours, A));
        clock.Advance(Neighbours.Presence / 2);
        Assert.False(Meet(neighbours, A));
        Assert.True(Meet(neighbours, C));
        Assert.True(Meet(neighbours, A));
    }

    [Fact]
    public void Of_many_the_last_two_are_enough()
    {
        var clock = new FakeTimeProvider();
        var neighbours = new Neighbours(clock);
        Guid[] all = [A, B, C, Guid.NewGuid()];
        Meet(neighbours, A);
        for (var round = 1; round < 20; round++)
        {
            clock.Advance(Neighbours.Presence / 4);
            Assert.True(Meet(neighbours, all[round % all.Length]));
        }
    }

    /// <summary>The organization asks for something; is it among others?</summary>
    private static bool Meet(Neighbours neighbours, Guid organizationId)
    {
        neighbours.Note(organizationId);
        return neighbours.HasOthersThan(organizationId);
    }
}
