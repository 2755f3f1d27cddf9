using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// Cuts a file of CSV into records, before they are decoded. A line end within quotation marks is part of its value; a quotation mark that is never closed costs its own line, not the
/// rest of the file. A line without anything is a record without bytes.
/// </summary>
internal sealed class CsvReader : RecordReader
{
    private readonly int _unit;
    private readonly bool _isBigEndian;
    private readonly char _delimiter;
    private readonly char _end;

    public CsvReader(ByteWindow window, CsvDialect dialect)
        : base(window)
    {
        _unit = CsvEncoding.UnitBytes(dialect.Encoding);
        _isBigEndian = dialect.Encoding == CsvEncoding.Utf16BigEndian;
        _delimiter = dialect.Delimiter[0];
        _end = dialect.LineEnd[0];
        Seek(dialect.Header);
    }

    public override async ValueTask<RawRecord?> Next(CancellationToken cancellationToken)
    {
        while (true)
        {
            // Among line ends that are a carriage return alone, some may have a line feed behind them all the same.
            if (_end == '\r' && StartsWith('\n'))
            {
                Window.Skip(_unit);
            }
            var (length, isQuoted) = Measure();
            if (length >= 0)
            {
                var record = Take(length, _unit);
                return length > MaxRecordBytes ? record with { Bytes = default, Error = TooLong } : record;
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
            return isQuoted ? await BadLine("A quotation mark is not closed.", cancellationToken) : Take(Window.Length, 0);
        }
    }

    /// <summary>What ends the first line in the window: a carriage return alone, or anything with a line feed; and whether that can be told.</summary>
    public string FirstLineEnd(out bool isSure)
    {
        isSure = true;
        var bytes = Window.Span;
        var isQuoted = false;
        for (var offset = 0; offset + _unit <= bytes.Length; offset += _unit)
        {
            switch (At(bytes, offset))
            {
                case '"':
                    isQuoted = !isQuoted;
                    break;
                case '\n' when !isQuoted:
                    return "\n";
                case '\r' when !isQuoted:
                    while (offset + (2 * _unit) <= bytes.Length && At(bytes, offset + _unit) == '\r')
                    {
                        offset += _unit;
                    }
                    isSure = offset + (2 * _unit) <= bytes.Length;
                    return isSure && At(bytes, offset + _unit) == '\n' ? "\n" : "\r";
                default:
                    break;
            }
        }
        isSure = false;
        return "\n";
    }

    protected override int UnitBytes => _unit;

    /// <inheritdoc />
    protected override int FindLineEnd(ReadOnlySpan<byte> bytes)
    {
        var found = _unit == 1 ? bytes.IndexOf((byte)_end) : MemoryMarshal.Cast<byte, ushort>(bytes).IndexOf(Unit(_end));
        return found < 0 ? -1 : found * _unit;
    }

    /// <summary>Bytes of the first record without its line end, -1 when its end isn't in the window; and whether it breaks off inside quotation marks.</summary>
    private (int Length, bool IsQuoted) Measure()
    {
        if (_unit == 1)
        {
            return Measure(Window.Span, (byte)'"', (byte)_delimiter, (byte)_end);
        }
        var (length, isQuoted) = Measure(MemoryMarshal.Cast<byte, ushort>(Window.Span), Unit('"'), Unit(_delimiter), Unit(_end));
        return (length < 0 ? -1 : 2 * length, isQuoted);
    }

    private static (int Length, bool IsQuoted) Measure<T>(ReadOnlySpan<T> text, T quote, T delimiter, T end)
        where T : unmanaged, IEquatable<T>
    {
        // Each round begins where a value begins: only there, a quotation mark opens.
        for (var index = 0; ;)
        {
            if (index < text.Length && text[index].Equals(quote))
            {
                do
                {
                    var close = text[++index..].IndexOf(quote);
                    if (close < 0)
                    {
                        return (-1, true);
                    }
                    index += close + 1;
                }
                while (index < text.Length && text[index].Equals(quote));
            }
            var next = text[index..].IndexOfAny(delimiter, end);
            if (next < 0)
            {
                return (-1, false);
            }
            index += next;
            if (text[index].Equals(end))
            {
                return (index, false);
            }
            index++;
        }
    }

    private RawRecord Take(int length, int endLength)
    {
        var bytes = Window.Memory[..length];
        var line = Line;
        Line += (_unit == 1 ? bytes.Span.Count((byte)_end) : MemoryMarshal.Cast<byte, ushort>(bytes.Span).Count(Unit(_end))) + (endLength > 0 ? 1 : 0);
        Window.Skip(length + endLength);
        while (_end == '\n' && EndsWith(bytes.Span, '\r'))
        {
            bytes = bytes[..^_unit];
        }
        return new RawRecord(line, bytes);
    }

    private bool StartsWith(char character) => Window.Length >= _unit && At(Window.Span, 0) == character;

    private bool EndsWith(ReadOnlySpan<byte> bytes, char character) => bytes.Length >= _unit && At(bytes, bytes.Length - _unit) == character;

    private char At(ReadOnlySpan<byte> bytes, int offset) => _unit == 1 ? (char)bytes[offset]
        : (char)(_isBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes[offset..]) : BinaryPrimitives.ReadUInt16LittleEndian(bytes[offset..]));

    /// <summary>A character as the file has it in this machine's memory.</summary>
    private ushort Unit(char character) => _isBigEndian == BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness((ushort)character) : character;
}
