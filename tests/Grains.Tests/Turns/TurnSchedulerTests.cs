using AgentPlatform.Fakes.Time;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Turns;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Tests.Turns;

public sealed class TurnSchedulerTests
{
    private static readonly Guid Loud = Guid.NewGuid();
    private static readonly Guid Quiet = Guid.NewGuid();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task A_tenant_with_a_thousand_waiting_turns_delays_another_by_one()
    {
        var scheduler = New(new TurnSchedulerOptions { MaxTurns = 1 });
        var order = new List<Guid>();
        var gate = new TaskCompletionSource();
        var first = scheduler.Run(Loud, async _ => { await gate.Task; return Result(); }, default);
        var loud = Enumerable.Range(0, 1000).Select(_ => scheduler.Run(Loud, _ => Record(order, Loud), default)).ToArray();
        var quiet = scheduler.Run(Quiet, _ => Record(order, Quiet), default);
        gate.SetResult();
        await Task.WhenAll([first, quiet, .. loud]);
        Assert.InRange(order.IndexOf(Quiet), 0, 1);
    }

    [Fact]
    public async Task No_organization_runs_more_turns_than_its_share()
    {
        var scheduler = New(new TurnSchedulerOptions { MaxTurns = 100, MaxTurnsPerOrganization = 3 });
        var running = 0;
        var most = 0;
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => scheduler.Run(Loud, async _ =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref running));
            await Task.Yield();
            Interlocked.Decrement(ref running);
            return Result();
        }, default)));
        Assert.InRange(most, 1, 3);
        Assert.Equal(0, scheduler.Running);
    }

    [Fact]
    public async Task An_organization_that_used_up_its_tokens_waits_until_it_has_earned_some()
    {
        var scheduler = New(new TurnSchedulerOptions { TokensPerMinutePerOrganization = 600 });
        await scheduler.Run(Loud, _ => Task.FromResult(Result(tokens: 620)), default);
        var waiting = scheduler.Run(Loud, _ => Task.FromResult(Result()), default);
        await scheduler.Run(Quiet, _ => Task.FromResult(Result()), default);
        Assert.False(waiting.IsCompleted);
        for (var second = 0; second < 4 && !waiting.IsCompleted; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
        }
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_turn_that_is_cancelled_while_it_waits_never_runs_and_blocks_nobody()
    {
        var scheduler = New(new TurnSchedulerOptions { MaxTurns = 1 });
        var gate = new TaskCompletionSource();
        var first = scheduler.Run(Loud, async _ => { await gate.Task; return Result(); }, default);
        using var cancellation = new CancellationTokenSource();
        var cancelled = scheduler.Run(Loud, _ => throw new InvalidOperationException("ran"), cancellation.Token);
        var next = scheduler.Run(Loud, _ => Task.FromResult(Result()), default);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        gate.SetResult();
        await Task.WhenAll(first, next).WaitAsync(TimeSpan.FromSeconds(30));
    }

    private TurnScheduler New(TurnSchedulerOptions options) => new(Options.Create(options), _clock);

    private static TurnResult Result(int tokens = 0) => new() { Outcome = "silent", Record = new TurnRecord { Responder = "model", InputTokens = tokens } };

    private static Task<TurnResult> Record(List<Guid> order, Guid organization)
    {
        lock (order)
        {
            order.Add(organization);
        }
        return Task.FromResult(Result());
    }

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while (value > (seen = Volatile.Read(ref most)) && Interlocked.CompareExchange(ref most, value, seen) != seen)
        {
        }
    }
}
