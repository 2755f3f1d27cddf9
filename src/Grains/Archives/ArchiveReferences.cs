using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// What a row refers to must be this organization's, or everybody's: foreign keys sleep while an archive comes in, and some references have none. Other organizations' rows are
/// out of reach already (<see cref="ArchiveIds"/>); what is left are references to what the archive doesn't bring.
/// </summary>
internal static class ArchiveReferences
{
    /// <summary>References that no foreign key covers. A test holds that every id in a tenant's table is covered by a foreign key, one of these, or <see cref="Loose"/>.</summary>
    public static readonly IReadOnlyList<TenantReference> Unkeyed =
    [
        new("messages", "channel_id", "channels", "id", false),
        new("messages", "contact_id", "contacts", "id", false),
        new("messages", "turn_id", "turns", "id", true),
        new("messages", "sender_id", "users", "id", true),
        new("client_status_history", "changed_by_id", "users", "id", true),
    ];

    /// <summary>Ids (<c>table.column</c>) that may name rows of many kinds, or rows that are gone, and from which nothing follows but what people read.</summary>
    public static readonly IReadOnlySet<string> Loose = new HashSet<string>(StringComparer.Ordinal)
    {
        "activity_logs.entity_id", "notifications.entity_id", "conversation_merges.merged_id",
    };

    /// <summary>Lists of members, <c>table.column</c>.</summary>
    public static readonly IReadOnlyList<(string Table, string Column)> MemberLists = [("notes", "mentions")];

    /// <summary>Cuts what leads nowhere, where the row can do without; what belongs to a person who is no member goes. Returns how many.</summary>
    /// <exception cref="JobFailedException">A row can't do without.</exception>
    public static async Task<long> Check(Restore restore, CancellationToken cancellationToken)
    {
        long cut = 0;
        var imported = ArchiveRules.Imported(restore.Catalog).Select(table => table.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var reference in restore.Catalog.References.Concat(Unkeyed).Where(reference => imported.Contains(reference.Table)))
        {
            cut += await Check(restore, reference, cancellationToken).ConfigureAwait(false);
        }
        foreach (var (table, column) in MemberLists)
        {
            cut += await restore.Execute(
                $"""
                UPDATE {table} t SET {column} = ARRAY(SELECT u.id FROM unnest(t.{column}) WITH ORDINALITY u (id, place)
                    WHERE EXISTS (SELECT FROM organization_members p WHERE p.user_id = u.id AND p.organization_id = $1) ORDER BY u.place)
                WHERE t.organization_id = $1 AND cardinality(t.{column}) > 0 AND {Restore.CameIn}
                """,
                cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        }
        return cut;
    }

    private static async Task<long> Check(Restore restore, TenantReference reference, CancellationToken cancellationToken)
    {
        // One row by its key for each reference, which OFFSET 0 keeps a look-up of its own: a join could read all organizations' rows, and a comparison that an index over
        // the organization serves could read all of this one's, for each reference.
        var isOfPerson = reference.Target is "users" or "organization_members";
        var inside = isOfPerson
            ? $"SELECT FROM organization_members p WHERE p.user_id = t.{reference.Column} AND p.organization_id = $1"
            : restore.Catalog.Find(reference.Target) is not null
                ? $"SELECT FROM {reference.Target} p WHERE p.{reference.TargetColumn} = t.{reference.Column} AND coalesce(p.organization_id, $1) = $1"
                : $"SELECT FROM {reference.Target} p WHERE p.{reference.TargetColumn} = t.{reference.Column}";
        var condition = $"t.organization_id = $1 AND {Restore.CameIn} AND t.{reference.Column} IS NOT NULL AND NOT EXISTS ({inside} OFFSET 0)";
        var isRequired = restore.Catalog.Find(reference.Table)!.Columns.First(column => column.Name == reference.Column).IsRequired;
        if (!isRequired || isOfPerson)
        {
            // What refers to a person who is no member here goes on without the name; what is that person's own goes.
            return await restore.Execute(
                isRequired ? $"DELETE FROM {reference.Table} t WHERE {condition}" : $"UPDATE {reference.Table} t SET {reference.Column} = NULL WHERE {condition}",
                cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        }
        var found = await restore.Scalar<long>($"SELECT count(*) FROM {reference.Table} t WHERE {condition}", cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        return found == 0 ? 0 : throw new JobFailedException($"{found} rows of {reference.Table} refer by {reference.Column} to something that is not in the archive. Nothing was imported.");
    }
}
