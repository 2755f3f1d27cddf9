using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Api.Transfer;

/// <summary>Query parameters as JSON: each a text, a number, true or false, or a list of these for a parameter that is repeated.</summary>
internal sealed class FilterTexts : JsonConverter<Dictionary<string, string[]>>
{
    public override Dictionary<string, string[]> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var json = JsonDocument.ParseValue(ref reader);
        return json.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => Texts(member.Value) ?? throw new JsonException(), StringComparer.Ordinal);
    }

    public override void Write(Utf8JsonWriter writer, Dictionary<string, string[]> value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        foreach (var (name, texts) in value)
        {
            writer.WritePropertyName(name);
            JsonSerializer.Serialize(writer, texts, options);
        }
        writer.WriteEndObject();
    }

    /// <summary>What a member gives its parameter; null when it is an object, null, or a list of such.</summary>
    public static string[]? Texts(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Array => json.EnumerateArray().Select(Text).OfType<string>().ToArray() is var texts && texts.Length == json.GetArrayLength() ? texts : null,
        _ => Text(json) is { } text ? [text] : null,
    };

    private static string? Text(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };
}
