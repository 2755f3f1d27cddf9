using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Transfer;

/// <summary>JSON lines, or one JSON array of objects; the first character tells which. A broken line costs that line; a broken array costs what follows the break.</summary>
internal sealed class JsonRecords(ByteWindow window) : RecordReader(window)
{
    private bool? _isArray;

    public override async ValueTask<RawRecord?> Next(CancellationToken cancellationToken)
    {
        await SkipMark(cancellationToken);
        _isArray ??= await IsArray(cancellationToken);
        return _isArray.Value ? await NextElement(cancellationToken) : await NextLine(cancellationToken);
    }

    public override void Seek(RecordPosition position)
    {
        base.Seek(position);
        // Inside an array, elements follow; between lines, the next line does. Both are known from the file's beginning.
        _isArray ??= false;
    }

    /// <summary>Looks at the beginning, before a run goes on from elsewhere.</summary>
    public async ValueTask Open(CancellationToken cancellationToken)
    {
        await SkipMark(cancellationToken);
        _isArray = await IsArray(cancellationToken);
    }

    private async ValueTask<bool> IsArray(CancellationToken cancellationToken)
    {
        if (!await SkipSpace(cancellationToken) || Window.Span[0] != '[')
        {
            return false;
        }
        Window.Skip(1);
        return true;
    }

    private async ValueTask<RawRecord?> NextLine(CancellationToken cancellationToken)
    {
        if (!await SkipSpace(cancellationToken))
        {
            return null;
        }
        int end;
        while ((end = Window.Span.IndexOf((byte)'\n')) < 0)
        {
            if (Window.Length > MaxRecordBytes)
            {
                return await BadLine(TooLong, cancellationToken);
            }
            if (!await Window.Fill(cancellationToken))
            {
                end = Window.Length;
                break;
            }
        }
        var record = new RawRecord(Line++, Window.Memory[..end]);
        Window.Skip(Math.Min(end + 1, Window.Length));
        return end > MaxRecordBytes ? record with { Bytes = default, Error = TooLong } : record;
    }

    private async ValueTask<RawRecord?> NextElement(CancellationToken cancellationToken)
    {
        while (await SkipSpace(cancellationToken) && Window.Span[0] == ',')
        {
            Window.Skip(1);
        }
        if (Window.Length == 0 || Window.Span[0] == ']')
        {
            return null;
        }
        int end;
        while ((end = ElementLength(Window.Span)) < 0)
        {
            var isTooLong = Window.Length > MaxRecordBytes;
            if (isTooLong || !await Window.Fill(cancellationToken))
            {
                var line = Line;
                Window.Skip(Window.Length);
                await SkipAll(cancellationToken);
                return new RawRecord(line, default, isTooLong ? $"From here on nothing can be read: an element is longer than {MaxRecordBytes} bytes." : "From here on nothing can be read: an element does not end.");
            }
        }
        var record = new RawRecord(Line, Window.Memory[..end]);
        Line += record.Bytes.Span.Count((byte)'\n');
        Window.Skip(end);
        return end > MaxRecordBytes ? record with { Bytes = default, Error = TooLong } : record;
    }

    /// <summary>Length of the element that the bytes begin with; -1 when it doesn't end in them.</summary>
    private static int ElementLength(ReadOnlySpan<byte> bytes)
    {
        var (depth, isText) = (0, false);
        for (var index = 0; index < bytes.Length; index++)
        {
            switch (bytes[index])
            {
                case (byte)'\\' when isText:
                    index++;
                    break;
                case (byte)'"':
                    isText = !isText;
                    break;
                case (byte)'{' or (byte)'[' when !isText:
                    depth++;
                    break;
                case (byte)',' when !isText && depth == 0:
                    return index;
                case (byte)'}' or (byte)']' when !isText:
                    if (depth <= 1)
                    {
                        return depth == 1 ? index + 1 : Math.Max(index, 1);
                    }
                    depth--;
                    break;
            }
        }
        return -1;
    }

    /// <summary>False at the end of the file.</summary>
    private async ValueTask<bool> SkipSpace(CancellationToken cancellationToken)
    {
        while (true)
        {
            var count = 0;
            while (count < Window.Length && Window.Span[count] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            {
                Line += Window.Span[count] == '\n' ? 1 : 0;
                count++;
            }
            Window.Skip(count);
            if (Window.Length > 0)
            {
                return true;
            }
            if (!await Window.Fill(cancellationToken))
            {
                return false;
            }
        }
    }

    private async ValueTask SkipAll(CancellationToken cancellationToken)
    {
        while (await Window.Fill(cancellationToken))
        {
            Window.Skip(Window.Length);
        }
    }

    /// <summary>A UTF-8 file may begin with a byte order mark; one that begins as UTF-16 does, with a mark or without, is no JSON file.</summary>
    private async ValueTask SkipMark(CancellationToken cancellationToken)
    {
        if (Window.Offset == 0)
        {
            while (Window.Length < 3 && await Window.Fill(cancellationToken))
            {
            }
            if (Window.Span is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, >= (byte)'\t', 0, ..] or [>= (byte)'\t', 0, >= (byte)'\t', ..])
            {
                throw new JobFailedException("The file is UTF-16. Save it as UTF-8.");
            }
            if (Window.Span.StartsWith("\uFEFF"u8))
            {
                Window.Skip(3);
            }
        }
    }
}
