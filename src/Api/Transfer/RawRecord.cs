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

    /// <summary>Takes the first line of the window, which is no record, and says why.</summary>
    protected RawRecord BadLine(string error)
    {
        var end = window.Span.IndexOf((byte)'\n');
        window.Skip(end < 0 ? window.Length : end + 1);
        return new RawRecord(Line++, default, error);
    }

    /// <summary>A UTF-8 file may begin with a byte order mark.</summary>
    protected async ValueTask SkipMark(CancellationToken cancellationToken)
    {
        if (window.Offset == 0)
        {
            while (window.Length < 3 && await window.Fill(cancellationToken))
            {
            }
            if (window.Span.StartsWith("\uFEFF"u8))
            {
                window.Skip(3);
            }
        }
    }
}

/// <summary>A place between two records.</summary>
internal sealed record RecordPosition(long Offset, long Line);
