using AgentPlatform.Data.Jobs;

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

    /// <summary>Takes the first line of the window, which is no record, to its end, however far that is, and says why.</summary>
    protected async ValueTask<RawRecord> BadLine(string error, CancellationToken cancellationToken)
    {
        var line = Line++;
        int end;
        while ((end = window.Span.IndexOf((byte)'\n')) < 0)
        {
            window.Skip(window.Length);
            if (!await window.Fill(cancellationToken))
            {
                return new RawRecord(line, default, error);
            }
        }
        window.Skip(end + 1);
        return new RawRecord(line, default, error);
    }

    /// <summary>A UTF-8 file may begin with a byte order mark; one that begins as UTF-16 does, with a mark or without, can't be read.</summary>
    protected async ValueTask SkipMark(CancellationToken cancellationToken)
    {
        if (window.Offset == 0)
        {
            while (window.Length < 3 && await window.Fill(cancellationToken))
            {
            }
            if (window.Span is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, >= (byte)'\t', 0, ..] or [>= (byte)'\t', 0, >= (byte)'\t', ..])
            {
                throw new JobFailedException("The file is UTF-16. Save it as UTF-8.");
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
