using System.Collections.Concurrent;
using AgentPlatform.Runtime.Tests.Support;

namespace AgentPlatform.Runtime.Tests.Calls;

public sealed class FilterTests
{
    [Fact]
    public async Task Filters_stand_around_every_call_and_see_its_result()
    {
        var seen = new ConcurrentQueue<string>();
        await using var silo = await TestSilo.StartAsync(builder =>
        {
            builder.AddIncomingGrainCallFilter(async context =>
            {
                await context.Invoke();
                Note("in", context);
            });
            builder.AddOutgoingGrainCallFilter(async context =>
            {
                await context.Invoke();
                Note("out", context);
            });
        });

        Assert.Equal(6, await silo.Grains.GetGrain<ICallGrain>("a").Double(3));
        await Assert.ThrowsAsync<OutOfStockException>(() => silo.Grains.GetGrain<ICallGrain>("a").Fail("no pears"));

        Assert.Equal(["in Double 6", "out Double 6"], seen);

        void Note(string direction, IGrainCallContext context)
        {
            if (context.InterfaceMethod.DeclaringType == typeof(ICallGrain))
            {
                seen.Enqueue($"{direction} {context.MethodName} {context.Result}");
            }
        }
    }
}
