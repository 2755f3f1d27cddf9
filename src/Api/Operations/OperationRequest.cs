using System.Collections.Immutable;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Operations;

/// <summary>A request that has passed the checks of its <see cref="Operation"/>.</summary>
public sealed class OperationRequest
{
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

    /// <summary>The version of <c>If-Match</c>; null where there is none, or <c>*</c>.</summary>
    public long? ExpectedVersion { get; init; }

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

    public T? Parameter<T>(string name) => Query.TryGetValue(name, out var values) && values[0] is T value ? value : default;

    public bool Has(string name) => Query.ContainsKey(name);

    public T Service<T>() where T : notnull => Http.RequestServices.GetRequiredService<T>();
}
