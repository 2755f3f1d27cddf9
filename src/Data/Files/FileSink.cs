using System.Security.Cryptography;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Data.Files;

/// <summary>
/// A stored file as a stream to write to. What is written waits in memory until <see cref="Drain"/> takes it to the database, piece by piece: whoever writes
/// much drains often. Size and checksum are computed on the way.
/// </summary>
public sealed class FileSink(FileStore store, ApiDataSource database, Tenant tenant, Guid fileId) : Stream
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MemoryStream _waiting = new();
    private long _written;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _written + _waiting.Length;
        set => throw new NotSupportedException();
    }

    /// <summary>Takes whole pieces to the database.</summary>
    public Task Drain(CancellationToken cancellationToken) => _waiting.Length >= FileStore.ChunkBytes ? Take(cancellationToken) : Task.CompletedTask;

    /// <summary>Takes the rest, and ends the file; returns its size.</summary>
    public async Task<long> Complete(CancellationToken cancellationToken)
    {
        await Take(cancellationToken).ConfigureAwait(false);
        await store.Complete(tenant, fileId, _written, _hash.GetHashAndReset(), cancellationToken).ConfigureAwait(false);
        return _written;
    }

    public override void Write(byte[] buffer, int offset, int count) => _waiting.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => _waiting.Write(buffer);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _waiting.Write(buffer.Span);
        await Drain(cancellationToken).ConfigureAwait(false);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Pieces are made by size alone.</summary>
    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Drain(cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            _waiting.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task Take(CancellationToken cancellationToken)
    {
        if (_waiting.Length == 0)
        {
            return;
        }
        var content = _waiting.ToArray();
        _waiting.SetLength(0);
        _hash.AppendData(content);
        await using var session = await TenantSession.OpenAsync(database, tenant, cancellationToken).ConfigureAwait(false);
        for (var start = 0; start < content.Length; start += FileStore.ChunkBytes)
        {
            await FileStore.Write(session, tenant.OrganizationId, fileId, _written + start, content[start..Math.Min(start + FileStore.ChunkBytes, content.Length)], cancellationToken).ConfigureAwait(false);
        }
        await session.CommitAsync(cancellationToken).ConfigureAwait(false);
        _written += content.Length;
    }
}
