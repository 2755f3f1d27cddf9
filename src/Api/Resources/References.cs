using System.Collections.Immutable;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Resources;

/// <summary>
/// A foreign key doesn't look at the organization; this does. Every given id, however deep in the body, must name a row that the caller's organization
/// can see; one of another organization and one that doesn't exist get the same answer.
/// </summary>
internal static class References
{
    public static Task<Problem?> Check(ResourceChange change) => Check(change.Session, change.Values, change.Request.Cancelled);

    /// <summary>The same for values that are no resource's.</summary>
    public static async Task<Problem?> Check(TenantSession session, ShapeValues values, CancellationToken cancellationToken)
    {
        var given = values.Leaves().Where(leaf => leaf.Field.References is not null && leaf.Value is Guid)
            .Select(leaf => (Table: leaf.Field.References!, Id: (Guid)leaf.Value, leaf.Pointer)).ToArray();
        var errors = ImmutableArray.CreateBuilder<FieldError>();
        foreach (var ofTable in given.GroupBy(reference => reference.Table, StringComparer.Ordinal))
        {
            var known = await Known(session, ofTable.Key, [.. ofTable.Select(reference => reference.Id).Distinct()], cancellationToken);
            errors.AddRange(ofTable.Where(reference => !known.Contains(reference.Id))
                .Select(reference => new FieldError(reference.Pointer, $"{reference.Pointer} names nothing in this organization.")));
        }
        return errors.Count == 0 ? null : Problem.Invalid(errors.DrainToImmutable());
    }

    /// <summary>Those of the ids that name a row of the table which the session can see.</summary>
    public static async Task<HashSet<Guid>> Known(TenantSession session, string references, Guid[] ids, CancellationToken cancellationToken)
    {
        var (table, key) = references switch
        {
            "users" => ("organization_members", "user_id"),
            "web_widgets" => ("web_widgets", "channel_id"),
            _ => (references, "id"),
        };
        var known = new HashSet<Guid>();
        await using var rows = await session.QueryAsync($"SELECT {key} FROM {table} WHERE {key} = ANY ($1)", cancellationToken, ids);
        while (await rows.ReadAsync(cancellationToken))
        {
            known.Add(rows.GetGuid(0));
        }
        return known;
    }
}
