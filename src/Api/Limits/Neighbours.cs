namespace AgentPlatform.Api.Limits;

/// <summary>Whom this process has worked for lately: what one organization may take depends on whether it is alone.</summary>
internal sealed class Neighbours(TimeProvider clock)
{
    /// <summary>For how long an organization that has asked for something counts as present.</summary>
    public static readonly TimeSpan Presence = TimeSpan.FromSeconds(10);

    // The two that came last are enough: one of them is another than whoever asks. Written without a lock, for each webhook comes by here: what a race overwrites, the next request tells again.
    private Seen? _last;
    private Seen? _before;

    /// <summary>Notes that the organization asks for something; true where another one did lately.</summary>
    public bool Meet(Guid organizationId)
    {
        var now = clock.GetTimestamp();
        var last = Volatile.Read(ref _last);
        if (last?.OrganizationId == organizationId)
        {
            last.At = now;
            return IsPresent(Volatile.Read(ref _before), organizationId, now);
        }

        var before = Volatile.Read(ref _before);
        Volatile.Write(ref _before, last);
        if (before?.OrganizationId == organizationId)
        {
            before.At = now;
            Volatile.Write(ref _last, before);
            return IsPresent(last, organizationId, now);
        }

        Volatile.Write(ref _last, new Seen(organizationId) { At = now });
        return IsPresent(last, organizationId, now) || IsPresent(before, organizationId, now);
    }

    private bool IsPresent(Seen? other, Guid organizationId, long now) => other is not null && other.OrganizationId != organizationId && clock.GetElapsedTime(other.At, now) < Presence;

    private sealed class Seen(Guid organizationId)
    {
        private long _at;

        public Guid OrganizationId => organizationId;

        public long At
        {
            get => Volatile.Read(ref _at);
            set => Volatile.Write(ref _at, value);
        }
    }
}
