using System.Collections.Immutable;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using Npgsql;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Auth;

/// <summary>Keys by which programs call the API.</summary>
internal static class ApiKeyResource
{
    /// <summary>Keys of one organization.</summary>
    public const int MaxKeys = 200;

    /// <summary>Scopes of one key.</summary>
    public const int MaxScopes = 50;

    /// <summary>Whoever holds a key acts in its maker's name: nobody else may get hold of one, or make it do more.</summary>
    public const string OfItsMaker = "Only the member who made the key may do this, since the key acts for that member. Make one of your own, and delete this one.";

    public static readonly Resource ApiKeys = new()
    {
        Path = "api-keys",
        Singular = "apiKey",
        Plural = "apiKeys",
        Table = "api_keys",
        Description = "Keys by which programs call the API, as `Authorization: Bearer`. A key acts for the member who made it: it never may more than that member may at present, and rests while the membership is suspended.",
        Read = Role.Admin,
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        NeedsPerson = true,
        DecidesAccess = true,
        Fields =
        [
            Name("name").Required().Searched(),
            Choice("role", Roles.Names).Required().Filtered().About("The most that the key may; not above your own role."),
            Tags("scopes", MaxScopes).Required().About("What the key may do: `read`, `write`, or of one feature `clients:read`, `clients:write`. docs/roles.md has the scope of each route."),
            Timestamp("expiresAt").Nullable().Ranged(),
            Text("prefix", 20).ReadOnly().About("How the key begins."),
            Text("previousPrefix", 20).Nullable().ReadOnly().About("After a rotation: how the key before begins."),
            Timestamp("previousUntil").Nullable().ReadOnly().About("After a rotation: until when the key before works."),
            Timestamp("rotatedAt").Nullable().ReadOnly(),
            Timestamp("lastUsedAt").Nullable().ReadOnly().About("To the minute."),
            Timestamp("revokedAt").Nullable().ReadOnly().About("When the member who made it left."),
            Reference("createdBy", "users").ReadOnly().Filtered(),
        ],
        RevealedOnce = [Text("key", 100).About("The key itself: shown this once.")],
        Example = new() { ["name"] = "Website", ["role"] = "member", ["scopes"] = new System.Text.Json.Nodes.JsonArray("clients:read", "clients:write") },
        BeforeWrite = Prepare,
    };

    private static async Task<Problem?> Prepare(ResourceChange change)
    {
        if (change.IsDeletion)
        {
            return null;
        }
        var caller = change.Caller;
        if (change.Before is { } before && before.Get<Guid>("createdBy") != caller.UserId && Widens(change, before))
        {
            return new Problem(ProblemType.Forbidden, OfItsMaker);
        }
        if (Roles.Parse(change.Resulting<string>("role")) > caller.Role)
        {
            return Problem.Invalid("/role", $"/role must not be above your own, {caller.Role.Name()}.");
        }
        var known = ApiKeyScopes.Known(change.Request.Http.RequestServices.GetServices<EndpointDataSource>());
        var unknown = (change.Resulting<string[]>("scopes") ?? []).Where(scope => !known.Contains(scope)).ToImmutableArray();
        if (!unknown.IsEmpty || change.Resulting<string[]>("scopes") is not { Length: > 0 })
        {
            return Problem.Invalid("/scopes", $"/scopes must name at least one scope, and only known ones (docs/roles.md){(unknown.IsEmpty ? "" : $"; {unknown[0]} is none")}.");
        }
        if (change.Values.Has("expiresAt") && change.Values.Get<DateTimeOffset>("expiresAt") is var end && end != default && end <= change.Request.Service<TimeProvider>().GetUtcNow())
        {
            return Problem.Invalid("/expiresAt", "/expiresAt must be in the future.");
        }
        return !change.IsCreation ? null
            // A key acts for a member.
            : caller.EnteredReason is not null ? new Problem(ProblemType.Forbidden, "Only a member of the organization makes API keys; you have entered it as a super admin.")
            : await Make(change);
    }

    /// <summary>Whether the key may do more afterwards, or for longer.</summary>
    private static bool Widens(ResourceChange change, ResourceRow before)
    {
        var scopes = before.Get<string[]>("scopes") ?? [];
        return Roles.Parse(change.Resulting<string>("role")) > Roles.Parse(before.Get<string>("role"))
            || (change.Resulting<string[]>("scopes") ?? []).Any(scope => !ApiKeyScopes.Allow([.. scopes], scope))
            || (change.Values.Has("expiresAt") && before.Raw("expiresAt") is DateTime end && !(change.Values.Get<DateTimeOffset?>("expiresAt")?.UtcDateTime <= end));
    }

    private static async Task<Problem?> Make(ResourceChange change)
    {
        var count = await change.Session.ScalarAsync<long>("SELECT count(*) FROM api_keys WHERE organization_id = $1", change.Request.Cancelled, change.Caller.OrganizationId);
        if (count >= MaxKeys)
        {
            return new Problem(ProblemType.Conflict, $"The organization has {count} API keys; {MaxKeys} is the most.");
        }
        var key = ApiKeyText.New();
        change.Columns["created_by"] = new NpgsqlParameter { Value = change.Caller.UserId };
        change.Columns["prefix"] = new NpgsqlParameter { Value = ApiKeyText.Shown(key) };
        change.Columns["key_hash"] = new NpgsqlParameter { Value = ApiKeyText.Hash(key) };
        change.Revealed["key"] = key;
        return null;
    }
}
