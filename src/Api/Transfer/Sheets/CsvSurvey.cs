using System.Text.Unicode;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// Finds out how a file of CSV is written, by its beginning and, for what the options leave open, by all of its lines: a last line may be the one that tells. Holds one line at a time.
/// </summary>
internal sealed class CsvSurvey(ByteWindow window, ImportOrder order, ImportColumns columns, string timeZone)
{
    private readonly List<CsvValue> _values = [];
    private readonly CsvEvidence _numbers = new("decimalSign", ".", ",");
    private readonly CsvEvidence _dates = new("dateOrder", CsvDialect.DayFirst, CsvDialect.MonthFirst);

    /// <summary>How the file is written.</summary>
    /// <exception cref="JobFailedException">It can't be read, or does not tell how.</exception>
    public async Task<CsvDialect> Read(CancellationToken cancellationToken)
    {
        while (window.Length < CsvEncoding.SampleBytes && await window.Fill(cancellationToken))
        {
        }
        if (OtherFormat.Of(window.Span) is { } other)
        {
            throw new JobFailedException(other);
        }
        var (marked, markLength) = CsvEncoding.Mark(window.Span);
        var encoding = marked ?? order.Encoding ?? CsvEncoding.Unmarked(window.Span[..Math.Min(window.Length, CsvEncoding.SampleBytes)]);
        var dialect = new CsvDialect
        {
            Encoding = encoding ?? CsvEncoding.Utf8,
            Delimiter = order.Delimiter ?? CsvDialect.Delimiters[0],
            DecimalSign = order.DecimalSign,
            DateOrder = order.DateOrder,
            TimeZone = timeZone,
            Header = new(markLength, 1),
        };
        dialect = dialect with { LineEnd = await FindLineEnd(dialect, cancellationToken) };
        var (header, named) = await TakeSeparatorLine(dialect, cancellationToken);
        dialect = await FindDelimiter(dialect with { Header = header }, order.Delimiter ?? named, cancellationToken);
        return await LookAtAll(dialect, encoding is not null, cancellationToken);
    }

    /// <summary>What ends the first line: a carriage return alone, as old Macs have it, or anything with a line feed.</summary>
    private async ValueTask<string> FindLineEnd(CsvDialect dialect, CancellationToken cancellationToken)
    {
        var reader = new CsvReader(window, dialect);
        while (true)
        {
            var end = reader.FirstLineEnd(out var isSure);
            if (isSure || window.Length > RecordReader.MaxRecordBytes || !await window.Fill(cancellationToken))
            {
                return end;
            }
        }
    }

    /// <summary>A first line <c>sep=;</c>, which spreadsheets take for themselves: the delimiter that it names, and where the header begins.</summary>
    private async ValueTask<(RecordPosition Header, string? Delimiter)> TakeSeparatorLine(CsvDialect dialect, CancellationToken cancellationToken)
    {
        var reader = new CsvReader(window, dialect);
        if (await reader.Next(cancellationToken) is not { Error: null } first || Separator(dialect, first.Bytes.Span) is not { } separator)
        {
            return (dialect.Header, null);
        }
        return CsvDialect.Delimiters.Contains(separator) ? (reader.Position, separator)
            : throw new JobFailedException($"The file's first line names \"{Data.Json.JsonText.Storable(separator)}\" as its delimiter (`sep=`). It must be a comma, a semicolon or a tab.");
    }

    private static string? Separator(CsvDialect dialect, ReadOnlySpan<byte> line)
    {
        if (line.Length > 40 || !new CsvLine(dialect.Encoding, ',').TryDecode(line, out var text))
        {
            return null;
        }
        text = text.Trim('"');
        return text.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && text.Length > 4 && text[5..].IndexOfAnyExcept(text[4]) < 0 ? text[4].ToString() : null;
    }

    /// <summary>The delimiter under which most columns of the header are known, and where that header is.</summary>
    private async Task<CsvDialect> FindDelimiter(CsvDialect dialect, string? given, CancellationToken cancellationToken)
    {
        (CsvDialect? Dialect, int Known, int Columns) best = (null, int.MinValue, 0);
        foreach (var delimiter in given is null ? CsvDialect.Delimiters : [given])
        {
            if (await FindHeader(dialect with { Delimiter = delimiter }, cancellationToken) is var (tried, isReadable))
            {
                var known = isReadable ? ImportColumns.Named(_values.Select(value => value.Text)).Count(name => !new CsvValue(name, false).IsBlank && columns.TryFind(name, out _)) : -1;
                if ((known, _values.Count).CompareTo((best.Known, best.Columns)) > 0)
                {
                    best = (tried, known, _values.Count);
                }
            }
        }
        return best.Dialect ?? throw new JobFailedException("The file is empty.");
    }

    /// <summary>The first row with a value; null where there is none. Leaves its values.</summary>
    private async Task<(CsvDialect Dialect, bool IsReadable)?> FindHeader(CsvDialect dialect, CancellationToken cancellationToken)
    {
        var (reader, lines) = (new CsvReader(window, dialect), Lines(dialect));
        var position = reader.Position;
        while (await reader.Next(cancellationToken) is { } record)
        {
            var isReadable = (record.Error ?? Parse(lines, record.Bytes.Span)) is null;
            if (!isReadable || _values.Exists(value => !value.IsBlank))
            {
                return (dialect with { Header = position }, isReadable);
            }
            position = reader.Position;
        }
        return null;
    }

    /// <summary>Reads every line, where something is left to find out.</summary>
    private async Task<CsvDialect> LookAtAll(CsvDialect dialect, bool isEncodingKnown, CancellationToken cancellationToken)
    {
        var (reader, lines) = (new CsvReader(window, dialect), Lines(dialect));
        var looks = new List<(int Index, string Column, Func<string, CsvCell> Look, CsvEvidence Evidence)>();
        var encoding = new Utf8OrWestern();
        for (var isHeader = true; await reader.Next(cancellationToken) is { } record; isHeader = false)
        {
            if (!isEncodingKnown)
            {
                encoding.Look(record.Bytes.Span);
            }
            if (record.Error is not null || (!isHeader && looks.Count == 0) || Parse(lines, record.Bytes.Span) is not null)
            {
                continue;
            }
            if (isHeader)
            {
                looks.AddRange(ImportColumns.Named(_values.Select(value => value.Text)).Index().SelectMany(column => LooksAt(column.Index, column.Item, isSure: isEncodingKnown || Utf8.IsValid(record.Bytes.Span))));
                if (isEncodingKnown && looks.Count == 0)
                {
                    break;
                }
                continue;
            }
            foreach (var (index, column, look, evidence) in looks)
            {
                if (index < _values.Count && _values[index].Text is { Length: > 0 } text)
                {
                    evidence.Look(look(CsvText.Unguard(text)), record.Line, column, text);
                }
            }
        }
        return dialect with
        {
            Encoding = isEncodingKnown ? dialect.Encoding : encoding.Decide(),
            DecimalSign = dialect.DecimalSign ?? _numbers.Decide(),
            DateOrder = dialect.DateOrder ?? _dates.Decide(),
        };
    }

    /// <summary>What is to be found out by a column's cells. One that is unknown ends the import at once, if it is sure that it is read as it is written.</summary>
    private IEnumerable<(int Index, string Column, Func<string, CsvCell> Look, CsvEvidence Evidence)> LooksAt(int index, string column, bool isSure)
    {
        var field = isSure ? columns.Find(column) : columns.TryFind(column, out var found) ? found : null;
        if (field?.Type is NumberType or IntegerType && order.DecimalSign is null)
        {
            yield return (index, field.Name, LookAtNumber, _numbers);
        }
        if (field?.Type is DateType or TimestampType && order.DateOrder is null)
        {
            yield return (index, field.Name, LookAtDate, _dates);
        }
    }

    private static CsvCell LookAtNumber(string text)
    {
        var number = CellNumber.Read(text);
        return number.IsAmbiguous ? CsvCell.Either : number.WithPoint == number.WithComma ? CsvCell.None : number.WithPoint is not null ? CsvCell.First : CsvCell.Second;
    }

    private static CsvCell LookAtDate(string text)
    {
        var date = CellDate.Read(text);
        return date.IsAmbiguous ? date.HasDots ? CsvCell.UsuallyFirst : CsvCell.Either : date.DayFirst == date.MonthFirst ? CsvCell.None : date.DayFirst is not null ? CsvCell.First : CsvCell.Second;
    }

    /// <summary>While it isn't known which of the two it is, a line that isn't UTF-8 is looked at as Windows-1252: numbers and dates are the same in all code pages.</summary>
    private string? Parse((CsvLine First, CsvLine? Otherwise) lines, ReadOnlySpan<byte> record) =>
        lines.Otherwise is { } otherwise && !Utf8.IsValid(record) ? otherwise.Read(record, _values) : lines.First.Read(record, _values);

    private static (CsvLine First, CsvLine? Otherwise) Lines(CsvDialect dialect) =>
        (new(dialect.Encoding, dialect.Delimiter[0]), dialect.Encoding == CsvEncoding.Utf8 ? new(CsvEncoding.Western, dialect.Delimiter[0]) : null);
}
