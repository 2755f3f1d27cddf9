using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Transfer;

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

    public override async ValueTask<ReadLine?> Next(CancellationToken cancellationToken)
    {
        if (await reader.Next(cancellationToken) is not { } record)
        {
            return null;
        }
        if (record.Error is not null || !Utf8.IsValid(record.Bytes.Span))
        {
            return new(null, [new(record.Line, null, record.Error ?? "The line is not UTF-8.")]);
        }
        try
        {
            using var document = JsonDocument.Parse(record.Bytes, Options);
            return Read(record.Line, document.RootElement);
        }
        catch (JsonException)
        {
            return new(null, [new(record.Line, null, "This is not valid JSON, names a member twice, or is nested deeper than 32.")]);
        }
        catch (InvalidOperationException)
        {
            return new(null, [new(record.Line, null, "A name is not valid text.")]);
        }
    }

    private ReadLine Read(long line, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return new(null, [new(line, null, "This must be an object.")]);
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
            else if (field?.IsNone(member.Value) == true)
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
        // In a CSV file a wrong column is wrong for all lines; here it is one line's own.
        if (_fields.TryGetValue(name, out field))
        {
            return true;
        }
        if (!Columns.TryFind(name, out field))
        {
            return false;
        }
        _fields[name] = field;
        return true;
    }
}
