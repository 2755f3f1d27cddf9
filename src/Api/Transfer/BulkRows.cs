using System.Buffers;
using System.Text;
using System.Text.Json;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using NpgsqlTypes;

namespace AgentPlatform.Api.Transfer;

/// <summary>Rows that are written together, as one JSON array: an object for each, whose members are columns.</summary>
internal static class BulkRows
{
    /// <summary>What each change gives, with its key and organization.</summary>
    public static string Json(Resource resource, IReadOnlyList<ResourceChange> changes)
    {
        var buffer = new ArrayBufferWriter<byte>(64 * 1024);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartArray();
        foreach (var change in changes)
        {
            json.WriteStartObject();
            json.WriteString(resource.KeyColumn, change.Id);
            json.WriteString("organization_id", change.Caller.OrganizationId);
            foreach (var (field, value) in change.Values.All.Where(entry => entry.Field.Column != resource.KeyColumn))
            {
                json.WritePropertyName(field.Column);
                Write(json, field, value);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, Field field, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text when field.Type.DbType == NpgsqlDbType.Jsonb:
                json.WriteRawValue(text);
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case string[] list:
                json.WriteStartArray();
                foreach (var item in list)
                {
                    json.WriteStringValue(item);
                }
                json.WriteEndArray();
                break;
            default:
                WriteOther(json, field, value);
                break;
        }
    }

    private static void WriteOther(Utf8JsonWriter json, Field field, object value)
    {
        if (field.Type.DbType == NpgsqlDbType.Jsonb && field.Type.Parameter(value).Value is string raw)
        {
            json.WriteRawValue(raw);
        }
        else
        {
            field.Type.ToNode(value).WriteTo(json);
        }
    }
}
