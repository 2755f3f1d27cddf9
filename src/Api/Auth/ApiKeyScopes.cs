using System.Collections.Immutable;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Resources;

namespace AgentPlatform.Api.Auth;

/// <summary>
/// What API keys may be allowed. Each route has one scope: the feature, which is the first part of its path below <c>/v1/</c>, and <c>read</c> or
/// <c>write</c>. <c>read</c> and <c>write</c> alone stand for those of all features. Neither reaches beyond the key's role.
/// </summary>
public static class ApiKeyScopes
{
    /// <summary>All that reads.</summary>
    public const string Read = "read";

    /// <summary>All that changes.</summary>
    public const string Write = "write";

    /// <summary>The scope of a route; null for a path that isn't below <c>/v1/</c>.</summary>
    public static string? Of(string method, string pattern) =>
        pattern.Split('/', StringSplitOptions.RemoveEmptyEntries) is ["v1", var feature, ..] ? $"{feature}:{(HttpMethods.IsGet(method) ? Read : Write)}" : null;

    /// <summary>The scope of reading a resource's rows, wherever they are read.</summary>
    internal static string OfReading(Resource resource) => $"{resource.Parent?.Path ?? resource.Path}:{Read}";

    /// <summary>Whether a caller may read what needs a scope: a person may, whatever the scope.</summary>
    public static bool Allow(Caller caller, string needed) => caller.Scopes is not { } scopes || Allow(scopes, needed);

    /// <summary>Whether scopes allow a route with this scope.</summary>
    public static bool Allow(ImmutableArray<string> scopes, string needed) =>
        scopes.Contains(needed) || scopes.Contains(needed[(needed.IndexOf(':', StringComparison.Ordinal) + 1)..]);

    /// <summary>All scopes that the routes of this installation know, in order.</summary>
    public static ImmutableSortedSet<string> Known(IEnumerable<EndpointDataSource> sources) =>
        sources.SelectMany(source => source.Endpoints).Select(endpoint => endpoint.Metadata.GetMetadata<Operation>()?.Scope).OfType<string>()
            .Append(Read).Append(Write).ToImmutableSortedSet(StringComparer.Ordinal);
}
