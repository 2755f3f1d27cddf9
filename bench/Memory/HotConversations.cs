using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Conversations;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Bench.Memory;

/// <summary>Brings stored conversations into memory and weighs them.</summary>
internal static class HotConversations
{
    private const int First = 1000;

    public static async Task<string> MeasureAsync(IServiceProvider services, string order)
    {
        var wanted = JsonSerializer.Deserialize<HotOrder>(order)!;
        var grains = services.GetRequiredService<IGrainFactory>();
        var channel = wanted.ChannelId;
        // Code compiled, pools filled.
        await Wake(grains, channel, 0, First, 64);
        var (heapBefore, residentBefore) = Weigh();

        // A few at a time: the time of one activation, not of a queue of them.
        var alone = await Wake(grains, channel, First, 4 * First, 4);
        var clock = Stopwatch.StartNew();
        var many = await Wake(grains, channel, 5 * First, wanted.Conversations - 4 * First, 64);
        var rate = many.Count / clock.Elapsed.TotalSeconds;
        var (heap, resident) = Weigh();
        GC.KeepAlive(grains);
        return JsonSerializer.Serialize(new HotResult(
            (heap - heapBefore) / (double)wanted.Conversations, (resident - residentBefore) / (double)wanted.Conversations, alone.Milliseconds(0.5), alone.Milliseconds(0.99), rate, resident));
    }

    private static async Task<Histogram> Wake(IGrainFactory grains, Guid channel, int first, int count, int atATime)
    {
        var next = first - 1;
        var all = new Histogram();
        foreach (var histogram in await Task.WhenAll(Enumerable.Range(0, atATime).Select(_ => Task.Run(WakeNext))))
        {
            all.Add(histogram);
        }
        return all;

        async Task<Histogram> WakeNext()
        {
            var latency = new Histogram();
            for (int index; (index = Interlocked.Increment(ref next)) < first + count;)
            {
                var startedAt = Stopwatch.GetTimestamp();
                await grains.GetGrain<IConversationGrain>(new ConversationKey(channel, Identities.Contact(index)).ToString()).Wake();
                latency.Record((long)Stopwatch.GetElapsedTime(startedAt).TotalMicroseconds);
            }
            return latency;
        }
    }

    private static (long Heap, long Resident) Weigh()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        using var own = Process.GetCurrentProcess();
        return (GC.GetTotalMemory(false), own.WorkingSet64);
    }
}

/// <summary>How many conversations of which channel.</summary>
internal sealed record HotOrder(Guid ChannelId, int Conversations);

/// <summary>What they weigh and how long they took.</summary>
/// <param name="HeapBytes">Managed memory for each.</param>
/// <param name="ResidentBytes">Memory of the process for each.</param>
/// <param name="P50">Milliseconds that an activation takes, four at a time.</param>
/// <param name="PerSecond">Activations a second, 64 at a time.</param>
/// <param name="TotalBytes">Memory of the process with all of them.</param>
internal sealed record HotResult(double HeapBytes, double ResidentBytes, double P50, double P99, double PerSecond, long TotalBytes);
