using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer;

/// <summary>Makes values of records, held against the resource's own shape. What the product sets by itself (ids, sums) is passed over, so that an export can be imported.</summary>
internal abstract class ImportLines(Resource resource, ImportOrder order, TimeProvider clock)
{
    private readonly ImportShape _shape = ImportShape.Of(resource);

    /// <summary>Reads what stands before the first line, once for each run.</summary>
    public abstract Task Open(RecordPosition? position, CancellationToken cancellationToken);

    /// <summary>The next line, or what is wrong with it; null at the end.</summary>
    public abstract ValueTask<(ImportLine? Line, ImmutableArray<LineError> Errors)?> Next(CancellationToken cancellationToken);

    /// <summary>Where the next record begins.</summary>
    public abstract RecordPosition Position { get; }

    public static ImportLines Of(Resource resource, ImportOrder order, ByteWindow window, TimeProvider clock) =>
        order.Format == "csv" ? new CsvLines(resource, order, clock, new CsvReader(window, order.Delimiter[0])) : new JsonLines(resource, order, clock, new JsonRecords(window));

    /// <summary>The field that a column of the file fills; null for one that is passed over.</summary>
    protected Field? FieldOf(string column)
    {
        var name = order.Mapping.FirstOrDefault(pair => ComparableText.Same(pair.Key, column)).Value ?? column;
        if (ComparableText.IsBlank(name) && !name.Any(char.IsControl))
        {
            return null;
        }
        return _shape.TryFind(name, out var field)
            ? field
            : throw new JobFailedException($"\"{(column.Length > 100 ? column[..100] : column).Replace('\0', '\uFFFD')}\" is not a field of {resource.Path}. Name the field that it fills in `mapping`, or an empty text to leave it out.");
    }

    protected (ImportLine? Line, ImmutableArray<LineError> Errors) Finish(long line, ShapeValues values, Violations violations)
    {
        if (order.Key is null)
        {
            foreach (var field in _shape.Fields.Where(field => field.IsRequired && !_shape.Says(values, field) && !_shape.KeysOf(field).Any(key => violations.Has($"/{key.Name}"))))
            {
                violations.Add($"/{field.Name}", "is required.");
            }
        }
        else if (ComparableText.IsBlank(values.Text(order.Key)) && !violations.Has($"/{order.Key}"))
        {
            violations.Add($"/{order.Key}", "is required: rows are recognised by it.");
        }
        else if (resource.Import!.Within is { } within && !_shape.Says(values, resource.Shape.Find(within)!))
        {
            violations.Add($"/{within}", $"is required: {order.Key} is unique within it.");
        }
        foreach (var (field, value) in values.All.Where(entry => _shape.IsKept(entry.Field)))
        {
            if (value is DateTimeOffset moment && moment > clock.GetUtcNow())
            {
                violations.Add($"/{field.Name}", "must not be in the future.");
            }
        }
        return violations.Any ? (null, Errors(line, violations.ToProblem())) : (new ImportLine(line, values), []);
    }

    internal static ImmutableArray<LineError> Errors(long line, Problem problem) => problem.Errors.IsEmpty
        ? [new(line, null, problem.Detail ?? problem.Type.Title)]
        : [.. problem.Errors.DistinctBy(error => error.Field).Select(error => new LineError(line, error.Field.TrimStart('/'), error.Detail.TrimStart('/')))];
}

/// <summary>Lines of a CSV file with a header.</summary>
internal sealed class CsvLines(Resource resource, ImportOrder order, TimeProvider clock, CsvReader reader) : ImportLines(resource, order, clock)
{
    private readonly List<CsvValue> _values = [];
    private Field?[] _columns = [];
    private byte[] _header = [];

    public override RecordPosition Position => reader.Position;

    public override async Task Open(RecordPosition? position, CancellationToken cancellationToken)
    {
        if (await reader.Next(cancellationToken) is not { } header)
        {
            throw new JobFailedException("The file is empty.");
        }
        if ((header.Error ?? reader.Parse(header.Bytes.Span, _values)) is { } problem)
        {
            throw new JobFailedException($"The header can't be read: {problem}");
        }
        _header = header.Bytes.ToArray();
        _columns = [.. _values.Select(value => FieldOf(value.Text))];
        if (_columns.OfType<Field>().GroupBy(field => field.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new JobFailedException($"Two columns of the file fill {twice.Key}.");
        }
        if (position is not null)
        {
            reader.Seek(position);
        }
    }

    public override async ValueTask<(ImportLine? Line, ImmutableArray<LineError> Errors)?> Next(CancellationToken cancellationToken)
    {
        if (await reader.Next(cancellationToken) is not { } record)
        {
            return null;
        }
        if ((record.Error ?? reader.Parse(record.Bytes.Span, _values)) is { } problem)
        {
            return (null, [new(record.Line, null, problem)]);
        }
        if (_values.Count != _columns.Length)
        {
            return (null, [new(record.Line, null, $"The line has {_values.Count} values; the header names {_columns.Length}.")]);
        }
        // Files that were put together from several have it in their midst; a column alone may well hold its own name.
        if (_columns.Length > 1 && record.Bytes.Span.SequenceEqual(_header))
        {
            return (null, [new(record.Line, null, "The line repeats the header.")]);
        }
        var values = new ShapeValues();
        var violations = new Violations();
        for (var index = 0; index < _columns.Length; index++)
        {
            if (_columns[index] is { } field && !IsAbsent(field, _values[index]))
            {
                Read(field, CsvText.Unguard(_values[index].Text), values, violations);
            }
        }
        return Finish(record.Line, values, violations);
    }

    /// <summary>An empty cell is no value; an empty text has to be quoted.</summary>
    private static bool IsAbsent(Field field, CsvValue value) => value.Text.Length == 0 && !(value.IsQuoted && field.Type is TextType);

    private static void Read(Field field, string text, ShapeValues values, Violations violations)
    {
        var pointer = $"/{field.Name}";
        var value = field.Type switch
        {
            TextListType list when !text.StartsWith('[') => ReadJson(list, JsonSerializer.SerializeToUtf8Bytes(text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)), pointer, violations),
            TextType or ChoiceType or IntegerType or NumberType or BooleanType or UuidType or TimestampType or DateType => field.Type.ReadText(text) ?? Refuse(field, pointer, violations),
            _ => ReadJson(field.Type, Encoding.UTF8.GetBytes(text), pointer, violations),
        };
        if (value is not null)
        {
            values.Set(field, value);
        }
    }

    private static object? Refuse(Field field, string pointer, Violations violations)
    {
        violations.Add(pointer, $"must be {field.Type.Expectation}.");
        return null;
    }

    private static object? ReadJson(FieldType type, byte[] json, string pointer, Violations violations)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return type.Read(document.RootElement, pointer, violations);
        }
        catch (JsonException)
        {
            violations.Add(pointer, $"must be {type.Expectation}, written as JSON.");
            return null;
        }
    }
}

/// <summary>Objects of a JSON file.</summary>
internal sealed class JsonLines(Resource resource, ImportOrder order, TimeProvider clock, JsonRecords reader) : ImportLines(resource, order, clock)
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32, AllowDuplicateProperties = false };
    private readonly Dictionary<string, Field?> _fields = new(StringComparer.Ordinal);

    public override RecordPosition Position => reader.Position;

    public override async Task Open(RecordPosition? position, CancellationToken cancellationToken)
    {
        await reader.Open(cancellationToken);
        if (position is not null)
        {
            reader.Seek(position);
        }
    }

    public override async ValueTask<(ImportLine? Line, ImmutableArray<LineError> Errors)?> Next(CancellationToken cancellationToken)
    {
        if (await reader.Next(cancellationToken) is not { } record)
        {
            return null;
        }
        if (record.Error is not null || !Utf8.IsValid(record.Bytes.Span))
        {
            return (null, [new(record.Line, null, record.Error ?? "The line is not UTF-8.")]);
        }
        try
        {
            using var document = JsonDocument.Parse(record.Bytes, Options);
            return Read(record.Line, document.RootElement);
        }
        catch (JsonException)
        {
            return (null, [new(record.Line, null, "This is not valid JSON, names a member twice, or is nested deeper than 32.")]);
        }
        catch (InvalidOperationException)
        {
            return (null, [new(record.Line, null, "A name is not valid text.")]);
        }
    }

    private (ImportLine? Line, ImmutableArray<LineError> Errors) Read(long line, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return (null, [new(line, null, "This must be an object.")]);
        }
        var values = new ShapeValues();
        var violations = new Violations();
        foreach (var member in json.EnumerateObject())
        {
            var pointer = $"/{(member.Name.Length > 100 ? member.Name[..100] : member.Name)}";
            if (!TryField(member.Name, out var field))
            {
                violations.Add(pointer, "is not a known field.");
            }
            else if (field is not null && member.Value.ValueKind == JsonValueKind.Null)
            {
                ReadNull(field, pointer, values, violations);
            }
            else if (field?.Type.Read(member.Value, pointer, violations) is { } value)
            {
                values.Set(field, value);
            }
        }
        return Finish(line, values, violations);
    }

    private static void ReadNull(Field field, string pointer, ShapeValues values, Violations violations)
    {
        if (field.IsNullable)
        {
            values.Set(field, null);
        }
        else
        {
            violations.Add(pointer, $"must be {field.Type.Expectation}, not null.");
        }
    }

    private bool TryField(string name, out Field? field)
    {
        if (_fields.TryGetValue(name, out field))
        {
            return true;
        }
        try
        {
            _fields[name] = field = FieldOf(name);
            return true;
        }
        catch (JobFailedException)
        {
            // In a CSV file a wrong column is wrong for all lines; here it is one line's own.
            return false;
        }
    }
}
