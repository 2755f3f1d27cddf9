using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Archives;

/// <summary>What processes hold in memory for an organization may be only so much, whichever way it came: others have to live beside it.</summary>
internal static class ArchiveBounds
{
    /// <summary>Their changes are told, but their contents stay in the database.</summary>
    private static readonly HashSet<string> NotHeld = new(StringComparer.Ordinal) { "knowledge_articles", "knowledge_sources" };

    /// <exception cref="JobFailedException">It is more.</exception>
    public static async Task Check(Restore restore, IEnumerable<TenantTable> tables, CancellationToken cancellationToken)
    {
        foreach (var table in tables.Where(table => table.IsConfiguration && !NotHeld.Contains(table.Name)))
        {
            await using var measure = restore.Command($"SELECT count(*), coalesce(sum(octet_length(t::text)), 0)::bigint FROM {table.Name} t WHERE t.organization_id = $1", restore.OrganizationId);
            await using var row = await measure.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await row.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (row.GetInt64(0) > ArchiveLimits.MaxConfigurationRows || row.GetInt64(1) > ArchiveLimits.MaxConfigurationBytes)
            {
                throw new JobFailedException(
                    $"The organization would have {row.GetInt64(0)} rows of {table.Name} with {row.GetInt64(1)} bytes; {ArchiveLimits.MaxConfigurationRows} and {ArchiveLimits.MaxConfigurationBytes} are the most. Nothing was imported.");
            }
        }
        foreach (var table in (string[])["contact_identities", "former_identities"])
        {
            var most = await restore.Scalar<long>(
                $"SELECT coalesce(max(n.names), 0) FROM (SELECT count(*) AS names FROM {table} t WHERE t.organization_id = $1 GROUP BY t.contact_id) n", cancellationToken, restore.OrganizationId).ConfigureAwait(false);
            if (most > ArchiveLimits.MaxNames)
            {
                throw new JobFailedException($"A contact has {most} rows of {table}; {ArchiveLimits.MaxNames} are the most. Nothing was imported.");
            }
        }
    }
}
