using System.Collections.Concurrent;
using AgentPlatform.Billing;
using AgentPlatform.Data.Changes;
using AgentPlatform.Organizations;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Billing;

/// <summary>
/// Tells the conversations of this silo whether their organization's AI may run, without waiting for anything in the ordinary case. What it knows comes from the organization's
/// grain and is forgotten when Postgres tells of a change; what conversations here use is added at once, and told to the grain at the same time.
/// </summary>
public sealed partial class UsageGate : IDisposable
{
    private static readonly HashSet<string> Tables = ["organizations", "subscriptions", "pricing_plans", "usage_alerts"];

    private readonly IGrainFactory _grains;
    private readonly TimeProvider _clock;
    private readonly UsageOptions _options;
    private readonly ILogger<UsageGate> _logger;
    private readonly IDisposable _subscription;
    private readonly ConcurrentDictionary<Guid, Entry> _entries = new();
    private readonly ConcurrentDictionary<Guid, Gathering> _gatherings = new();

    public UsageGate(IGrainFactory grains, ConfigurationChanges changes, TimeProvider clock, IOptions<UsageOptions> options, ILogger<UsageGate> logger)
    {
        _grains = grains;
        _clock = clock;
        _options = options.Value;
        _logger = logger;
        _subscription = changes.Subscribe(Forget);
    }

    /// <summary>What the organization's AI may do now.</summary>
    public ValueTask<AiAllowance> Get(Guid organizationId)
    {
        if (_entries.TryGetValue(organizationId, out var entry))
        {
            if (!entry.Reading.IsCompletedSuccessfully)
            {
                return new ValueTask<AiAllowance>(entry.Reading);
            }
            var known = entry.Reading.Result;
            if (!known.IsLimited || !entry.IsUsedUp(known) && _clock.GetUtcNow() < Until(entry, known))
            {
                return new ValueTask<AiAllowance>(known);
            }
            _entries.TryRemove(new(organizationId, entry));
        }
        return new ValueTask<AiAllowance>(Read(organizationId));
    }

    /// <summary>A turn's usage was committed. Returns at once.</summary>
    public void Used(Guid organizationId, long tokens, bool newConversation)
    {
        var isKnown = _entries.TryGetValue(organizationId, out var entry);
        if (tokens == 0 && !newConversation || isKnown && entry!.Reading is { IsCompletedSuccessfully: true, Result.IsLimited: false })
        {
            return;
        }
        // What was known may have been forgotten this moment: the grain hears of it all the same, else a warning would wait for the next message.
        entry?.Add(tokens, newConversation ? 1 : 0);
        _gatherings.GetOrAdd(organizationId, static (id, gate) => new Gathering(id, gate), this).Add(tokens, newConversation ? 1 : 0);
    }

    public void Dispose() => _subscription.Dispose();

    private DateTimeOffset Until(Entry entry, AiAllowance known)
    {
        var refresh = entry.ReadAt + _options.RefreshInterval;
        return known.ValidUntil is { } end && end < refresh ? end : refresh;
    }

    /// <summary>One reading for all who ask at the same time. The entry stands before the reading begins, so that a change that comes in between removes it.</summary>
    private Task<AiAllowance> Read(Guid organizationId)
    {
        var promise = new TaskCompletionSource<AiAllowance>(TaskCreationOptions.RunContinuationsAsynchronously);
        var mine = new Entry(promise.Task, _clock.GetUtcNow());
        var entry = _entries.GetOrAdd(organizationId, mine);
        if (entry == mine)
        {
            _ = Fill();
        }
        return entry.Reading;

        async Task Fill()
        {
            try
            {
                promise.SetResult(await _grains.GetGrain<IOrganizationGrain>(organizationId).ReadAllowance().ConfigureAwait(false));
            }
            catch (StorageUnavailableException failure)
            {
                _entries.TryRemove(new(organizationId, mine));
                promise.SetException(failure);
                _ = promise.Task.Exception; // seen, even if everyone who waited has given up
            }
            catch (Exception failure)
            {
                // Not knowing must not keep a customer's message from being stored, nor one's answer: the next one asks again.
                _entries.TryRemove(new(organizationId, mine));
                LogUnknown(organizationId, failure.GetType().Name, failure.Message);
                promise.SetResult(AiAllowance.Unlimited);
            }
        }
    }

    private void Forget(ConfigurationChange change)
    {
        if (!change.IsEverything && !Tables.Contains(change.Table!))
        {
            return;
        }
        foreach (var id in change.OrganizationId is { } one ? [one] : _entries.Keys.ToArray())
        {
            if (_entries.TryRemove(id, out var entry) && (!entry.Reading.IsCompletedSuccessfully || entry.Reading.Result is { StopReason: not null } or { TakesNewConversations: false }))
            {
                // Conversations may be waiting for this: the organization's grain looks at once, not with the next message. A reading under way may have come too early.
                _ = Read(id);
            }
        }
    }

    private async Task Tell(Guid organizationId, long tokens, int conversations)
    {
        try
        {
            await _grains.GetGrain<IOrganizationGrain>(organizationId).Used(tokens, conversations).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            // What was used is committed; the next reading sees it.
            LogReportLost(organizationId, failure.GetType().Name, failure.Message);
        }
    }

    /// <summary>What is known of an organization, and what was used here since.</summary>
    private sealed class Entry(Task<AiAllowance> reading, DateTimeOffset readAt)
    {
        private long _tokens;
        private int _conversations;

        public Task<AiAllowance> Reading => reading;

        public DateTimeOffset ReadAt => readAt;

        public void Add(long tokens, int conversations)
        {
            Interlocked.Add(ref _tokens, tokens);
            Interlocked.Add(ref _conversations, conversations);
        }

        /// <summary>True when what was left may be gone: only the database can tell, since some of it may have been in the reading already.</summary>
        public bool IsUsedUp(AiAllowance known) =>
            known.StopReason is null && known.TokensLeft is { } tokens && Interlocked.Read(ref _tokens) is > 0 and var used && used >= tokens
            || known.TakesNewConversations && known.ConversationsLeft is { } conversations && Volatile.Read(ref _conversations) is > 0 and var counted && counted >= conversations;
    }

    /// <summary>Usage that waits to be told to the organization's grain.</summary>
    private sealed class Gathering
    {
        private readonly Guid _organizationId;
        private readonly UsageGate _gate;
        private readonly ITimer _timer;
        private readonly Lock _lock = new();
        private long _tokens;
        private int _conversations;
        private bool _scheduled;

        public Gathering(Guid organizationId, UsageGate gate)
        {
            _organizationId = organizationId;
            _gate = gate;
            _timer = gate._clock.CreateTimer(static state => ((Gathering)state!).Tell(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Add(long tokens, int conversations)
        {
            lock (_lock)
            {
                _tokens += tokens;
                _conversations += conversations;
                if (_scheduled)
                {
                    return;
                }
                _scheduled = true;
            }
            _timer.Change(_gate._options.ReportInterval, Timeout.InfiniteTimeSpan);
        }

        private void Tell()
        {
            long tokens;
            int conversations;
            lock (_lock)
            {
                (tokens, conversations) = (_tokens, _conversations);
                (_tokens, _conversations, _scheduled) = (0, 0, false);
            }
            _ = _gate.Tell(_organizationId, tokens, conversations);
        }
    }

    [LoggerMessage(EventId = 2601, Level = LogLevel.Warning, Message = "Whether the AI of organization {OrganizationId} may run could not be found out ({Exception}: {Reason}); it goes on")]
    private partial void LogUnknown(Guid organizationId, string exception, string reason);

    [LoggerMessage(EventId = 2602, Level = LogLevel.Debug, Message = "A report of usage of organization {OrganizationId} was lost ({Exception}: {Reason}); the next reading sees it")]
    private partial void LogReportLost(Guid organizationId, string exception, string reason);
}
