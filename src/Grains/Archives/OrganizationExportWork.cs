using System.Data;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// Everything of an organization as a zip: JSON lines for each table, the files, and a manifest with counts and checksums. Read in one snapshot, so that all of it
/// fits together; written as it is read, so that its size doesn't matter. A run that breaks off begins again.
/// </summary>
internal sealed class OrganizationExportWork(EngineDataSource database, ApiDataSource tenants, FileStore files, FileLimits limits, TimeProvider clock) : IJobWork
{
    public const string WorkName = "organization_export";

    /// <summary>Rows between two looks at the lease.</summary>
    private const int RowsBetweenCommits = 5000;

    public string Name => WorkName;

    public async Task<string?> Run(JobRun run, CancellationToken cancellationToken)
    {
        var tenant = new Tenant(run.Job.OrganizationId, run.Job.UserId);
        var file = await Begin(run, tenant, cancellationToken).ConfigureAwait(false);
        await using var sink = new FileSink(files, tenants, tenant, file);
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
        await using (var settings = new NpgsqlCommand("SET TRANSACTION READ ONLY; SET LOCAL TimeZone = 'UTC'", connection, snapshot))
        {
            await settings.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        var catalog = await TenantCatalog.Read(connection, cancellationToken).ConfigureAwait(false);
        var manifest = new Manifest
        {
            Format = ArchiveRules.Format,
            OrganizationId = run.Job.OrganizationId,
            CreatedAt = clock.GetUtcNow(),
            Tables = new(StringComparer.Ordinal),
            Files = [],
            LeftOut = [.. catalog.Tables.Except(ArchiveRules.Tables(catalog)).Select(table => table.Name).Concat(
                ArchiveRules.Tables(catalog).SelectMany(table => ArchiveRules.LeftOutColumns(table).Select(column => $"{table.Name}.{column}"))).Order(StringComparer.Ordinal)],
        };
        using (var zip = new ZipArchive(sink, ZipArchiveMode.Create, leaveOpen: true))
        {
            var context = new Export(run, tenant, connection, snapshot, zip, sink);
            await Rows(
                context, manifest, "organizations",
                $"SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(t)) WHERE key = ANY ('{{{string.Join(',', ArchiveRules.OrganizationColumns)}}}'))::text FROM organizations t WHERE t.id = $1", cancellationToken).ConfigureAwait(false);
            await Rows(
                context, manifest, "users",
                $"SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(to_jsonb(t)) WHERE key = ANY ('{{{string.Join(',', ArchiveRules.UserColumns)}}}'))::text FROM users t JOIN organization_members m ON m.user_id = t.id WHERE m.organization_id = $1 ORDER BY t.id", cancellationToken).ConfigureAwait(false);
            foreach (var table in ArchiveRules.Tables(catalog))
            {
                await Rows(
                    context, manifest, table.Name,
                    $"SELECT (to_jsonb(t) - '{{{string.Join(',', ArchiveRules.LeftOutColumns(table))}}}'::text[])::text FROM {table.Name} t WHERE t.organization_id = $1 AND {ArchiveRules.Rows(table) ?? "true"} ORDER BY {string.Join(", ", table.Key)}", cancellationToken).ConfigureAwait(false);
            }
            await Contents(context, manifest, cancellationToken).ConfigureAwait(false);
            using var entry = zip.CreateEntry(Manifest.EntryName).Open();
            entry.Write(JsonSerializer.SerializeToUtf8Bytes(manifest, JsonSerializerOptions.Web));
        }
        var size = await sink.Complete(cancellationToken).ConfigureAwait(false);
        return JsonSerializer.Serialize(new { fileId = file, size, rows = manifest.Tables.Values.Sum(table => table.Count), files = manifest.Files.Count }, JsonSerializerOptions.Web);
    }

    private sealed record Export(JobRun Run, Tenant Tenant, NpgsqlConnection Connection, NpgsqlTransaction Snapshot, ZipArchive Zip, FileSink Sink);

    private async Task<Guid> Begin(JobRun run, Tenant tenant, CancellationToken cancellationToken)
    {
        await using var session = await TenantSession.OpenAsync(tenants, tenant, cancellationToken).ConfigureAwait(false);
        await session.ExecuteAsync("DELETE FROM files WHERE organization_id = $1 AND job_id = $2", cancellationToken, tenant.OrganizationId, run.Job.Id).ConfigureAwait(false);
        var file = await files.Create(session, tenant, new NewFile
        {
            Purpose = "archive",
            Name = "organization.zip",
            ContentType = "application/zip",
            JobId = run.Job.Id,
            MinimumRole = "owner",
            RequiredScope = NewFile.PersonOnly,
            ExpiresAt = clock.GetUtcNow() + limits.ExportLife,
        }, cancellationToken).ConfigureAwait(false);
        await run.Commit(session, null, new JobProgress { Phase = "exporting" }, cancellationToken).ConfigureAwait(false);
        return file;
    }

    private async Task Rows(Export export, Manifest manifest, string table, string sql, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long count = 0;
        using (var entry = export.Zip.CreateEntry(Manifest.TableEntry(table)).Open())
        {
            await using var command = new NpgsqlCommand(sql, export.Connection, export.Snapshot) { Parameters = { new() { Value = export.Tenant.OrganizationId } } };
            await using var rows = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                var line = Encoding.UTF8.GetBytes(rows.GetString(0) + "\n");
                hash.AppendData(line);
                entry.Write(line);
                await export.Sink.Drain(cancellationToken).ConfigureAwait(false);
                if (++count % RowsBetweenCommits == 0)
                {
                    await Tell(export, RowsBetweenCommits, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        manifest.Tables[table] = new(count, Convert.ToHexStringLower(hash.GetHashAndReset()));
        await Tell(export, count % RowsBetweenCommits, cancellationToken).ConfigureAwait(false);
    }

    private async Task Contents(Export export, Manifest manifest, CancellationToken cancellationToken)
    {
        var found = new List<(Guid Id, string Row)>();
        await using (var command = new NpgsqlCommand(
            "SELECT t.id, jsonb_build_object('id', t.id, 'purpose', t.purpose, 'name', t.name, 'content_type', t.content_type, 'minimum_role', t.minimum_role, 'required_scope', t.required_scope)::text FROM files t WHERE t.organization_id = $1 AND t.is_complete AND t.purpose = ANY ($2) ORDER BY t.id", export.Connection, export.Snapshot))
        {
            command.Parameters.Add(new() { Value = export.Tenant.OrganizationId });
            command.Parameters.Add(new() { Value = ArchiveRules.FilePurposes });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            while (await rows.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                found.Add((rows.GetGuid(0), rows.GetString(1)));
            }
        }
        using var listed = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var list = export.Zip.CreateEntry(Manifest.TableEntry("files")).Open())
        {
            foreach (var (_, row) in found)
            {
                var line = Encoding.UTF8.GetBytes(row + "\n");
                listed.AppendData(line);
                list.Write(line);
            }
        }
        manifest.Tables["files"] = new(found.Count, Convert.ToHexStringLower(listed.GetHashAndReset()));
        foreach (var (id, _) in found)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var entry = export.Zip.CreateEntry(Manifest.FileEntry(id.ToString())).Open();
            var reader = new FileReader(files, export.Tenant, id, 0);
            while (await reader.Next(cancellationToken).ConfigureAwait(false) is { Length: > 0 } piece)
            {
                hash.AppendData(piece.Span);
                entry.Write(piece.Span);
                await export.Sink.Drain(cancellationToken).ConfigureAwait(false);
            }
            manifest.Files[id] = new(reader.Offset, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
    }

    /// <summary>Tells the progress, and notices a cancellation.</summary>
    private async Task Tell(Export export, long rows, CancellationToken cancellationToken)
    {
        await using var session = await TenantSession.OpenAsync(tenants, export.Tenant, cancellationToken).ConfigureAwait(false);
        var processed = export.Run.Progress.Processed + rows;
        await export.Run.Commit(session, null, export.Run.Progress with { Processed = processed, Succeeded = processed }, cancellationToken).ConfigureAwait(false);
    }
}
