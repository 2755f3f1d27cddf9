namespace AgentPlatform.Api.Http;

/// <summary>
/// A body as it came, handed to what unpacks it so that it can be told afterwards whether it was whole. The streams of .NET take what breaks off, and what stands behind the end, for
/// whole; they don't say how far they read.
/// </summary>
/// <param name="body">The request's own.</param>
/// <param name="tail">Bytes that are handed out behind the body.</param>
internal sealed class PackedBody(Stream body, ReadOnlyMemory<byte> tail = default) : ReadOnlyStream
{
    private const int PieceBytes = 16 * 1024;

    private readonly byte[] _piece = new byte[PieceBytes];
    private ReadOnlyMemory<byte> _tail = tail;
    private int _filled;
    private bool _hasEnded;

    /// <summary>The body's last byte was asked for, and nothing behind it.</summary>
    public bool WasReadToItsEnd { get; private set; }

    /// <summary>All of the body was handed out.</summary>
    public bool IsUsedUp => _hasEnded && _filled == 0;

    /// <summary>The last four bytes that were handed out, in their order.</summary>
    public uint LastFour { get; private set; }

    /// <summary>Hands out the body's last byte, which can be known only once there is no more, by itself.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!_hasEnded && _filled < 2)
        {
            var read = await body.ReadAsync(_piece.AsMemory(_filled), cancellationToken);
            _filled += read;
            _hasEnded = read == 0;
        }
        if (_filled == 0)
        {
            WasReadToItsEnd = false;
            var rest = _tail[..Math.Min(buffer.Length, _tail.Length)];
            rest.CopyTo(buffer);
            _tail = _tail[rest.Length..];
            return rest.Length;
        }
        var count = Math.Min(buffer.Length, _filled == 1 ? 1 : _filled - 1);
        _piece.AsMemory(0, count).CopyTo(buffer);
        foreach (var value in _piece.AsSpan(Math.Max(0, count - sizeof(uint)), Math.Min(count, sizeof(uint))))
        {
            LastFour = (LastFour << 8) | value;
        }
        _piece.AsSpan(count, _filled - count).CopyTo(_piece);
        _filled -= count;
        WasReadToItsEnd = _filled == 0;
        return count;
    }
}
