namespace AgentPlatform.Api.Limits;

/// <summary>Whom this process has worked for lately: what one organization may take depends on whether it is alone.</summary>
internal sealed class Neighbours(TimeProvider clock)
{
    /// <summary>For how long an organization that has asked for something counts as present.</summary>
    public static readonly TimeSpan Presence = TimeSpan.FromSeconds(10);

    // The two that came last are enough: one of them is another than whoever asks. Written without a lock, for each webhook comes by here: what a race overwrites, the next request tells again.
    private Seen? _last;
    private Seen? _before;

    /// <summary>Notes that the organization asks for something.</summary>
    public void Note(Guid organizationId)
    {
        var now = clock.GetTimestamp();
        var last = Volatile.Read(ref _last);
        if (last?.OrganizationId != organizationId)
        {
            var before = Volatile.Read(ref _before);
            Volatile.Write(ref _before, last);
            last = before?.OrganizationId == organizationId ? before : new Seen(organizationId);
            last.At = now;
            Volatile.Write(ref _last, last);
            return;
        }

        last.At = now;
    }

    /// <summary>Whether another organization has asked for something lately.</summary>
    public bool HasOthersThan(Guid organizationId)
    {
        var now = clock.GetTimestamp();
        return IsAnother(Volatile.Read(ref _last)) || IsAnother(Volatile.Read(ref _before));

        bool IsAnother(Seen? seen) => seen is not null && seen.OrganizationId != organizationId && clock.GetElapsedTime(seen.At, now) < Presence;
    }

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
