using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>Tags put on many rows at once, and taken off them: all of them or none.</summary>
internal static class BulkTagging
{
    /// <summary>Most rows of one request.</summary>
    public const int MostRows = 1000;

    /// <summary>Most tags of one row, as for its field.</summary>
    public const int MostTags = 50;

    /// <summary>The tags of a row, which the organization's list has: found by what it calls them, however they are written.</summary>
    public static Field Own() => Tags("tags", MostTags).Filtered() with { Recognition = "t.tags && known_tags($1, {0})" };

    public static void MapBulkTagging(IEndpointRouteBuilder routes)
    {
        foreach (var resource in (Resource[])[ClientResource.Clients, DealResource.Deals, NoteResource.Notes])
        {
            routes.MapOperation("POST", $"/v1/{resource.Path}/bulk-tag", Describe(resource), request => Tag(resource, request));
        }
    }

    private static Operation Describe(Resource resource) => new()
    {
        Id = $"bulkTag{char.ToUpperInvariant(resource.Plural[0])}{resource.Plural[1..]}",
        Tag = resource.Plural,
        Summary = $"Put tags on {resource.Plural}, and take tags off",
        Description = $"All of them or none. Up to {MostRows} at once; none may come to more than {MostTags} tags. What bears the tags already is left alone.",
        Role = resource.Update,
        Body = new(
            List("ids", new UuidType(), MostRows, 1).Required(),
            Tags("add", MostTags),
            Tags("remove", MostTags)),
        Answer = new(Integer("changed").About("How many rows changed.")),
    };

    private static Task<IResult> Tag(Resource resource, OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var given = request.Body.Get<ImmutableArray<object>>("ids").Cast<Guid>().ToArray();
        var held = new HashSet<Guid>();
        await using (var rows = await session.QueryAsync(
            $"SELECT id FROM {resource.Table} WHERE organization_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE", request.Cancelled, request.Caller.OrganizationId, given))
        {
            while (await rows.ReadAsync(request.Cancelled))
            {
                held.Add(rows.GetGuid(0));
            }
        }
        var unknown = given.Index().Where(entry => !held.Contains(entry.Item))
            .Select(entry => string.Create(CultureInfo.InvariantCulture, $"/ids/{entry.Index}")).Take(Violations.Listed).ToArray();
        if (unknown.Length > 0)
        {
            return Problem.Invalid([.. unknown.Select(pointer => new FieldError(pointer, $"{pointer} names nothing in this organization."))]);
        }
        var (changed, most) = await Write(resource, request, session, given);
        if (most > MostTags)
        {
            return Problem.Invalid("/add", $"/add would give one of them more than {MostTags} tags.");
        }
        await session.CommitAsync(request.Cancelled);
        return JsonAnswer.Of(json => json.WriteNumber("changed", changed));
    });

    /// <summary>Rows, and an audit row for each.</summary>
    private static async Task<(int Changed, int Most)> Write(Resource resource, OperationRequest request, TenantSession session, Guid[] ids)
    {
        await using var row = await session.QueryAsync(
            $"""
            WITH wanted AS (
                SELECT t.id, t.tags AS before, coalesce((
                    SELECT array_agg(k.tag ORDER BY k.place) FROM (
                        SELECT u.tag, min(u.place) AS place FROM unnest(known_tags($1, t.tags || $3)) WITH ORDINALITY u (tag, place) WHERE u.tag <> ALL (known_tags($1, $4)) GROUP BY u.tag) k), '{"{}"}') AS after
                FROM {resource.Table} t WHERE t.organization_id = $1 AND t.id = ANY ($2)
            ), changed AS (
                UPDATE {resource.Table} t SET tags = w.after, version = t.version + 1 FROM wanted w
                WHERE t.id = w.id AND w.after <> w.before RETURNING t.id, w.before, w.after
            ), logged AS (
                INSERT INTO activity_logs (organization_id, user_id, action_type, entity_type, entity_id, before, after, ip_address, user_agent, api_key_id)
                SELECT $1, $5, $6, $7, c.id, jsonb_build_object('tags', c.before), jsonb_build_object('tags', c.after), $8, $9, $10 FROM changed c
            )
            SELECT count(*)::integer, coalesce(max(cardinality(after)), 0) FROM changed
            """,
            request.Cancelled,
            [
                request.Caller.OrganizationId, ids, request.Body.Get<string[]>("add") ?? [], request.Body.Get<string[]>("remove") ?? [],
                request.Caller.UserId, $"{resource.Singular}.tagged", resource.Singular, .. ActivityLog.Origin(request.Caller),
            ]);
        await row.ReadAsync(request.Cancelled);
        return (row.GetInt32(0), row.GetInt32(1));
    }
}
