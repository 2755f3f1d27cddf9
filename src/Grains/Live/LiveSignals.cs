using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Organizations;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Grains.Live;

/// <summary>
/// Tells live views that conversations changed, after the commit. Changes of one organization that come together travel as one call, so
/// that a busy organization costs a few calls a second, not one a message. A lost hint is made good by the views' own periodic look.
/// </summary>
public sealed partial class LiveSignals(IGrainFactory grains, TimeProvider clock, ILogger<LiveSignals> logger)
{
    /// <summary>How long changes of an organization gather before they are told.</summary>
    public static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<Guid, Gathering> _organizations = new();

    /// <summary>Returns at once.</summary>
    public void Changed(Guid organizationId, Guid conversationId) =>
        _organizations.GetOrAdd(organizationId, static (id, signals) => new Gathering(id, signals), this).Add(conversationId);

    private sealed class Gathering
    {
        private readonly Guid _organizationId;
        private readonly LiveSignals _signals;
        private readonly ITimer _timer;
        private readonly Lock _lock = new();
        private HashSet<Guid> _changed = [];
        private bool _scheduled;

        public Gathering(Guid organizationId, LiveSignals signals)
        {
            _organizationId = organizationId;
            _signals = signals;
            _timer = signals._clock.CreateTimer(static state => ((Gathering)state!).Tell(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Add(Guid conversationId)
        {
            lock (_lock)
            {
                _changed.Add(conversationId);
                if (_scheduled)
                {
                    return;
                }
                _scheduled = true;
            }
            _timer.Change(GatherTime, Timeout.InfiniteTimeSpan);
        }

        private void Tell()
        {
            ImmutableArray<Guid> changed;
            lock (_lock)
            {
                changed = [.. _changed];
                _changed = [];
                _scheduled = false;
            }
            _ = _signals.Tell(_organizationId, changed);
        }
    }

    private async Task Tell(Guid organizationId, ImmutableArray<Guid> changed)
    {
        try
        {
            await _grains.GetGrain<IOrganizationGrain>(organizationId).Changed(changed).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            LogHintLost(_logger, organizationId, failure.GetType().Name, failure.Message);
        }
    }

    [LoggerMessage(EventId = 2401, Level = LogLevel.Debug, Message = "A hint to the live views of organization {OrganizationId} was lost ({Exception}: {Reason}); they look by themselves")]
    private static partial void LogHintLost(ILogger logger, Guid organizationId, string exception, string reason);

    private readonly TimeProvider _clock = clock;
    private readonly IGrainFactory _grains = grains;
    private readonly ILogger _logger = logger;
}
