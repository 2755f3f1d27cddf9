using AgentPlatform.Api.Resources;
using NpgsqlTypes;

namespace AgentPlatform.Api.Transfer;

/// <summary>
/// Changes many rows of a resource together: one statement for all that give the same columns, so that rights and triggers see the columns that a change of one row would
/// name, and all statements in one trip.
/// </summary>
internal static class BulkUpdate
{
    /// <summary>Changes the rows, each of which is named once; returns them as they are now, by id. What the caller may not change is left out.</summary>
    public static async Task<Dictionary<Guid, ResourceRow>> Run(IReadOnlyList<ResourceChange> changes, CancellationToken cancellationToken)
    {
        var (resource, session, request) = (changes[0].Resource, changes[0].Session, changes[0].Request);
        await using var batch = session.CreateBatch();
        foreach (var alike in changes.GroupBy(change => string.Join(", ", Columns(change)), StringComparer.Ordinal))
        {
            batch.BatchCommands.Add(new(Sql(resource, [.. Columns(alike.First())]))
            {
                Parameters = { new() { Value = request.Caller.OrganizationId }, new() { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = BulkRows.Json(resource, [.. alike]) } },
            });
        }
        var changed = new Dictionary<Guid, ResourceRow>(changes.Count);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            while (await rows.ReadAsync(cancellationToken))
            {
                var row = ResourceRow.Read(resource, ResourceSql.Of(resource).Readable, rows, ResourceWrites.Context(request));
                changed[row.Id] = row;
            }
        }
        while (await rows.NextResultAsync(cancellationToken));
        return changed;
    }

    private static IEnumerable<string> Columns(ResourceChange change) => change.Values.All.Select(entry => entry.Field.Column).Order(StringComparer.Ordinal);

    private static string Sql(Resource resource, string[] columns) => $"""
        UPDATE {resource.Table} AS t SET {string.Concat(columns.Select(column => $"{column} = given.{column}, "))}version = t.version + 1
        FROM (SELECT r.* FROM jsonb_array_elements($2) WITH ORDINALITY AS element (row, place), LATERAL jsonb_populate_record(NULL::public.{resource.Table}, element.row) AS r ORDER BY element.place) AS given
        WHERE {ResourceSql.Of(resource).OfTenant} AND t.{resource.KeyColumn} = given.{resource.KeyColumn} RETURNING {ResourceSql.Of(resource).Returned}
        """;
}
