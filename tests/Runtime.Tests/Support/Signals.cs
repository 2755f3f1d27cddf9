using System.Collections.Concurrent;

namespace AgentPlatform.Runtime.Tests.Support;

/// <summary>
/// What a test and the grains in the same process tell each other, by a name that the test makes up: gates that grains
/// wait at, and events that grains report. Nothing here depends on time.
/// </summary>
internal static class Signals
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly ConcurrentDictionary<string, TaskCompletionSource> Gates = new();
    private static readonly ConcurrentDictionary<string, int> Counts = new();
    private static readonly ConcurrentDictionary<(string, int), TaskCompletionSource> Awaited = new();

    public static string NewName() => Guid.NewGuid().ToString("N")[..12] + "-x";

    /// <summary>Completes when the gate is opened.</summary>
    public static Task Gate(string name) => GateOf(name).Task;

    public static void Open(string name) => GateOf(name).TrySetResult();

    /// <summary>Reports that something happened.</summary>
    public static int Report(string name)
    {
        var count = Counts.AddOrUpdate(name, 1, (_, before) => before + 1);
        CountOf(name, count).TrySetResult();
        return count;
    }

    public static int CountOf(string name) => Counts.GetValueOrDefault(name);

    /// <summary>Completes when something has happened that many times; fails a test that waits in vain.</summary>
    public static Task Happened(string name, int times = 1) => CountOf(name, times).Task.WaitAsync(Patience);

    private static TaskCompletionSource GateOf(string name) =>
        Gates.GetOrAdd(name, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private static TaskCompletionSource CountOf(string name, int times)
    {
        var source = Awaited.GetOrAdd((name, times), _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (CountOf(name) >= times)
        {
            source.TrySetResult();
        }

        return source;
    }
}
