using System.Collections.Immutable;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Api.Operations;

/// <summary>A request that has passed the checks of its <see cref="Operation"/>.</summary>
public sealed class OperationRequest
{
    /// <summary>Most tries of a transaction that meets others which wait for it while it waits for them.</summary>
    public const int MostTries = 5;

    public required HttpContext Http { get; init; }

    /// <summary>Who calls. Throws on a route without sign-in.</summary>
    public Caller Caller => KnownCaller ?? throw new InvalidOperationException("The route has no caller: its operation names no role.");

    internal Caller? KnownCaller { get; init; }

    /// <summary>The body's members; empty where the operation takes none.</summary>
    public ShapeValues Body { get; init; } = new();

    /// <summary>SHA-256 of method, path and body, by which a repeated request is known.</summary>
    public byte[] Fingerprint { get; init; } = [];

    /// <summary>Query parameters that were given, checked; a list for those that take several.</summary>
    public required IReadOnlyDictionary<string, ImmutableArray<object>> Query { get; init; }

    /// <summary>The versions of <c>If-Match</c>, one of which must be the present one; none where there is none, or <c>*</c>.</summary>
    public ImmutableArray<long> ExpectedVersions { get; init; } = [];

    /// <summary>Whether a thing of this version may be changed.</summary>
    public bool Expects(long version) => ExpectedVersions.IsEmpty || ExpectedVersions.Contains(version);

    public string? IdempotencyKey { get; init; }

    public CancellationToken Cancelled => Http.RequestAborted;

    /// <summary>An id in the path; null when it isn't a UUID, which is the same as one that doesn't exist.</summary>
    public Guid? PathId(string name = "id") => Guid.TryParseExact(Http.GetRouteValue(name) as string, "D", out var id) ? id : null;

    /// <summary>Whether the path's id names a row of a table that the caller's organization can see.</summary>
    public async Task<bool> PathExists(string table)
    {
        if (PathId() is not { } id)
        {
            return false;
        }
        await using var row = await TenantSession.ReadAsync(
            Service<ApiDataSource>(), Caller.Tenant, $"SELECT 1 FROM {table} WHERE organization_id = $1 AND id = $2", Cancelled, Caller.OrganizationId, id);
        return await row.ReadAsync(Cancelled);
    }

    /// <summary>Does work in a transaction of the caller's organization, by the rules of <see cref="InTransaction{T}(Tenant, Func{TenantSession, Task{T}})"/>.</summary>
    public Task<T> InTransaction<T>(Func<TenantSession, Task<T>> work) => InTransaction(Caller.Tenant, work);

    /// <summary>The same for work without an answer.</summary>
    public Task InTransaction(Func<TenantSession, Task> work) => InTransaction(Caller.Tenant, async session =>
    {
        await work(session);
        return true;
    });

    /// <summary>
    /// Does work in a transaction, and all of it again when Postgres gave it up because others waited for it while it waited for them: nothing of it was kept. So the work has no
    /// effect but on its session, which it commits itself, and what must happen once comes after it. What takes its locks in the same order as others never meets them so;
    /// what a deletion takes with it comes in the order of the foreign keys, and what many rows refer to is locked when they are written.
    /// </summary>
    public async Task<T> InTransaction<T>(Tenant tenant, Func<TenantSession, Task<T>> work)
    {
        for (var tries = 1; ;)
        {
            try
            {
                await using var session = await TenantSession.OpenAsync(Service<ApiDataSource>(), tenant, Cancelled);
                return await work(session);
            }
            catch (PostgresException failure) when (failure.SqlState == PostgresErrorCodes.DeadlockDetected && tries < MostTries)
            {
                tries++;
            }
        }
    }

    public T? Parameter<T>(string name) => Query.TryGetValue(name, out var values) && values[0] is T value ? value : default;

    public bool Has(string name) => Query.ContainsKey(name);

    public T Service<T>() where T : notnull => Http.RequestServices.GetRequiredService<T>();
}
