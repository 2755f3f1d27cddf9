using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Hosting;

namespace Orleans.Runtime;

/// <summary>
/// Fires reminders. The table is the truth: it is read at the start and every few minutes, so what was due while no
/// process ran comes at its next time, and what others write is noticed.
/// </summary>
internal sealed class ReminderService : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>How often a reading of the table is repeated because reminders changed during it.</summary>
    private const int MaxReads = 5;

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly SiloRuntime _runtime;
    private readonly IReminderStore _store;
    private readonly ReminderOptions _options;
    private readonly Dictionary<(GrainId Grain, string Name), Scheduled> _scheduled = [];
    private readonly ITimer _wake;
    private readonly ITimer _refresh;
    private long _changes;
    private bool _running;

    public ReminderService(SiloRuntime runtime, IReminderStore store, IOptions<ReminderOptions> options)
    {
        _runtime = runtime;
        _store = store;
        _options = options.Value;
        _wake = runtime.TimeProvider.CreateTimer(static state => ((ReminderService)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _refresh = runtime.TimeProvider.CreateTimer(static state => _ = ((ReminderService)state!).RefreshAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private DateTime UtcNow => _runtime.TimeProvider.GetUtcNow().UtcDateTime;

    public static ReminderService Of(Activation activation) => activation.Runtime.Services.GetService<ReminderService>()
        ?? throw new OrleansConfigurationException("No reminder service is configured: UseAdoNetReminderService or UseInMemoryReminderService.");

    public void Participate(ISiloLifecycle lifecycle)
    {
        lifecycle.Subscribe(nameof(ReminderService), ServiceLifecycleStage.RuntimeGrainServices, _store.StartAsync);
        lifecycle.Subscribe(nameof(ReminderService), ServiceLifecycleStage.Active, StartAsync, StopAsync);
    }

    public async Task<IGrainReminder> RegisterOrUpdateReminder(GrainId grainId, string reminderName, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentException.ThrowIfNullOrEmpty(reminderName);
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.Zero);
        if (period < _options.MinimumReminderPeriod)
        {
            throw new ArgumentException($"The reminder '{reminderName}' has a period of {period}; the shortest is {_options.MinimumReminderPeriod} (ReminderOptions.MinimumReminderPeriod).", nameof(period));
        }

        var row = await _store.UpsertAsync(grainId, reminderName, UtcNow.Add(dueTime), period);
        lock (_scheduled)
        {
            _changes++;
            Schedule(row);
            SetWake();
        }

        return row;
    }

    public async Task UnregisterReminder(IGrainReminder reminder)
    {
        var row = reminder as ReminderRow ?? throw new ArgumentException("It is no reminder of this runtime.", nameof(reminder));
        if (!await _store.DeleteAsync(row) && (await _store.ReadAsync(row.GrainId)).Exists(other => other.Name == row.Name))
        {
            throw new ReminderException($"The reminder '{row.Name}' of {row.GrainId} was changed since it was read; read it again to remove it.");
        }

        lock (_scheduled)
        {
            _changes++;
            _scheduled.Remove((row.GrainId, row.Name));
        }
    }

    public async Task<IGrainReminder?> GetReminder(GrainId grainId, string reminderName)
    {
        ArgumentException.ThrowIfNullOrEmpty(reminderName);
        return (await _store.ReadAsync(grainId)).Find(row => row.Name == reminderName);
    }

    public async Task<List<IGrainReminder>> GetReminders(GrainId grainId) => [.. await _store.ReadAsync(grainId)];

    public void Dispose()
    {
        _wake.Dispose();
        _refresh.Dispose();
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        _running = true;
        await ReadTableAsync();
        _refresh.Change(_options.RefreshReminderListPeriod, _options.RefreshReminderListPeriod);
    }

    private Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_scheduled)
        {
            _running = false;
            _scheduled.Clear();
        }

        Dispose();
        return Task.CompletedTask;
    }

    private async Task RefreshAsync()
    {
        try
        {
            await ReadTableAsync();
        }
        catch (Exception exception)
        {
            _runtime.Log.ReminderRefreshFailed(exception);
        }
    }

    private async Task ReadTableAsync()
    {
        var settled = false;
        for (var read = 1; read <= MaxReads && !settled; read++)
        {
            long before;
            lock (_scheduled)
            {
                before = _changes;
            }

            var rows = await _store.ReadAllAsync();
            lock (_scheduled)
            {
                // What was set or removed while the table was read may be missing from what was read.
                settled = !_running || before == _changes;
                if (_running && settled)
                {
                    Take(rows);
                }
            }
        }
    }

    private void Take(List<ReminderRow> rows)
    {
        var current = rows.ToDictionary(row => (row.GrainId, row.Name));
        foreach (var key in _scheduled.Keys.Where(key => !current.ContainsKey(key)).ToList())
        {
            _scheduled.Remove(key);
        }

        foreach (var row in rows)
        {
            if (!_scheduled.TryGetValue((row.GrainId, row.Name), out var known) || known.Row.ETag != row.ETag)
            {
                Schedule(row);
            }
        }

        SetWake();
    }

    private void Schedule(ReminderRow row) => _scheduled[(row.GrainId, row.Name)] = new Scheduled(row) { Next = NextTick(row, UtcNow) };

    /// <summary>The first time of the reminder's rhythm that is not over.</summary>
    private static DateTime NextTick(ReminderRow row, DateTime now)
    {
        if (now <= row.StartAt || row.Period <= TimeSpan.Zero)
        {
            return row.StartAt > now ? row.StartAt : now;
        }

        var periods = ((now - row.StartAt).Ticks + row.Period.Ticks - 1) / row.Period.Ticks;
        return row.StartAt.AddTicks(periods * row.Period.Ticks);
    }

    private void SetWake()
    {
        if (!_running || _scheduled.Count == 0)
        {
            return;
        }

        var wait = _scheduled.Values.Min(reminder => reminder.Next) - UtcNow;
        _wake.Change(wait < TimeSpan.Zero ? TimeSpan.Zero : wait < LongestWait ? wait + TimeSpan.FromMilliseconds(1) : LongestWait, Timeout.InfiniteTimeSpan);
    }

    private void Fire()
    {
        var due = new List<Scheduled>();
        lock (_scheduled)
        {
            if (!_running)
            {
                return;
            }

            var now = UtcNow;
            foreach (var reminder in _scheduled.Values.Where(reminder => reminder.Next <= now))
            {
                // Until its delivery has ended; then the next one is set.
                reminder.Next = DateTime.MaxValue;
                due.Add(reminder);
            }

            SetWake();
        }

        foreach (var reminder in due)
        {
            _ = DeliverAsync(reminder);
        }
    }

    private async Task DeliverAsync(Scheduled reminder)
    {
        var row = reminder.Row;
        try
        {
            var grain = _runtime.Factory.GetGrain<IRemindable>(row.GrainId);
            await grain.ReceiveReminder(row.Name, new TickStatus(row.StartAt, row.Period, UtcNow));
        }
        catch (Exception exception)
        {
            _runtime.Log.ReminderFailed(exception, row.Name, row.GrainId);
        }

        lock (_scheduled)
        {
            if (_scheduled.TryGetValue((row.GrainId, row.Name), out var current) && current == reminder)
            {
                reminder.Next = NextTick(row, UtcNow.AddTicks(1));
                SetWake();
            }
        }
    }

    private sealed class Scheduled(ReminderRow row)
    {
        public ReminderRow Row => row;

        public DateTime Next { get; set; }
    }
}
