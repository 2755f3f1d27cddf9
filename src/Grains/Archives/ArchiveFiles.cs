using System.Security.Cryptography;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Grains.Archives;

/// <summary>The files of an archive, within what an organization's files may have.</summary>
internal static class ArchiveFiles
{
    /// <summary>Writes them, piece by piece; returns how many.</summary>
    /// <exception cref="JobFailedException">One of them, or all of the organization's, would be too large.</exception>
    public static async Task<int> Write(Restore restore, FileLimits limits, CancellationToken cancellationToken)
    {
        // As whoever uploads does: what comes at once must not be more together than there is room for.
        await restore.Execute("SELECT pg_advisory_xact_lock(hashtextextended('files ' || $1::text, 0))", cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        var all = await restore.Scalar<long>("SELECT coalesce(sum(f.size), 0)::bigint FROM files f WHERE f.organization_id = $1", cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        var count = 0;
        await foreach (var row in restore.Archive.Rows("files", cancellationToken).ConfigureAwait(false))
        {
            var old = row.Id("id") ?? throw row.Refused("a file has an id.");
            var id = restore.Ids.Of(old);
            await restore.Execute(
                "INSERT INTO files (id, organization_id, user_id, purpose, name, content_type, minimum_role, required_scope) VALUES ($1, $2, (SELECT m.user_id FROM organization_members m WHERE m.organization_id = $2 AND m.user_id = $3), $4, $5, $6, $7, $8)",
                cancellationToken, id, restore.OrganizationId, restore.Importer,
                row.Text("purpose") is { } purpose && ArchiveRules.FilePurposes.Contains(purpose) ? purpose : throw row.Refused("purpose is none that a file of an archive has."),
                FileLabels.Name(row.Text("name")) ?? "file", FileLabels.MediaType(row.Text("content_type")) ?? FileLabels.NoType, row.Text("minimum_role") ?? "owner",
                new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = row.Text("required_scope") is { Length: <= FileLimits.MaxNameLength } scope ? scope : DBNull.Value }).ConfigureAwait(false);
            long offset = 0;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await restore.Archive.Content(old, async piece =>
            {
                if (offset + piece.Length > limits.MaxBytes || all + piece.Length > limits.PerOrganizationBytes)
                {
                    throw row.Refused(offset + piece.Length > limits.MaxBytes
                        ? $"a file may have {limits.MaxBytes} bytes (FILE_MAX_BYTES)."
                        : $"the organization's files would have more than {limits.PerOrganizationBytes} bytes (FILES_PER_ORGANIZATION_BYTES).");
                }
                if (piece.Length > 0)
                {
                    hash.AppendData(piece.Span);
                    await restore.Execute(
                        "INSERT INTO file_chunks (file_id, organization_id, byte_offset, content) VALUES ($1, $2, $3, $4)", cancellationToken, id, restore.OrganizationId, offset, piece).ConfigureAwait(false);
                    offset += piece.Length;
                    all += piece.Length;
                }
            }, cancellationToken).ConfigureAwait(false);
            await restore.Execute("UPDATE files SET size = $2, sha256 = $3, is_complete = true WHERE id = $1", cancellationToken, id, offset, hash.GetHashAndReset()).ConfigureAwait(false);
            count++;
        }
        return count;
    }
}
