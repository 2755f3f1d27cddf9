using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.Shapes;
using Npgsql;

namespace AgentPlatform.Api.Analytics;

/// <summary>Rows whose columns are fields, in order.</summary>
internal static class FieldRows
{
    /// <summary>Writes the current row as an object.</summary>
    public static void Write(Utf8JsonWriter json, ImmutableArray<Field> fields, NpgsqlDataReader row)
    {
        json.WriteStartObject();
        WriteMembers(json, fields, row);
        json.WriteEndObject();
    }

    /// <summary>Writes the current row's members.</summary>
    public static void WriteMembers(Utf8JsonWriter json, ImmutableArray<Field> fields, NpgsqlDataReader row)
    {
        for (var index = 0; index < fields.Length; index++)
        {
            json.WritePropertyName(fields[index].Name);
            if (row.IsDBNull(index))
            {
                json.WriteNullValue();
            }
            else
            {
                fields[index].Type.Write(json, row, index);
            }
        }
    }
}
