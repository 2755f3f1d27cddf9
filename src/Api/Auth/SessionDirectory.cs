using System.Collections.Concurrent;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;

namespace AgentPlatform.Api.Auth;

/// <summary>A live session, with the role that its member has now.</summary>
public sealed record LiveSession(Guid Id, Guid UserId, Guid OrganizationId, Role Role, DateTimeOffset ExpiresAt);

/// <summary>
/// Sessions behind access tokens. Remembered for <see cref="Remembered"/>, and forgotten at once when Postgres tells that a session ended or a membership
/// changed: a token of a member who was suspended stops working within a second, not when it expires.
/// </summary>
public sealed class SessionDirectory : IDisposable
{
    /// <summary>How long a look-up counts when nothing is heard.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromSeconds(30);

    /// <summary>Most sessions remembered; beyond, all are forgotten and looked up again.</summary>
    public const int MaxRemembered = 50_000;

    private readonly ConcurrentDictionary<Guid, (LiveSession? Session, DateTimeOffset Until)> _sessions = new();
    private readonly ApiDataSource _database;
    private readonly TimeProvider _clock;
    private readonly IDisposable _subscription;
    private long _changes;

    public SessionDirectory(ApiDataSource database, ConfigurationChanges changes, TimeProvider clock)
    {
        _database = database;
        _clock = clock;
        _subscription = changes.Subscribe(Hear);
    }

    /// <summary>Null when the session has ended, or its member is no longer active.</summary>
    public ValueTask<LiveSession?> Find(Guid sessionId, CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        return _sessions.TryGetValue(sessionId, out var known) && known.Until > now && (known.Session is null || known.Session.ExpiresAt > now)
            ? ValueTask.FromResult(known.Session)
            : new(LookUp(sessionId, cancellationToken));
    }

    /// <summary>Forgets a session in this process; the others hear of it from Postgres.</summary>
    public void Forget(Guid sessionId)
    {
        Interlocked.Increment(ref _changes);
        _sessions.TryRemove(sessionId, out _);
    }

    public void Dispose() => _subscription.Dispose();

    private async Task<LiveSession?> LookUp(Guid sessionId, CancellationToken cancellationToken)
    {
        var before = Interlocked.Read(ref _changes);
        await using var command = _database.CreateCommand("SELECT user_id, organization_id, role, expires_at FROM find_live_session($1)");
        command.Parameters.Add(new() { Value = sessionId });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var session = await row.ReadAsync(cancellationToken) && Roles.Parse(row.GetString(2)) is { } role
            ? new LiveSession(sessionId, row.GetGuid(0), row.GetGuid(1), role, row.GetFieldValue<DateTimeOffset>(3))
            : null;
        if (_sessions.Count >= MaxRemembered)
        {
            _sessions.Clear();
        }
        // What changed during the look-up may not be in its answer: then it isn't remembered.
        if (before == Interlocked.Read(ref _changes))
        {
            _sessions[sessionId] = (session, _clock.GetUtcNow() + Remembered);
        }
        return session;
    }

    private void Hear(ConfigurationChange change)
    {
        if (!change.IsEverything && change.Table is not ("user_sessions" or "organization_members"))
        {
            return;
        }
        Interlocked.Increment(ref _changes);
        if (change is { Table: "user_sessions", Id: { } ended })
        {
            _sessions.TryRemove(ended, out _);
        }
        else if (change.OrganizationId is { } organization)
        {
            foreach (var (id, known) in _sessions)
            {
                if (known.Session is null || known.Session.OrganizationId == organization)
                {
                    _sessions.TryRemove(id, out _);
                }
            }
        }
        else
        {
            _sessions.Clear();
        }
    }
}
