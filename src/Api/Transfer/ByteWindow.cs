using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Transfer;

/// <summary>The part of a file that is being looked at: grows at its end as pieces are read, shrinks at its start as records are taken.</summary>
/// <param name="file">The file.</param>
/// <param name="size">Its size in bytes.</param>
internal sealed class ByteWindow(FileReader file, long size)
{
    /// <summary>What is said when a file, or a piece of it, is no longer there.</summary>
    public const string Gone = "The file is gone.";

    private byte[] _bytes = new byte[2 * FileStore.ChunkBytes];
    private int _start;
    private int _end;

    /// <summary>Offset in the file of the first byte in the window.</summary>
    public long Offset { get; private set; } = file.Offset;

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(_start, _end - _start);

    public ReadOnlyMemory<byte> Memory => _bytes.AsMemory(_start, _end - _start);

    public int Length => _end - _start;

    /// <summary>Reads one more piece; false at the end of the file.</summary>
    /// <exception cref="JobFailedException">The rest of the file is gone.</exception>
    public async ValueTask<bool> Fill(CancellationToken cancellationToken)
    {
        var piece = await file.Next(cancellationToken);
        if (piece.IsEmpty)
        {
            return file.Offset >= size ? false : throw new JobFailedException(Gone);
        }
        if (_end + piece.Length > _bytes.Length)
        {
            var wanted = Length + piece.Length;
            var target = wanted > _bytes.Length ? new byte[wanted * 2] : _bytes;
            Buffer.BlockCopy(_bytes, _start, target, 0, Length);
            (_bytes, _end, _start) = (target, Length, 0);
        }
        piece.Span.CopyTo(_bytes.AsSpan(_end));
        _end += piece.Length;
        return true;
    }

    /// <summary>Leaves bytes behind.</summary>
    public void Skip(int count)
    {
        _start += count;
        Offset += count;
    }

    /// <summary>Goes on from another place of the file.</summary>
    public void Seek(long offset)
    {
        file.Seek(offset);
        Offset = offset;
        _start = _end = 0;
    }
}
