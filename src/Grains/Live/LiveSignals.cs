using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Organizations;

namespace AgentPlatform.Grains.Live;

/// <summary>
/// Tells live views that conversations changed, after the commit. Changes of one organization that come together travel as one call, so
/// that a busy organization costs a few calls a second, not one a message. A lost hint is made good by the views' own periodic look.
/// </summary>
public sealed class LiveSignals(IGrainFactory grains, TimeProvider clock)
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
            _ = _signals._grains.GetGrain<IOrganizationGrain>(_organizationId).Changed(changed);
        }
    }

    private readonly TimeProvider _clock = clock;
    private readonly IGrainFactory _grains = grains;
}
