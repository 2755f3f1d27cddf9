using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Data.Files;

/// <summary>
/// A stored file as a stream that can be read from any place: one piece of it is in memory, nothing on disk, so that no crash leaves anything behind.
/// </summary>
/// <param name="store">Where it is.</param>
/// <param name="tenant">Whose it is.</param>
/// <param name="fileId">Which.</param>
/// <param name="size">Its size in bytes, as <see cref="FileStore.Find"/> tells it.</param>
public sealed class StoredFileStream(FileStore store, Tenant tenant, Guid fileId, long size) : Stream
{
    private ReadOnlyMemory<byte> _piece;
    private long _pieceOffset;
    private long _position;

    /// <summary>How many more bytes may be read, for whoever reads what others wrote; reading beyond fails.</summary>
    public long Allowance { get; set; } = long.MaxValue;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => size;

    public override long Position
    {
        get => _position;
        set => _position = value >= 0 ? value : throw new IOException("Before the beginning of the file.");
    }

    /// <exception cref="InvalidDataException">The <see cref="Allowance"/> is used up.</exception>
    /// <exception cref="EndOfStreamException">The file, or a piece of it, is gone.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_position >= size || buffer.IsEmpty)
        {
            return 0;
        }
        if (_position < _pieceOffset || _position >= _pieceOffset + _piece.Length)
        {
            _piece = await store.Read(tenant, fileId, _position, cancellationToken).ConfigureAwait(false);
            _pieceOffset = _position;
            if (_piece.IsEmpty)
            {
                throw new EndOfStreamException("The file is gone.");
            }
        }
        var rest = _piece[(int)(_position - _pieceOffset)..];
        var read = Math.Min(rest.Length, buffer.Length);
        Allowance -= read;
        if (Allowance < 0)
        {
            throw new InvalidDataException("More was read than allowed.");
        }
        rest[..read].CopyTo(buffer);
        _position += read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>For readers that know no other way, such as that of a zip's directory.</summary>
    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => size + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
