using System.Security.Cryptography;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace AgentPlatform.Data.Files;

/// <summary>Limits of stored files. Each has a setting of its name.</summary>
public sealed record FileLimits
{
    /// <summary>Longest name, and longest content type, in characters.</summary>
    public const int MaxNameLength = 255;

    /// <summary>Largest uploaded file in bytes (setting <c>FILE_MAX_BYTES</c>, default 256 MiB).</summary>
    public long MaxBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>All files of one organization in bytes (setting <c>FILES_PER_ORGANIZATION_BYTES</c>, default 4 GiB); beyond it, uploads are refused.</summary>
    public long PerOrganizationBytes { get; init; } = 4L * 1024 * 1024 * 1024;

    /// <summary>How long an uploaded file is kept (setting <c>UPLOAD_HOURS</c>, default 168).</summary>
    public TimeSpan UploadLife { get; init; } = TimeSpan.FromHours(168);

    /// <summary>How long the result of an export can be downloaded (setting <c>EXPORT_HOURS</c>, default 24).</summary>
    public TimeSpan ExportLife { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the content of an upload may take to come; what isn't complete by then is forgotten.</summary>
    public static readonly TimeSpan ReceptionLife = TimeSpan.FromHours(1);

    /// <summary>Reads the settings.</summary>
    public static FileLimits From(IConfiguration configuration)
    {
        var defaults = new FileLimits();
        return new()
        {
            MaxBytes = configuration.Setting("FILE_MAX_BYTES", defaults.MaxBytes),
            PerOrganizationBytes = configuration.Setting("FILES_PER_ORGANIZATION_BYTES", defaults.PerOrganizationBytes),
            UploadLife = TimeSpan.FromHours(configuration.Setting("UPLOAD_HOURS", defaults.UploadLife.TotalHours)),
            ExportLife = TimeSpan.FromHours(configuration.Setting("EXPORT_HOURS", defaults.ExportLife.TotalHours)),
        };
    }
}

/// <summary>What a new file is.</summary>
public sealed record NewFile
{
    /// <summary>What it is for, see <c>file_purpose_is_known</c>.</summary>
    public required string Purpose { get; init; }

    public required string Name { get; init; }

    public required string ContentType { get; init; }

    /// <summary>The job that makes it.</summary>
    public Guid? JobId { get; init; }

    /// <summary>The lowest role that may read the content.</summary>
    public string MinimumRole { get; init; } = "member";

    /// <summary>What an API key must be allowed besides to read the content, such as <c>clients:read</c>; <see cref="PersonOnly"/> for no key at all, null for no more.</summary>
    public string? RequiredScope { get; init; }

    /// <summary>No key has this scope.</summary>
    public const string PersonOnly = "person";

    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>Files in pieces in Postgres, each transaction bound to its organization.</summary>
public sealed class FileStore(ApiDataSource database, TimeProvider clock)
{
    /// <summary>Size of a piece in bytes.</summary>
    public const int ChunkBytes = 256 * 1024;

    /// <summary>Adds an empty file.</summary>
    public async Task<Guid> Create(TenantSession session, Tenant tenant, NewFile file, CancellationToken cancellationToken)
    {
        var id = Uuid.New(clock);
        await session.ExecuteAsync(
            """
            INSERT INTO files (id, organization_id, user_id, job_id, purpose, name, content_type, minimum_role, expires_at, required_scope, api_key_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            cancellationToken, id, tenant.OrganizationId,
            new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid, Value = (object?)tenant.UserId ?? DBNull.Value },
            new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid, Value = (object?)file.JobId ?? DBNull.Value },
            file.Purpose, file.Name, file.ContentType, file.MinimumRole,
            new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz, Value = (object?)file.ExpiresAt ?? DBNull.Value },
            new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text, Value = (object?)file.RequiredScope ?? DBNull.Value },
            new NpgsqlParameter { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid, Value = (object?)tenant.ApiKeyId ?? DBNull.Value }).ConfigureAwait(false);
        return id;
    }

    /// <summary>Writes a piece at an offset; one that is there already is replaced.</summary>
    public static Task Write(TenantSession session, Guid organizationId, Guid fileId, long offset, byte[] content, CancellationToken cancellationToken) =>
        session.ExecuteAsync(
            """
            INSERT INTO file_chunks (file_id, organization_id, byte_offset, content) VALUES ($1, $2, $3, $4)
            ON CONFLICT (file_id, byte_offset) DO UPDATE SET content = excluded.content
            """,
            cancellationToken, fileId, organizationId, offset, content);

    /// <summary>Ends a file: its size and checksum are those of its pieces, which are read once more.</summary>
    public async Task<long> Complete(Tenant tenant, Guid fileId, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var reader = new FileReader(this, tenant, fileId, 0);
        while (await reader.Next(cancellationToken).ConfigureAwait(false) is { Length: > 0 } piece)
        {
            hash.AppendData(piece.Span);
        }
        await Complete(tenant, fileId, reader.Offset, hash.GetHashAndReset(), cancellationToken).ConfigureAwait(false);
        return reader.Offset;
    }

    /// <summary>Ends a file whose size and checksum are known.</summary>
    public async Task Complete(Tenant tenant, Guid fileId, long size, byte[] checksum, CancellationToken cancellationToken)
    {
        await using var session = await TenantSession.OpenAsync(database, tenant, cancellationToken).ConfigureAwait(false);
        await Complete(session, tenant.OrganizationId, fileId, size, checksum, cancellationToken).ConfigureAwait(false);
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same in a transaction of the caller's.</summary>
    public static Task Complete(TenantSession session, Guid organizationId, Guid fileId, long size, byte[] checksum, CancellationToken cancellationToken) => session.ExecuteAsync(
        "UPDATE files SET size = $3, sha256 = $4, is_complete = true, version = version + 1 WHERE organization_id = $1 AND id = $2", cancellationToken, organizationId, fileId, size, checksum);

    /// <summary>A complete file that hasn't expired: its size. Null where there is none.</summary>
    public async Task<long?> Find(Tenant tenant, Guid fileId, CancellationToken cancellationToken)
    {
        await using var row = await TenantSession.ReadAsync(
            database, tenant, "SELECT size FROM files WHERE organization_id = $1 AND id = $2 AND is_complete AND (expires_at IS NULL OR expires_at > $3)", cancellationToken,
            tenant.OrganizationId, fileId, clock.GetUtcNow()).ConfigureAwait(false);
        return await row.ReadAsync(cancellationToken).ConfigureAwait(false) ? row.GetInt64(0) : null;
    }

    /// <summary>The media type of a complete file, as it was said when it came; null where there is no such file.</summary>
    public async Task<string?> ContentType(Tenant tenant, Guid fileId, CancellationToken cancellationToken)
    {
        await using var row = await TenantSession.ReadAsync(
            database, tenant, "SELECT content_type FROM files WHERE organization_id = $1 AND id = $2 AND is_complete AND (expires_at IS NULL OR expires_at > $3)", cancellationToken,
            tenant.OrganizationId, fileId, clock.GetUtcNow()).ConfigureAwait(false);
        return await row.ReadAsync(cancellationToken).ConfigureAwait(false) ? row.GetString(0) : null;
    }

    /// <summary>The piece that holds an offset, cut so that it begins there; empty at the end.</summary>
    public async Task<ReadOnlyMemory<byte>> Read(Tenant tenant, Guid fileId, long offset, CancellationToken cancellationToken)
    {
        await using var row = await TenantSession.ReadAsync(
            database, tenant,
            "SELECT byte_offset, content FROM file_chunks WHERE file_id = $1 AND organization_id = $2 AND byte_offset <= $3 ORDER BY byte_offset DESC LIMIT 1", cancellationToken,
            fileId, tenant.OrganizationId, offset).ConfigureAwait(false);
        if (!await row.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            return default;
        }
        var skipped = offset - row.GetInt64(0);
        var content = row.GetFieldValue<byte[]>(1);
        return skipped >= content.Length ? default : content.AsMemory((int)skipped);
    }
}

/// <summary>Reads a file from an offset on, piece by piece.</summary>
public sealed class FileReader(FileStore store, Tenant tenant, Guid fileId, long offset)
{
    /// <summary>Where the next piece begins.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>The next bytes; empty at the end.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> Next(CancellationToken cancellationToken)
    {
        var piece = await store.Read(tenant, fileId, Offset, cancellationToken).ConfigureAwait(false);
        Offset += piece.Length;
        return piece;
    }

    /// <summary>Goes on from another place.</summary>
    public void Seek(long to) => Offset = to;
}
