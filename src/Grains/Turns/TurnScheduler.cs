using AgentPlatform.Grains.Agents;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Turns;

/// <summary>Budgets of turns in one silo.</summary>
public sealed record TurnSchedulerOptions
{
    /// <summary>Turns under way at the same time in one silo.</summary>
    public int MaxTurns { get; init; } = 2000;

    /// <summary>Turns of one organization under way at the same time in one silo.</summary>
    public int MaxTurnsPerOrganization { get; init; } = 1000;

    /// <summary>Tokens a minute that one organization may use in one silo; beyond, its turns wait. Zero for no limit.</summary>
    public int TokensPerMinutePerOrganization { get; init; } = 2_000_000;
}

/// <summary>
/// Decides which turn runs next. Each organization has a queue, and the queues are served in turn, so that a tenant with ten thousand
/// waiting conversations delays another tenant's single one by at most one turn.
/// </summary>
public sealed class TurnScheduler(IOptions<TurnSchedulerOptions> options, TimeProvider clock)
{
    private readonly TurnSchedulerOptions _options = options.Value;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Tenant> _tenants = [];
    private readonly LinkedList<Tenant> _waitingTenants = new();
    private ITimer? _refill;
    private int _running;

    /// <summary>Turns under way.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Runs <paramref name="turn"/> when it is the organization's turn to be served.</summary>
    public async Task<TurnResult> Run(Guid organizationId, Func<CancellationToken, Task<TurnResult>> turn, CancellationToken cancellationToken)
    {
        var tenant = await Enter(organizationId, cancellationToken).ConfigureAwait(false);
        var tokens = 0;
        try
        {
            var result = await turn(cancellationToken).ConfigureAwait(false);
            tokens = result.Record.InputTokens + result.Record.OutputTokens;
            return result;
        }
        finally
        {
            Leave(tenant, tokens);
        }
    }

    private async Task<Tenant> Enter(Guid organizationId, CancellationToken cancellationToken)
    {
        Waiter waiter;
        Tenant tenant;
        lock (_lock)
        {
            if (!_tenants.TryGetValue(organizationId, out tenant!))
            {
                tenant = new Tenant(organizationId, _options.TokensPerMinutePerOrganization, clock.GetTimestamp());
                _tenants.Add(organizationId, tenant);
            }
            Refill(tenant);
            if (tenant.Waiting.Count == 0 && CanRun(tenant))
            {
                _running++;
                tenant.Running++;
                return tenant;
            }
            waiter = new Waiter();
            tenant.Waiting.Enqueue(waiter);
            if (tenant.Waiting.Count == 1)
            {
                _waitingTenants.AddLast(tenant);
            }
            ArmRefill();
        }
        await using var registration = cancellationToken.UnsafeRegister(static state => ((Waiter)state!).TrySetCanceled(), waiter);
        await waiter.Task.ConfigureAwait(false);
        return tenant;
    }

    private void Leave(Tenant tenant, int tokens)
    {
        lock (_lock)
        {
            _running--;
            tenant.Running--;
            Refill(tenant);
            tenant.Tokens -= tokens;
            ServeWaiting();
            if (tenant is { Running: 0, Waiting.Count: 0 } && (_options.TokensPerMinutePerOrganization == 0 || tenant.Tokens >= _options.TokensPerMinutePerOrganization))
            {
                _tenants.Remove(tenant.Id);
            }
        }
    }

    private void ServeWaiting()
    {
        var node = _waitingTenants.First;
        var blocked = 0;
        while (node is not null && _running < _options.MaxTurns && blocked < _waitingTenants.Count)
        {
            var tenant = node.Value;
            _waitingTenants.RemoveFirst();
            Refill(tenant);
            while (tenant.Waiting.TryPeek(out var gone) && gone.Task.IsCompleted)
            {
                tenant.Waiting.Dequeue();
            }
            if (tenant.Waiting.Count > 0)
            {
                if (!CanRun(tenant))
                {
                    blocked++;
                }
                else if (tenant.Waiting.Dequeue().TrySetResult())
                {
                    blocked = 0;
                    _running++;
                    tenant.Running++;
                }
                if (tenant.Waiting.Count > 0)
                {
                    _waitingTenants.AddLast(node);
                }
            }
            node = _waitingTenants.First;
        }
        ArmRefill();
    }

    private bool CanRun(Tenant tenant) =>
        _running < _options.MaxTurns && tenant.Running < _options.MaxTurnsPerOrganization && (_options.TokensPerMinutePerOrganization == 0 || tenant.Tokens > 0);

    private void Refill(Tenant tenant)
    {
        var now = clock.GetTimestamp();
        var earned = clock.GetElapsedTime(tenant.RefilledAt, now).TotalMinutes * _options.TokensPerMinutePerOrganization;
        tenant.Tokens = Math.Min(_options.TokensPerMinutePerOrganization, tenant.Tokens + earned);
        tenant.RefilledAt = now;
    }

    /// <summary>Tenants that wait for tokens are looked at every second; a turn that ends looks at once.</summary>
    private void ArmRefill()
    {
        if (_waitingTenants.Count == 0 || _options.TokensPerMinutePerOrganization == 0)
        {
            return;
        }
        _refill ??= clock.CreateTimer(static state => ((TurnScheduler)state!).OnRefill(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _refill.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
    }

    private void OnRefill()
    {
        lock (_lock)
        {
            ServeWaiting();
        }
    }

    private sealed class Waiter() : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Tenant(Guid id, double tokens, long refilledAt)
    {
        public Guid Id { get; } = id;
        public Queue<Waiter> Waiting { get; } = new();
        public int Running { get; set; }
        public double Tokens { get; set; } = tokens;
        public long RefilledAt { get; set; } = refilledAt;
    }
}
