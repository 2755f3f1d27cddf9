namespace AgentPlatform.Api.Transfer;

/// <summary>A record of a file, or what is wrong with the place where one should be.</summary>
/// <param name="Line">The line that it begins on, from 1.</param>
/// <param name="Bytes">Its bytes, valid until the next one is read; empty where <paramref name="Error"/> says why there are none.</param>
internal readonly record struct RawRecord(long Line, ReadOnlyMemory<byte> Bytes, string? Error = null);

/// <summary>Cuts a file into records. What can't be read is told with its line, and costs no more than that line.</summary>
internal abstract class RecordReader(ByteWindow window)
{
    /// <summary>Longest record in bytes.</summary>
    public const int MaxRecordBytes = 1024 * 1024;

    protected ByteWindow Window => window;

    /// <summary>Where the next record begins, for a run that goes on from there.</summary>
    public RecordPosition Position => new(window.Offset, Line);

    /// <summary>The line that the next record begins on.</summary>
    protected long Line { get; set; } = 1;

    /// <summary>Goes on from a position.</summary>
    public virtual void Seek(RecordPosition position)
    {
        window.Seek(position.Offset);
        Line = position.Line;
    }

    /// <summary>The next record; null at the end.</summary>
    public abstract ValueTask<RawRecord?> Next(CancellationToken cancellationToken);

    /// <summary>Why a record is none.</summary>
    protected static string TooLong => $"The line is longer than {MaxRecordBytes} bytes.";

    /// <summary>Bytes of a character of ASCII.</summary>
    protected virtual int UnitBytes => 1;

    /// <summary>Offset of the first line end; -1 where there is none.</summary>
    protected virtual int FindLineEnd(ReadOnlySpan<byte> bytes) => bytes.IndexOf((byte)'\n');

    /// <summary>Takes the first line of the window, which is no record, to its end, however far that is, and says why.</summary>
    protected async ValueTask<RawRecord> BadLine(string error, CancellationToken cancellationToken)
    {
        var line = Line++;
        int end;
        while ((end = FindLineEnd(window.Span)) < 0)
        {
            // Half of a character waits for its other half.
            window.Skip(window.Length / UnitBytes * UnitBytes);
            if (!await window.Fill(cancellationToken))
            {
                window.Skip(window.Length);
                return new RawRecord(line, default, error);
            }
        }
        window.Skip(end + UnitBytes);
        return new RawRecord(line, default, error);
    }
}

/// <summary>A place between two records.</summary>
internal sealed record RecordPosition(long Offset, long Line);
