using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;

namespace AgentPlatform.Api.Auth;

/// <summary>A live session or API key, with the role that its member has now.</summary>
public sealed record LiveSession(Guid Id, Guid UserId, Guid OrganizationId, Role Role, DateTimeOffset ExpiresAt)
{
    /// <summary>Looks after the whole installation.</summary>
    public bool IsSuperAdmin { get; init; }

    /// <summary>What an API key may do; null for a person's session.</summary>
    public ImmutableArray<string>? Scopes { get; init; }

    /// <summary>Why a super admin who is no member is in the organization; null for members.</summary>
    public string? EnteredReason { get; init; }
}

/// <summary>
/// Sessions behind access tokens, and API keys. Remembered for <see cref="Remembered"/>, and forgotten at once when Postgres tells that a session ended or a membership
/// changed: a token of a member who was suspended stops working at once in the process that answered the
/// suspension (<see cref="Operations.Operation.ChangesAccess"/>), and within a second in the others, not when it expires.
/// </summary>
public sealed class SessionDirectory : IDisposable
{
    /// <summary>How long a look-up counts when nothing is heard.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromSeconds(30);

    /// <summary>Most sessions remembered; beyond, all are forgotten and looked up again.</summary>
    public const int MaxRemembered = 50_000;

    private readonly ConcurrentDictionary<Guid, (LiveSession? Session, DateTimeOffset Until)> _sessions = new();
    private readonly ConcurrentDictionary<string, (Guid? Id, DateTimeOffset Until)> _keys = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Watcher, byte> _watchers = new();
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

    /// <summary>The API key with this hash; null when it is unknown, revoked or expired, or its member is no longer active.</summary>
    public async ValueTask<LiveSession?> FindKey(byte[] hash, CancellationToken cancellationToken)
    {
        var name = Convert.ToHexString(hash);
        if (!_keys.TryGetValue(name, out var known) || known.Until <= _clock.GetUtcNow())
        {
            known = await LookUpKey(name, hash, cancellationToken);
        }
        return known.Id is { } id && await Find(id, cancellationToken) is { Scopes: not null } key ? key : null;
    }

    /// <summary>Calls the handler, which must be short, whenever a session or API key may have ended, until the result is disposed.</summary>
    public IDisposable Watch(Guid sessionId, Guid organizationId, Action onChange)
    {
        var watcher = new Watcher(this, sessionId, organizationId, onChange);
        _watchers[watcher] = 0;
        return watcher;
    }

    /// <summary>Forgets a session in this process; the others hear of it from Postgres.</summary>
    public void Forget(Guid sessionId)
    {
        Interlocked.Increment(ref _changes);
        _sessions.TryRemove(sessionId, out _);
    }

    /// <summary>Forgets all sessions and keys in this process, which is to look them up again.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref _changes);
        _keys.Clear();
        _sessions.Clear();
    }

    public void Dispose() => _subscription.Dispose();

    private async Task<LiveSession?> LookUp(Guid sessionId, CancellationToken cancellationToken)
    {
        var before = Interlocked.Read(ref _changes);
        await using var command = _database.CreateCommand("SELECT user_id, organization_id, role, nullif(expires_at, 'infinity'), is_super_admin, scopes, entered_reason FROM find_live_session($1)");
        command.Parameters.Add(new() { Value = sessionId });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var session = await row.ReadAsync(cancellationToken) && Roles.Parse(row.GetString(2)) is { } role
            ? new LiveSession(sessionId, row.GetGuid(0), row.GetGuid(1), role, row.IsDBNull(3) ? DateTimeOffset.MaxValue : row.GetFieldValue<DateTimeOffset>(3))
            {
                IsSuperAdmin = row.GetBoolean(4),
                Scopes = row.IsDBNull(5) ? null : [.. row.GetFieldValue<string[]>(5)],
                EnteredReason = row.IsDBNull(6) ? null : row.GetString(6),
            }
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

    private async Task<(Guid? Id, DateTimeOffset Until)> LookUpKey(string name, byte[] hash, CancellationToken cancellationToken)
    {
        var before = Interlocked.Read(ref _changes);
        var until = _clock.GetUtcNow() + Remembered;
        Guid? id = null;
        await using var command = _database.CreateCommand("SELECT id, holds_until FROM find_api_key($1)");
        command.Parameters.Add(new() { Value = hash });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (await row.ReadAsync(cancellationToken))
        {
            id = row.GetGuid(0);
            until = !row.IsDBNull(1) && row.GetFieldValue<DateTimeOffset>(1) is var end && end < until ? end : until;
        }
        if (_keys.Count >= MaxRemembered)
        {
            _keys.Clear();
        }
        if (before == Interlocked.Read(ref _changes))
        {
            _keys[name] = (id, until);
        }
        return (id, until);
    }

    private void Hear(ConfigurationChange change)
    {
        if (!change.IsEverything && change.Table is not ("user_sessions" or "organization_members" or "api_keys" or "users"))
        {
            return;
        }
        Interlocked.Increment(ref _changes);
        if (change.IsEverything || change.Table == "api_keys")
        {
            _keys.Clear();
        }
        Drop(change);
        foreach (var watcher in _watchers.Keys)
        {
            if (change is { Table: "user_sessions", Id: { } session } ? watcher.SessionId == session : change.OrganizationId is null || watcher.OrganizationId == change.OrganizationId)
            {
                watcher.OnChange();
            }
        }
    }

    private void Drop(ConfigurationChange change)
    {
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

    private sealed class Watcher(SessionDirectory directory, Guid sessionId, Guid organizationId, Action onChange) : IDisposable
    {
        public Guid SessionId => sessionId;

        public Guid OrganizationId => organizationId;

        public Action OnChange => onChange;

        public void Dispose() => directory._watchers.TryRemove(this, out _);
    }
}
