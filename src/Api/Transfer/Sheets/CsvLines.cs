using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Transfer.Sheets;

/// <summary>
/// Lines of a CSV file with a header. A line with fewer values than the header has columns has none in the others, as spreadsheets leave out what is empty at the end; one with more
/// says something that no column is there for. One without any value in a column that fills a field is passed over.
/// </summary>
internal sealed class CsvLines(Resource resource, ImportOrder order, TimeProvider clock, CsvDialect dialect, CsvReader reader) : ImportLines(resource, order, clock)
{
    private readonly CsvLine _line = new(dialect.Encoding, dialect.Delimiter[0]);
    private readonly List<CsvValue> _values = [];
    private readonly Field? _currency = resource.Shape.Find(CurrencyName);
    private readonly bool _makesAll = order.Key is null;
    private CellReader? _cells;
    private Column?[] _columns = [];
    private byte[] _header = [];

    /// <summary>The field that says of which currency a row's amounts are.</summary>
    private const string CurrencyName = "currency";

    public override RecordPosition Position => reader.Position;

    public override async Task Open(RecordPosition? position, CancellationToken cancellationToken)
    {
        if (await reader.Next(cancellationToken) is not { } header)
        {
            throw new JobFailedException("The file is empty.");
        }
        if ((header.Error ?? _line.Read(header.Bytes.Span, _values)) is { } problem)
        {
            throw new JobFailedException($"The header can't be read: {problem}");
        }
        _header = header.Bytes.ToArray();
        _columns = [.. ImportColumns.Named(_values.Select(value => value.Text)).Select(Columns.Find).Select(field => field is null ? null : new Column(field))];
        if (_columns.OfType<Column>().GroupBy(column => column.Field.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new JobFailedException($"Two columns of the file fill {twice.Key}.");
        }
        _cells = new CellReader(dialect, _currency is not null);
        if (position is not null)
        {
            reader.Seek(position);
        }
    }

    public override async ValueTask<ReadLine?> Next(CancellationToken cancellationToken)
    {
        if (await reader.Next(cancellationToken) is not { } record)
        {
            return null;
        }
        if ((record.Error ?? _line.Read(record.Bytes.Span, _values)) is { } problem)
        {
            return Wrong(record, problem);
        }
        if (_values.FindLastIndex(value => !value.IsBlank) is var last && last >= _columns.Length)
        {
            return Wrong(record, $"The line has {last + 1} values; the header names {_columns.Length}.");
        }
        // Files that were put together from several have it in their midst; a column alone may well hold its own name.
        if (_columns.Length > 1 && record.Bytes.Span.SequenceEqual(_header))
        {
            return Wrong(record, "The line repeats the header.");
        }
        return Read(record.Line);
    }

    private static ReadLine Wrong(RawRecord record, string problem) => new(null, [new(record.Line, null, problem)]);

    private ReadLine Read(long line)
    {
        var (values, violations, isBlank) = (new ShapeValues(), new Violations(), true);
        List<(Field Of, string Sign)>? currencies = null;
        for (var index = 0; index < _columns.Length && index < _values.Count; index++)
        {
            if (_columns[index] is not { } column)
            {
                continue;
            }
            var cell = _values[index];
            isBlank = isBlank && cell.IsBlank;
            if (column.IsAbsent(cell))
            {
                continue;
            }
            if (_cells!.Read(column.Field, cell.Text, violations, out var sign) is { } value)
            {
                values.Set(column.Field, value);
                if (sign is not null)
                {
                    (currencies ??= []).Add((column.Field, sign));
                }
            }
        }
        if (isBlank)
        {
            return new(null, []);
        }
        if (currencies is not null)
        {
            TakeCurrency(currencies, values, violations);
        }
        return Finish(line, values, violations);
    }

    /// <summary>
    /// An amount with a currency beside it says of which the row is, unless the row says it itself; all must agree. A sign that several currencies share says it only of a new row, which is of
    /// the default one where nothing says another.
    /// </summary>
    private void TakeCurrency(List<(Field Of, string Sign)> signs, ShapeValues values, Violations violations)
    {
        var beside = signs.Select(entry => CellCurrency.CodesOf(entry.Sign)).FirstOrDefault(codes => codes.Length == 1) is { IsDefault: false } one ? one[0] : null;
        var said = values.Text(CurrencyName) ?? beside;
        var code = said ?? (_makesAll ? _currency!.Default?.GetValue<string>() : null);
        foreach (var (of, sign) in signs)
        {
            var codes = CellCurrency.CodesOf(sign);
            if (codes.IsEmpty)
            {
                violations.Add($"/{of.Name}", $"is an amount with {sign}, a currency that is not known here.");
            }
            else if (code is null || !codes.Contains(code))
            {
                violations.Add($"/{of.Name}", codes.Length == 1 ? $"is an amount of {codes[0]}, and {CurrencyName} is {said}."
                    : said is not null ? $"is an amount with {sign}, and {CurrencyName} is {said}."
                    : $"is an amount with {sign}, which several currencies share: give {CurrencyName}, such as {codes[0]} or {codes[1]}.");
            }
        }
        if (code is not null && !values.Has(_currency!))
        {
            values.Set(_currency!, code);
        }
    }

    /// <summary>A column that fills a field.</summary>
    private sealed class Column(Field filled)
    {
        private readonly bool _isText = filled.Type is TextType;
        private readonly bool _takesEmpty = filled.Type is TextType text && text.ReadText("") is not null;

        public Field Field => filled;

        /// <summary>An empty cell is no value; an empty text has to be quoted, and fit. Programs that quote all cells say with one that there is no value, where a value is what other rows have not.</summary>
        public bool IsAbsent(CsvValue value) => filled.IsNone(value.Text) || (value.Text.Length == 0 ? !(value.IsQuoted && _takesEmpty) : !_isText && value.IsBlank);
    }
}
