using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AgentPlatform.Data.Json;

public static partial class JsonText
{
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth * 2 };

    /// <summary>Writes a JSON object.</summary>
    public static string WriteObject<TState>(TState state, Action<Utf8JsonWriter, TState> writeMembers) =>
        Encoding.UTF8.GetString(WriteUtf8Object(state, writeMembers).Span);

    /// <summary>Writes a JSON object, as bytes.</summary>
    public static ReadOnlyMemory<byte> WriteUtf8Object<TState>(TState state, Action<Utf8JsonWriter, TState> writeMembers)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            writeMembers(writer, state);
            writer.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Writes a property when there is a value.</summary>
    public static void WriteOptional(this Utf8JsonWriter writer, string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteString(name, value);
        }
    }

    /// <summary>Writes a property with a copy of what others wrote and <see cref="Parse"/> read, made storable.</summary>
    public static void WriteCopy(this Utf8JsonWriter writer, string name, JsonElement element)
    {
        writer.WritePropertyName(name);
        writer.WriteCopy(element);
    }

    /// <summary>Writes a copy of what others wrote and <see cref="Parse"/> read, made storable.</summary>
    public static void WriteCopy(this Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in element.EnumerateObject())
                {
                    writer.WritePropertyName(member.Name);
                    writer.WriteCopy(member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                {
                    writer.WriteCopy(item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Read(element));
                break;
            case JsonValueKind.Number:
                WriteNumber(writer, JsonMarshal.GetRawUtf8Value(element));
                break;
            case JsonValueKind.True or JsonValueKind.False:
                writer.WriteBooleanValue(element.GetBoolean());
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    /// <summary>A number with a huge exponent is valid JSON but no valid jsonb: it is kept as text.</summary>
    private static void WriteNumber(Utf8JsonWriter writer, ReadOnlySpan<byte> number)
    {
        if (number.Length <= MaxNumberLength && !number.ContainsAny("eE"u8))
        {
            writer.WriteRawValue(number, skipInputValidation: true);
        }
        else
        {
            writer.WriteStringValue(number.Length <= MaxNameLength ? number : number[..MaxNameLength]);
        }
    }
}
