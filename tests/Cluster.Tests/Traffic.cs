using System.Collections.Concurrent;
using Orleans.Storage;

namespace AgentPlatform.Cluster.Tests;

/// <summary>Writers that record entries in ledgers, each entry until it is acknowledged, as a client of a cluster must.</summary>
internal sealed class Traffic : IAsyncDisposable
{
    private const int Ledgers = 40;
    private const int Writers = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly IGrainFactory _grains;
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<int>> _acknowledged = new();
    private readonly Task _writing;
    private (int Count, TaskCompletionSource Reached) _milestone = (int.MaxValue, new TaskCompletionSource());
    private int _count;

    public Traffic(IGrainFactory grains)
    {
        _grains = grains;
        _writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(writer))));
    }

    /// <summary>Completes when that many more entries were acknowledged.</summary>
    public async Task AcknowledgesAsync(int more)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_stop)
        {
            _milestone = (_count + more, reached);
        }

        var first = await Task.WhenAny(reached.Task, _writing).WaitAsync(Patience);
        await first;
    }

    /// <summary>Stops the writers and checks that each acknowledged entry is stored exactly once, in order for each writer.</summary>
    public async Task AssertNothingIsLostAsync()
    {
        await _stop.CancelAsync();
        await _writing.WaitAsync(Patience);
        Assert.NotEmpty(_acknowledged);
        foreach (var (key, acknowledged) in _acknowledged)
        {
            var stored = await RetryAsync(() => _grains.GetGrain<ILedgerGrain>(key).Entries());
            Assert.Equal(stored.Count, stored.Distinct().Count());
            Assert.Empty(acknowledged.Except(stored));
            foreach (var ofOneWriter in stored.GroupBy(entry => entry % Writers))
            {
                Assert.Equal(ofOneWriter.Order(), ofOneWriter);
            }
        }
    }

    /// <summary>The silos that the ledgers live on now.</summary>
    public async Task<HashSet<string>> SilosAsync() =>
        [.. await Task.WhenAll(Enumerable.Range(0, Ledgers).Select(ledger => RetryAsync(() => _grains.GetGrain<ILedgerGrain>(Key(ledger)).Silo())))];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private string Key(int ledger) => $"ledger-{_run}-{ledger}";

    private async Task WriteAsync(int writer)
    {
        for (var entry = writer; !_stop.IsCancellationRequested; entry += Writers)
        {
            var (key, number) = (Key(entry / Writers % Ledgers), entry);
            await RetryAsync(async () =>
            {
                await _grains.GetGrain<ILedgerGrain>(key).Record(number);
                return true;
            });
            _acknowledged.GetOrAdd(key, _ => new ConcurrentQueue<int>()).Enqueue(number);
            lock (_stop)
            {
                if (++_count == _milestone.Count)
                {
                    _milestone.Reached.TrySetResult();
                }
            }
        }
    }

    /// <summary>Calls meet silos that are dying or not yet known to be dead; recording is repeatable, so it is repeated.</summary>
    private static async Task<T> RetryAsync<T>(Func<Task<T>> call)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception exception) when (exception is TimeoutException or OrleansException or InconsistentStateException or Npgsql.NpgsqlException or ObjectDisposedException)
            {
                if (patience.IsCancellationRequested)
                {
                    throw;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }
        }
    }
}
