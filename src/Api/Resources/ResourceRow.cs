using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Shapes;
using Npgsql;

namespace AgentPlatform.Api.Resources;

/// <summary>A row as read: its JSON, and its values for rules, cursors and the audit log.</summary>
public sealed class ResourceRow
{
    private readonly Resource _resource;
    private readonly object?[] _values;

    private readonly ImmutableArray<Field> _fields;

    private ResourceRow(Resource resource, ImmutableArray<Field> fields, object?[] values, ReadOnlyMemory<byte> json)
    {
        _resource = resource;
        _fields = fields;
        _values = values;
        Json = json;
    }

    /// <summary>The answer's JSON; it never holds a secret.</summary>
    public ReadOnlyMemory<byte> Json { get; }

    public Guid Id => Get<Guid>("id");

    public long? Version => _resource.HasVersion ? Get<long>("version") : null;

    /// <summary>A value as Npgsql gives it; the type's default for null.</summary>
    public T? Get<T>(string field) => Raw(field) is T value ? value : default;

    public object? Raw(string field)
    {
        for (var index = 0; index < _fields.Length; index++)
        {
            if (_fields[index].Name == field)
            {
                return _values[index];
            }
        }
        throw new InvalidOperationException($"{_resource.Path} has no field {field} to read.");
    }

    /// <summary>Reads the current row; <paramref name="fields"/> are the columns, in order.</summary>
    internal static ResourceRow Read(Resource resource, ImmutableArray<Field> fields, NpgsqlDataReader row, FieldReadContext context)
    {
        var values = new object?[fields.Length];
        var json = JsonAnswer.Write(writer =>
        {
            writer.WriteStartObject();
            for (var index = 0; index < fields.Length; index++)
            {
                values[index] = row.IsDBNull(index) ? null : row.GetValue(index);
                Write(writer, fields[index], values[index], row, index, context);
            }
            writer.WriteEndObject();
        });
        return new ResourceRow(resource, fields, values, json);
    }

    private static void Write(Utf8JsonWriter writer, Field field, object? value, NpgsqlDataReader row, int index, FieldReadContext context)
    {
        writer.WritePropertyName(field.Name);
        if (field.Render is not null)
        {
            field.Render(writer, value ?? DBNull.Value, context);
        }
        else if (value is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            field.Type.Write(writer, row, index);
        }
    }
}
