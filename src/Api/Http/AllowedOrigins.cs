using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Changes;
using AgentPlatform.Data.Connections;

namespace AgentPlatform.Api.Http;

/// <summary>Which other sites' pages may call the API: those of <c>allowedOrigins</c> of an organization, for that organization, and the console's, for all. Remembered until an organization changes.</summary>
internal sealed class AllowedOrigins : IDisposable
{
    private const int MaxRemembered = 10_000;

    private readonly ApiDataSource _database;
    private readonly string? _console;
    private readonly IDisposable _subscription;
    private readonly ConcurrentDictionary<string, ImmutableHashSet<Guid>> _organizations = new(StringComparer.Ordinal);
    private long _changes;

    public AllowedOrigins(ApiDataSource database, AccountOptions accounts, ConfigurationChanges changes)
    {
        _database = database;
        _console = accounts.ConsoleUrl is { } console ? WebOrigin.Of(console) : null;
        _subscription = changes.Subscribe(Forget);
    }

    /// <summary>Whether the origin is the console's, which works for every organization.</summary>
    public bool IsConsole(string origin) => origin == _console;

    /// <summary>The organizations that allow the origin.</summary>
    public async ValueTask<ImmutableHashSet<Guid>> Find(string origin, CancellationToken cancellationToken)
    {
        if (_organizations.TryGetValue(origin, out var known))
        {
            return known;
        }
        var before = Interlocked.Read(ref _changes);
        await using var command = _database.CreateCommand("SELECT organizations_allowing($1)");
        command.Parameters.Add(new() { Value = origin });
        ImmutableHashSet<Guid> found = await command.ExecuteScalarAsync(cancellationToken) is Guid[] ids ? [.. ids] : [];
        if (before == Interlocked.Read(ref _changes))
        {
            if (_organizations.Count >= MaxRemembered)
            {
                _organizations.Clear();
            }
            _organizations[origin] = found;
        }
        return found;
    }

    private void Forget(ConfigurationChange change)
    {
        if (change.IsEverything || change.Table == "organizations")
        {
            Interlocked.Increment(ref _changes);
            _organizations.Clear();
        }
    }

    public void Dispose() => _subscription.Dispose();
}
