using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Bench.Runtime;

/// <summary>A grain that does nothing.</summary>
[Alias("bench.INothingGrain")]
public interface INothingGrain : IGrainWithIntegerKey
{
    /// <summary>Does nothing.</summary>
    [Alias("Nothing")]
    ValueTask Nothing();
}

internal sealed class NothingGrain : Grain, INothingGrain
{
    public ValueTask Nothing() => ValueTask.CompletedTask;
}

/// <summary>Calls grains that do nothing: what the runtime itself costs.</summary>
internal static class NullCalls
{
    private const int Grains = 10_000;
    private const int Callers = 256;

    /// <param name="order">Seconds to call for.</param>
    public static async Task<string> MeasureAsync(IServiceProvider services, string order)
    {
        var factory = services.GetRequiredService<IGrainFactory>();
        var grains = Enumerable.Range(0, Grains).Select(key => factory.GetGrain<INothingGrain>(key)).ToArray();
        await Call(grains, 1);
        var seconds = double.Parse(order, CultureInfo.InvariantCulture);
        var clock = Stopwatch.StartNew();
        var calls = await Call(grains, seconds);
        return (calls / clock.Elapsed.TotalSeconds).ToString(CultureInfo.InvariantCulture);
    }

    private static async Task<long> Call(INothingGrain[] grains, double seconds)
    {
        var end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        return (await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            long calls = 0;
            for (var next = caller; Stopwatch.GetTimestamp() < end; next = (next + Callers) % grains.Length)
            {
                await grains[next].Nothing();
                calls++;
            }
            return calls;
        })))).Sum();
    }
}
