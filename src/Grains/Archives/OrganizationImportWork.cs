using System.Text.Json;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Grains.Archives;

/// <summary>What to import: an archive that was uploaded.</summary>
internal sealed record OrganizationImportOrder(Guid FileId);

/// <summary>
/// Brings the rows of an archive into the organization that asked for it. All of it is one transaction: a run that breaks off leaves nothing, and nobody sees a part.
/// An archive may have been made by anybody to any end. Rows come in without the triggers by which one thing leads to another, but are held to all that holds for a row as such: the API's own
/// rules for what people give (<see cref="IRowRules"/>), the database's checks, and the triggers that are always awake.
/// </summary>
internal sealed class OrganizationImportWork(
    EngineDataSource database, FileStore files, FileLimits fileLimits, ArchiveLimits limits, IEnumerable<IRowRules> apiRules, TimeProvider clock) : IJobWork
{
    public const string WorkName = "organization_import";

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        if (run.Job.UserId is not { } importer)
        {
            throw new JobFailedException("The member on whose behalf it runs is gone.");
        }
        // Only owners' jobs run it, whoever uploaded the archive.
        var tenant = new Tenant(run.Job.OrganizationId, importer, "owner");
        await using var archive = await ArchiveReader.Open(files, tenant, run.Payload<OrganizationImportOrder>().FileId, limits, cancellationToken).ConfigureAwait(false);
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.Read(connection, cancellationToken).ConfigureAwait(false);
        var restore = new Restore(run.Job.OrganizationId, importer, run.Job.Id, archive, connection, transaction, catalog, new ArchiveIds(clock.GetUtcNow()));
        try
        {
            var brought = await Bring(restore, cancellationToken).ConfigureAwait(false);
            await Log(restore, run.Job, brought, cancellationToken).ConfigureAwait(false);
            // What its sleeping triggers would have told: of this organization, not that anything may have changed anywhere.
            await restore.Execute(
                "SELECT pg_notify('configuration_changed', jsonb_build_object('table', changed, 'organizationId', $1, 'id', CASE WHEN changed = 'organizations' THEN $1 END)::text) FROM unnest($2) changed", cancellationToken,
                restore.OrganizationId, catalog.Tables.Where(table => table.IsConfiguration).Select(table => table.Name).Append("organizations").ToArray()).ConfigureAwait(false);
            // The job's own row: its triggers sleep in this transaction, which it can do without.
            await run.Commit(
                transaction, null, new JobProgress { Processed = brought.Rows, Total = brought.Rows, Succeeded = brought.Rows, Percent = 100, Phase = "importing" }, cancellationToken).ConfigureAwait(false);
            return JsonSerializer.Serialize(brought, JsonSerializerOptions.Web);
        }
        catch (PostgresException refused) when (IsAboutRow(refused))
        {
            throw new JobFailedException($"A row of {refused.TableName ?? "the archive"} can't be taken: {Reason(refused)} Nothing was imported.");
        }
        catch (Exception failure) when (failure is InvalidDataException or EndOfStreamException)
        {
            throw new JobFailedException("The archive is damaged, or is gone. Nothing was imported.");
        }
    }

    /// <summary>What came of it, for the job's result and the audit log.</summary>
    private sealed record Brought(long Rows, int Files, long CutReferences, int Invited, int NotInvited);

    /// <summary>A value that doesn't fit, a rule that doesn't hold, or a text that no index takes.</summary>
    private static bool IsAboutRow(PostgresException refused) => refused.SqlState[..2] is "22" or "23" or "54";

    /// <summary>A trigger says it in a sentence; a constraint's name is one.</summary>
    private static string Reason(PostgresException refused) =>
        refused.Routine == "exec_stmt_raise" || refused.ConstraintName is null ? refused.MessageText.TrimEnd('.') + "." : refused.ConstraintName.Replace('_', ' ') + ".";

    private async Task<Brought> Bring(Restore restore, CancellationToken cancellationToken)
    {
        var rules = apiRules.Single();
        var tables = ArchiveRules.Imported(restore.Catalog).Where(table => restore.Archive.Has(table.Name)).ToArray();
        restore.Ids.Know(restore.Archive.Manifest.OrganizationId, restore.OrganizationId);
        var strangers = await ArchivePeople.Recognise(restore, rules.Of("invitations")["email"], cancellationToken).ConfigureAwait(false);
        await LearnIds(restore, tables, cancellationToken).ConfigureAwait(false);
        if (!await restore.Scalar<bool>("SELECT begin_restore() FROM tell_nothing_live()", cancellationToken).ConfigureAwait(false))
        {
            throw new JobFailedException("This installation's database does not let organizations be imported: an administrator has to run GRANT SET ON PARAMETER session_replication_role TO agentplatform_migrator.");
        }
        restore.Archive.Rewind();
        await Organization(restore, rules, cancellationToken).ConfigureAwait(false);
        long rows = 0;
        foreach (var table in tables)
        {
            rows += await Rows(restore, table, rules, cancellationToken).ConfigureAwait(false);
        }
        var contents = await ArchiveFiles.Write(restore, fileLimits, cancellationToken).ConfigureAwait(false);
        await NameActors(restore, strangers, cancellationToken).ConfigureAwait(false);
        var cut = await ArchiveReferences.Check(restore, cancellationToken).ConfigureAwait(false);
        await ArchiveSettling.Settle(restore, cancellationToken).ConfigureAwait(false);
        await ArchiveBounds.Check(restore, tables, cancellationToken).ConfigureAwait(false);
        var (invited, notInvited) = await ArchivePeople.Invite(restore, strangers, limits, clock, cancellationToken).ConfigureAwait(false);
        // Rules that look at several rows, now that all are in.
        await restore.Execute("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken).ConfigureAwait(false);
        return new Brought(rows, contents, cut, invited, notInvited);
    }

    /// <summary>Reads all rows once: whether the archive is whole, and which ids it has. What is everybody's keeps its id, and stays as it is.</summary>
    private static async Task LearnIds(Restore restore, TenantTable[] tables, CancellationToken cancellationToken)
    {
        foreach (var table in tables.Where(table => table.Columns.Any(column => column is { Name: "organization_id", IsRequired: false })))
        {
            await using var shared = restore.Command($"SELECT s.id FROM {table.Name} s WHERE s.organization_id IS NULL FOR KEY SHARE");
            await using var rows = await shared.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                restore.Ids.Know(rows.GetGuid(0), rows.GetGuid(0));
            }
        }
        foreach (var table in tables.Select(table => table.Name).Append("files"))
        {
            var hasIds = table == "files" || restore.Catalog.Find(table)!.Columns.Any(column => column is { Name: "id", Type: "uuid" });
            await foreach (var id in restore.Archive.Ids(table, cancellationToken).ConfigureAwait(false))
            {
                if (hasIds && (id is not { } own || !restore.Ids.TryAdd(own)))
                {
                    throw new JobFailedException($"{Manifest.TableEntry(table)} has a row without an id of its own. Nothing was imported.");
                }
            }
        }
    }

    private static async Task Organization(Restore restore, IRowRules rules, CancellationToken cancellationToken)
    {
        await foreach (var row in restore.Archive.Rows("organizations", cancellationToken).ConfigureAwait(false))
        {
            if (row.Line > 1)
            {
                throw row.Refused("an archive has one organization.");
            }
            using var writer = new ArchiveTableWriter(
                [.. restore.Catalog.Organization.Where(column => ArchiveRules.OrganizationColumns.Contains(column.Name))], rules.Of("organizations"), restore.Ids);
            writer.Add(row);
            if (writer.Columns.Count > 0)
            {
                await restore.Execute(
                    $"UPDATE organizations t SET {string.Join(", ", writer.Columns.Select(column => $"{column.Name} = r.{column.Name}"))}, version = t.version + 1 FROM jsonb_populate_recordset(NULL::organizations, $2) r WHERE t.id = $1",
                    cancellationToken, restore.OrganizationId, Jsonb(writer.Taken())).ConfigureAwait(false);
            }
        }
    }

    private static async Task<long> Rows(Restore restore, TenantTable table, IRowRules rules, CancellationToken cancellationToken)
    {
        using var writer = new ArchiveTableWriter(ArchiveRules.TakenColumns(table), rules.Of(table.Name), restore.Ids);
        long count = 0;
        await foreach (var row in restore.Archive.Rows(table.Name, cancellationToken).ConfigureAwait(false))
        {
            writer.Add(row);
            count++;
            if (writer.IsFull)
            {
                await Insert(restore, table, writer, cancellationToken).ConfigureAwait(false);
            }
        }
        if (writer.Count > 0)
        {
            await Insert(restore, table, writer, cancellationToken).ConfigureAwait(false);
        }
        return count;
    }

    private static async Task Insert(Restore restore, TenantTable table, ArchiveTableWriter writer, CancellationToken cancellationToken)
    {
        var columns = string.Concat(writer.Columns.Select(column => $", {column.Name}"));
        var (mark, job) = table.Has(ArchiveRules.Mark) ? ($", {ArchiveRules.Mark}", ", $3") : ("", "");
        await restore.Execute(
            $"INSERT INTO {table.Name} (organization_id{mark}{columns}) SELECT $2{job}{columns} FROM jsonb_populate_recordset(NULL::{table.Name}, $1) WHERE $3 IS NOT NULL",
            cancellationToken, Jsonb(writer.Taken()), restore.OrganizationId, restore.JobId).ConfigureAwait(false);
        writer.Clear();
    }

    /// <summary>
    /// The audit log of an archive is the archive's word: each row names the import that brought it, and who acted as the archive tells it, never a member of this organization.
    /// </summary>
    private static async Task NameActors(Restore restore, IReadOnlyDictionary<Guid, string> strangers, CancellationToken cancellationToken)
    {
        await restore.Execute(
            """
            UPDATE activity_logs t SET user_id = NULL, imported_actor = coalesce(
                (SELECT u.email FROM users u JOIN organization_members m ON m.user_id = u.id AND m.organization_id = $1 WHERE u.id = t.user_id),
                (SELECT s.email FROM unnest($3::uuid[], $4::text[]) AS s (id, email) WHERE s.id = t.user_id), left(t.imported_actor, 254))
            WHERE t.organization_id = $1 AND t.imported_in = $2
            """,
            cancellationToken, restore.OrganizationId, restore.JobId, strangers.Keys.Select(restore.Ids.Of).ToArray(), strangers.Values.ToArray()).ConfigureAwait(false);
    }

    private async Task Log(Restore restore, Job job, Brought brought, CancellationToken cancellationToken)
    {
        var manifest = restore.Archive.Manifest;
        await restore.Execute(
            """
            INSERT INTO activity_logs (id, organization_id, user_id, action_type, entity_type, entity_id, after, ip_address, user_agent, api_key_id)
            VALUES ($1, $2, $3, 'organization.imported', 'organization', $2, $4, $5, $6, $7)
            """,
            cancellationToken, Uuid.New(clock), restore.OrganizationId, restore.Importer,
            Jsonb(JsonSerializer.SerializeToUtf8Bytes(new { brought.Rows, brought.Files, brought.CutReferences, brought.Invited, brought.NotInvited, restore.JobId, archiveOf = manifest.OrganizationId, archiveMadeAt = manifest.CreatedAt }, JsonSerializerOptions.Web)),
            new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Inet, Value = (object?)job.IpAddress ?? DBNull.Value },
            new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)job.UserAgent ?? DBNull.Value },
            new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Uuid, Value = (object?)job.ApiKeyId ?? DBNull.Value }).ConfigureAwait(false);
    }

    private static NpgsqlParameter Jsonb(ReadOnlyMemory<byte> json) => new() { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = json };
}
