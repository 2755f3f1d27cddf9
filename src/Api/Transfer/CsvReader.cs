using System.Text;
using System.Text.Unicode;

namespace AgentPlatform.Api.Transfer;

/// <summary>One value of a CSV record.</summary>
/// <param name="IsQuoted">A quoted empty value is an empty text; an unquoted one is no value.</param>
internal readonly record struct CsvValue(string Text, bool IsQuoted);

/// <summary>
/// CSV as RFC 4180 has it: quoted values may hold delimiters, line breaks and doubled quotation marks. Blanks around a value are handed on only from within quotation marks. A quotation mark that is never closed costs its own
/// line, not the rest of the file.
/// </summary>
internal sealed class CsvReader(ByteWindow window, char delimiter) : RecordReader(window)
{
    private readonly byte _delimiter = (byte)delimiter;

    public override async ValueTask<RawRecord?> Next(CancellationToken cancellationToken)
    {
        await SkipMark(cancellationToken);
        while (true)
        {
            var (length, isQuoted) = Measure();
            if (length >= 0)
            {
                var record = Take(length);
                if (length > MaxRecordBytes)
                {
                    return record with { Bytes = default, Error = TooLong };
                }
                if (record.Bytes.Length > 0)
                {
                    return record;
                }
                continue;
            }
            if (Window.Length > MaxRecordBytes)
            {
                return await BadLine(isQuoted ? $"A quotation mark is not closed within {MaxRecordBytes} bytes." : TooLong, cancellationToken);
            }
            if (await Window.Fill(cancellationToken))
            {
                continue;
            }
            if (Window.Length == 0)
            {
                return null;
            }
            if (isQuoted)
            {
                return await BadLine("A quotation mark is not closed.", cancellationToken);
            }
            var last = Take(Window.Length);
            return last.Bytes.Length == 0 ? null : last;
        }
    }

    /// <summary>The values of a record, or what is wrong with it.</summary>
    public string? Parse(ReadOnlySpan<byte> record, List<CsvValue> values)
    {
        values.Clear();
        if (!Utf8.IsValid(record))
        {
            return "The line is not UTF-8.";
        }
        while (true)
        {
            string? problem = null;
            var rest = record.Length > 0 && record[0] == '"' ? Quoted(record, values, ref problem) : Plain(record, values, ref problem);
            if (problem is not null || rest < 0)
            {
                return problem;
            }
            record = record[rest..];
        }
    }

    /// <summary>Adds an unquoted value; returns where the next begins, or -1 at the end.</summary>
    private int Plain(ReadOnlySpan<byte> record, List<CsvValue> values, ref string? problem)
    {
        var end = record.IndexOf(_delimiter);
        var value = end < 0 ? record : record[..end];
        if (value.Contains((byte)'"'))
        {
            problem = "A quotation mark stands inside a value that does not begin with one.";
        }
        values.Add(new(Encoding.UTF8.GetString(value).Trim(), false));
        return end < 0 ? -1 : end + 1;
    }

    private int Quoted(ReadOnlySpan<byte> record, List<CsvValue> values, ref string? problem)
    {
        var close = 1;
        while (close < record.Length && (record[close] != '"' || (close + 1 < record.Length && record[close + 1] == '"')))
        {
            close += record[close] == '"' ? 2 : 1;
        }
        values.Add(new(Encoding.UTF8.GetString(record[1..Math.Min(close, record.Length)]).Replace("\"\"", "\"", StringComparison.Ordinal), true));
        if (close + 1 >= record.Length)
        {
            return -1;
        }
        if (record[close + 1] != _delimiter)
        {
            problem = "There is text after a closing quotation mark.";
        }
        return close + 2;
    }

    /// <summary>Length of the first record without its line break, -1 when its end isn't in the window; and whether it breaks off inside quotation marks.</summary>
    private (int Length, bool IsQuoted) Measure()
    {
        var bytes = Window.Span;
        var (isQuoted, isStart) = (false, true);
        for (var index = 0; index < bytes.Length; index++)
        {
            var current = bytes[index];
            if (isQuoted)
            {
                if (current == '"')
                {
                    if (index + 1 < bytes.Length && bytes[index + 1] == '"')
                    {
                        index++;
                    }
                    else
                    {
                        isQuoted = false;
                    }
                }
            }
            else if (current == '\n')
            {
                return (index, false);
            }
            else if (current == '"' && isStart)
            {
                isQuoted = true;
            }
            isStart = !isQuoted && current == _delimiter;
        }
        return (-1, isQuoted);
    }

    private RawRecord Take(int length)
    {
        var bytes = Window.Memory[..length];
        var line = Line;
        Line += bytes.Span.Count((byte)'\n') + (length < Window.Length ? 1 : 0);
        Window.Skip(Math.Min(length + 1, Window.Length));
        return new RawRecord(line, bytes.Length > 0 && bytes.Span[^1] == '\r' ? bytes[..^1] : bytes);
    }
}
