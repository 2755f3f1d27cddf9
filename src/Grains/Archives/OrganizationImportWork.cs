using System.Text.Json;
using System.Text.Json.Nodes;
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
/// Rows are taken as they are, without triggers; afterwards every reference is checked to stay within the organization, whatever the archive claims.
/// </summary>
internal sealed class OrganizationImportWork(EngineDataSource database, FileStore files) : IJobWork
{
    public const string WorkName = "organization_import";

    /// <summary>Rows of one statement.</summary>
    public const int BatchRows = 500;

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        if (run.Job.UserId is not { } importer)
        {
            throw new JobFailedException("The member on whose behalf it runs is gone.");
        }
        var tenant = new Tenant(run.Job.OrganizationId, importer);
        await using var archive = await ArchiveReader.Open(files, tenant, run.Payload<OrganizationImportOrder>().FileId, cancellationToken).ConfigureAwait(false);
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.Read(connection, cancellationToken).ConfigureAwait(false);
        var ids = new ArchiveIds(run.Job.Id);
        var restore = new Restore(run.Job.OrganizationId, importer, archive, connection, transaction, catalog, ids);
        ids.Know(archive.Manifest.OrganizationId.ToString(), run.Job.OrganizationId);
        restore = restore with { Joined = await Members(restore, cancellationToken).ConfigureAwait(false) };
        var tables = ArchiveRules.Imported(catalog).Where(table => archive.Has(table.Name)).ToArray();
        await ChooseIds(restore, tables, cancellationToken).ConfigureAwait(false);
        await ChooseFileIds(restore, cancellationToken).ConfigureAwait(false);
        await using (var begin = new NpgsqlCommand("SELECT begin_restore() FROM tell_nothing_live()", connection, transaction))
        {
            if (await begin.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
            {
                throw new JobFailedException("This installation's database does not let organizations be imported: an administrator has to run GRANT SET ON PARAMETER session_replication_role TO agentplatform_migrator.");
            }
        }
        long rows = 0;
        int contents;
        try
        {
            await Organization(restore, cancellationToken).ConfigureAwait(false);
            foreach (var table in tables)
            {
                rows += await Rows(restore, table, cancellationToken).ConfigureAwait(false);
            }
            contents = await Contents(restore, tenant, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException refused) when (refused.SqlState.StartsWith("23", StringComparison.Ordinal) || refused.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            throw new JobFailedException($"A row of {refused.TableName ?? "the archive"} can't be taken: {(refused.ConstraintName ?? refused.MessageText).Replace('_', ' ')}. Nothing was imported.");
        }
        await Settle(restore, cancellationToken).ConfigureAwait(false);
        var cut = await CheckReferences(restore, cancellationToken).ConfigureAwait(false);
        await using (var tell = new NpgsqlCommand("SELECT pg_notify('configuration_changed', '{\"table\": null}')", connection, transaction))
        {
            await tell.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        // The job's own row: its triggers sleep in this transaction, which it can do without.
        await run.Commit(transaction, null, new JobProgress { Processed = rows, Total = rows, Succeeded = rows, Percent = 100, Phase = "importing" }, cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Serialize(new { rows, files = contents, newIds = ids.IsRenewing, cutReferences = cut }, JsonSerializerOptions.Web);
    }

    private sealed record Restore(
        Guid OrganizationId, Guid Importer, ArchiveReader Archive, NpgsqlConnection Connection, NpgsqlTransaction Transaction, TenantCatalog Catalog, ArchiveIds Ids)
    {
        /// <summary>Those of the archive's people who may be members here.</summary>
        public IReadOnlySet<string> Joined { get; init; } = new HashSet<string>();

        public NpgsqlCommand Command(string sql, params object[] values)
        {
            var command = new NpgsqlCommand(sql, Connection, Transaction);
            foreach (var value in values)
            {
                command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value });
            }
            return command;
        }
    }

    /// <summary>
    /// People are known by their e-mail address. One whom this installation doesn't know is made, without a password, which a reset gives. One who has an account here
    /// without being a member joins by invitation only: an archive can't make anybody a member.
    /// </summary>
    private static async Task<IReadOnlySet<string>> Members(Restore restore, CancellationToken cancellationToken)
    {
        var joined = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var user in restore.Archive.Rows("users", cancellationToken).ConfigureAwait(false))
        {
            if (Text(user, "id") is not { } old || !Guid.TryParseExact(old, "D", out var id) || Text(user, "email") is not { Length: > 2 and <= 254 } email || !email.Contains('@', StringComparison.Ordinal))
            {
                throw new JobFailedException("tables/users.jsonl has a row without an id or an e-mail address.");
            }
            await using var add = restore.Command(
                """
                WITH known AS (SELECT u.id FROM users u WHERE u.email = comparable_email($2)),
                made AS (
                    INSERT INTO users (id, email, first_name, last_name, full_name, avatar_url, locale)
                    SELECT CASE WHEN EXISTS (SELECT FROM users u WHERE u.id = $1) THEN gen_random_uuid() ELSE $1 END, comparable_email($2), $3, $4, $5, $6, coalesce($7, 'en') WHERE NOT EXISTS (SELECT FROM known)
                    RETURNING id)
                SELECT k.id FROM known k JOIN organization_members m ON m.user_id = k.id AND m.organization_id = $8 UNION ALL SELECT id FROM made
                """,
                id, email, Value("first_name"), Value("last_name"), Value("full_name"), Value("avatar_url"), Value("locale"), restore.OrganizationId);
            var now = await add.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) as Guid? ?? Guid.Empty;
            restore.Ids.Know(old, now);
            if (now != Guid.Empty)
            {
                joined.Add(now.ToString());
            }

            NpgsqlParameter Value(string name) => new() { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)Text(user, name) ?? DBNull.Value };
        }
        return joined;
    }

    /// <summary>Reads all rows once: whether the archive is whole, and whether its ids are free here.</summary>
    private static async Task ChooseIds(Restore restore, TenantTable[] tables, CancellationToken cancellationToken)
    {
        foreach (var table in tables.Where(table => table.Has("id") && table.Columns.First(column => column.Name == "id").Type == "uuid"))
        {
            var batch = new List<Guid>(BatchRows);
            await foreach (var row in restore.Archive.Rows(table.Name, cancellationToken).ConfigureAwait(false))
            {
                if (Text(row, "id") is not { } text || !Guid.TryParseExact(text, "D", out var id))
                {
                    throw new JobFailedException($"{Manifest.TableEntry(table.Name)} has a row without an id.");
                }
                restore.Ids.Add(text);
                batch.Add(id);
                if (batch.Count == BatchRows)
                {
                    await Look(restore, table, batch, cancellationToken).ConfigureAwait(false);
                }
            }
            await Look(restore, table, batch, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task Look(Restore restore, TenantTable table, List<Guid> batch, CancellationToken cancellationToken)
    {
        if (batch.Count > 0 && !restore.Ids.IsRenewing)
        {
            await using var look = restore.Command($"SELECT EXISTS (SELECT FROM {table.Name} WHERE id = ANY ($1))", batch.ToArray());
            restore.Ids.IsRenewing = await look.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
        }
        batch.Clear();
    }

    private static async Task Organization(Restore restore, CancellationToken cancellationToken)
    {
        await foreach (var row in restore.Archive.Rows("organizations", cancellationToken).ConfigureAwait(false))
        {
            var columns = ArchiveRules.OrganizationColumns.Where(row.ContainsKey).ToArray();
            await using var update = restore.Command(
                $"UPDATE organizations t SET {string.Join(", ", columns.Select(column => $"{column} = r.{column}"))}, version = t.version + 1 FROM jsonb_populate_record(NULL::organizations, $2) r WHERE t.id = $1",
                restore.OrganizationId, Jsonb(restore.Ids.Translate(row)!.ToJsonString()));
            if (columns.Length > 0)
            {
                await update.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task<long> Rows(Restore restore, TenantTable table, CancellationToken cancellationToken)
    {
        var leftOut = ArchiveRules.LeftOutColumns(table);
        var batch = new JsonArray();
        string[]? columns = null;
        long count = 0;
        await foreach (var row in restore.Archive.Rows(table.Name, cancellationToken).ConfigureAwait(false))
        {
            ArchiveRules.Complete(table, row);
            columns ??= [.. table.Columns.Select(column => column.Name).Where(column => row.ContainsKey(column) && !leftOut.Contains(column)), .. row.ContainsKey("organization_id") ? Array.Empty<string>() : ["organization_id"]];
            var translated = (JsonObject)restore.Ids.Translate(row)!;
            translated["organization_id"] = restore.OrganizationId.ToString();
            if (table.Name == "organization_members" && !(Text(translated, "user_id") is { } member && restore.Joined.Contains(member)))
            {
                continue;
            }
            batch.Add((JsonNode)translated);
            count++;
            if (batch.Count == BatchRows)
            {
                await Insert(restore, table, columns, batch, cancellationToken).ConfigureAwait(false);
            }
        }
        if (batch.Count > 0)
        {
            await Insert(restore, table, columns!, batch, cancellationToken).ConfigureAwait(false);
        }
        return count;
    }

    private static async Task Insert(Restore restore, TenantTable table, string[] columns, JsonArray batch, CancellationToken cancellationToken)
    {
        // The importer is a member already, and stays what he or she is.
        var conflict = table.Name == "organization_members" ? " ON CONFLICT DO NOTHING" : "";
        await using var insert = restore.Command(
            $"INSERT INTO {table.Name} ({string.Join(", ", columns)}) SELECT {string.Join(", ", columns)} FROM jsonb_populate_recordset(NULL::{table.Name}, $1){conflict}", Jsonb(batch.ToJsonString()));
        await insert.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        batch.Clear();
    }

    /// <summary>What was under way when the archive was made is the other installation's to finish: here it would happen twice.</summary>
    private static async Task Settle(Restore restore, CancellationToken cancellationToken)
    {
        foreach (var statement in new[]
        {
            "UPDATE messages SET status = 'failed', error = 'It was not sent yet when the organization was exported.' WHERE organization_id = $1 AND status IN ('pending', 'sending')",
            "UPDATE turns SET state = 'cancelled', finished_at = now(), instance_id = NULL WHERE organization_id = $1 AND state IN ('settling', 'running')",
            // Whatever the archive claims: the organization's row is none of those whose references are checked.
            "UPDATE organizations t SET default_agent_id = NULL WHERE id = $1 AND default_agent_id IS NOT NULL AND NOT EXISTS (SELECT FROM agents a WHERE a.id = t.default_agent_id AND a.organization_id = t.id)",
        })
        {
            await using var settle = restore.Command(statement, restore.OrganizationId);
            await settle.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// What a row refers to must be this organization's (or everybody's). What is not, is cut where the row can do without, else the whole import is refused.
    /// </summary>
    private static async Task<long> CheckReferences(Restore restore, CancellationToken cancellationToken)
    {
        long cut = 0;
        var imported = ArchiveRules.Imported(restore.Catalog).Select(table => table.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var reference in restore.Catalog.References.Where(reference => imported.Contains(reference.Table)))
        {
            // One row by its key for each reference, which OFFSET 0 keeps a look-up of its own: a join could read all organizations' rows, and a comparison that an index over
            // the organization serves could read all of this one's, for each reference.
            var inside = reference.Target == "users"
                ? $"SELECT FROM organization_members p WHERE p.user_id = t.{reference.Column} AND p.organization_id = $1"
                : restore.Catalog.Find(reference.Target) is not null
                    ? $"SELECT FROM {reference.Target} p WHERE p.{reference.TargetColumn} = t.{reference.Column} AND coalesce(p.organization_id, $1) = $1"
                    : $"SELECT FROM {reference.Target} p WHERE p.{reference.TargetColumn} = t.{reference.Column}";
            var condition = $"t.organization_id = $1 AND t.{reference.Column} IS NOT NULL AND NOT EXISTS ({inside} OFFSET 0)";
            // What belongs to a person who is no member here goes without; what refers to one goes on without the name.
            var isOfPerson = reference.Target == "users";
            var isRequired = restore.Catalog.Find(reference.Table)!.Columns.First(column => column.Name == reference.Column).IsRequired;
            await using var command = restore.Command(
                isRequired && isOfPerson ? $"WITH cut AS (DELETE FROM {reference.Table} t WHERE {condition} RETURNING 1) SELECT count(*) FROM cut"
                : isRequired ? $"SELECT count(*) FROM {reference.Table} t WHERE {condition}" : $"WITH cut AS (UPDATE {reference.Table} t SET {reference.Column} = NULL WHERE {condition} RETURNING 1) SELECT count(*) FROM cut",
                restore.OrganizationId);
            var found = (long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
            if (isRequired && !isOfPerson && found > 0)
            {
                throw new JobFailedException($"{found} rows of {reference.Table} refer by {reference.Column} to something that is not in the archive. Nothing was imported.");
            }
            cut += found;
        }
        return cut;
    }

    /// <summary>A file keeps its id where it is free, else it gets a new one; what refers to it finds it.</summary>
    private static async Task ChooseFileIds(Restore restore, CancellationToken cancellationToken)
    {
        await foreach (var row in restore.Archive.Rows("files", cancellationToken).ConfigureAwait(false))
        {
            if (Text(row, "id") is not { } old || !Guid.TryParseExact(old, "D", out var id))
            {
                throw new JobFailedException("tables/files.jsonl has a row without an id.");
            }
            await using var find = restore.Command("SELECT EXISTS (SELECT FROM files WHERE id = $1)", id);
            if (await find.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true)
            {
                restore.Ids.Know(old, Guid.NewGuid());
            }
        }
    }

    /// <summary>Files come with the same transaction; only their pieces are written by the engine here.</summary>
    private static async Task<int> Contents(Restore restore, Tenant tenant, CancellationToken cancellationToken)
    {
        var count = 0;
        await foreach (var row in restore.Archive.Rows("files", cancellationToken).ConfigureAwait(false))
        {
            var old = Text(row, "id")!;
            var id = Guid.Parse(restore.Ids.Of(old));
            await using (var add = restore.Command(
                "INSERT INTO files (id, organization_id, user_id, purpose, name, content_type, minimum_role) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                id, tenant.OrganizationId, restore.Importer, Text(row, "purpose") ?? "attachment", Text(row, "name") ?? "file", Text(row, "content_type") ?? "application/octet-stream", Text(row, "minimum_role") ?? "owner"))
            {
                await add.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
            long offset = 0;
            using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
            await restore.Archive.Content(old, async piece =>
            {
                if (piece.Length > 0)
                {
                    hash.AppendData(piece.Span);
                    await using var write = restore.Command("INSERT INTO file_chunks (file_id, organization_id, byte_offset, content) VALUES ($1, $2, $3, $4)", id, tenant.OrganizationId, offset, piece.ToArray());
                    await write.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                    offset += piece.Length;
                }
            }, cancellationToken).ConfigureAwait(false);
            await using var end = restore.Command("UPDATE files SET size = $2, sha256 = $3, is_complete = true WHERE id = $1", id, offset, hash.GetHashAndReset());
            await end.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            count++;
        }
        return count;
    }

    private static string? Text(JsonObject row, string member) => row[member] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static NpgsqlParameter Jsonb(string json) => new() { NpgsqlDbType = NpgsqlDbType.Jsonb, Value = json };
}
