using System.IO.Compression;
using System.Security.Cryptography;

namespace AgentPlatform.Api.Http;

/// <summary>What a compressed body holds. Its end is handed out only when the body was whole: nothing missing, nothing behind it.</summary>
internal abstract class UnpackedBody(Stream unpacking) : ReadOnlyStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await unpacking.ReadAsync(buffer, cancellationToken);
        Look(buffer.Span[..count]);
        return count > 0 || buffer.IsEmpty || IsWhole ? count : throw NotWhole();
    }

    /// <summary>Whether it was, once all has been read.</summary>
    protected abstract bool IsWhole { get; }

    /// <summary>Looks at what is handed out.</summary>
    protected virtual void Look(ReadOnlySpan<byte> bytes)
    {
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            unpacking.Dispose();
        }
        base.Dispose(disposing);
    }

    protected static BadHttpRequestException NotWhole() => new("The body is not what its Content-Encoding says: it breaks off, or something stands behind its end.");
}

/// <summary>Brotli (RFC 7932), whose last byte is read, and nothing is asked for behind it.</summary>
internal sealed class BrotliBody(PackedBody packed) : UnpackedBody(new BrotliStream(packed, CompressionMode.Decompress))
{
    protected override bool IsWhole => packed.WasReadToItsEnd;
}

/// <summary>"deflate", which is zlib (RFC 1950): it ends with the Adler-32 of what it holds.</summary>
internal sealed class DeflateBody(PackedBody packed) : UnpackedBody(new ZLibStream(packed, CompressionMode.Decompress))
{
    private const uint Modulus = 65521;

    private uint _sum = 1;
    private uint _sumOfSums;

    protected override bool IsWhole => packed.IsUsedUp && packed.LastFour == ((_sumOfSums << 16) | _sum);

    protected override void Look(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            _sum = (_sum + value) % Modulus;
            _sumOfSums = (_sumOfSums + _sum) % Modulus;
        }
    }
}

/// <summary>
/// gzip (RFC 1952), of one member or several. One more is put behind the body, which holds what nobody can know: if that comes out last, all members before it were whole.
/// </summary>
internal sealed class GzipBody : UnpackedBody
{
    private const int MarkBytes = 16;

    private readonly GZipStream _unpacking;
    private readonly byte[] _mark;
    private readonly byte[] _piece = new byte[16 * 1024];
    private int _filled;
    private bool _hasEnded;

    public GzipBody(Stream body)
        : this(body, RandomNumberGenerator.GetBytes(MarkBytes))
    {
    }

    private GzipBody(Stream body, byte[] mark)
        : this(new GZipStream(new PackedBody(body, Member(mark)), CompressionMode.Decompress), mark)
    {
    }

    private GzipBody(GZipStream unpacking, byte[] mark)
        : base(unpacking) => (_unpacking, _mark) = (unpacking, mark);

    protected override bool IsWhole => _hasEnded && _piece.AsSpan(0, _filled).SequenceEqual(_mark);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!_hasEnded && _filled <= MarkBytes)
        {
            var read = await _unpacking.ReadAsync(_piece.AsMemory(_filled), cancellationToken);
            _filled += read;
            _hasEnded = read == 0;
        }
        // What is left at the end must be the mark.
        var count = Math.Min(buffer.Length, Math.Max(0, _filled - MarkBytes));
        if (count == 0)
        {
            return buffer.IsEmpty || IsWhole ? 0 : throw NotWhole();
        }
        _piece.AsMemory(0, count).CopyTo(buffer);
        _piece.AsSpan(count, _filled - count).CopyTo(_piece);
        _filled -= count;
        return count;
    }

    private static byte[] Member(byte[] content)
    {
        var member = new MemoryStream();
        using (var packing = new GZipStream(member, CompressionLevel.Fastest))
        {
            packing.Write(content);
        }
        return member.ToArray();
    }
}
