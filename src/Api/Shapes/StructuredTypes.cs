using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Shapes;

/// <summary>JSON of the caller's own making, kept as <c>jsonb</c>: an object, or with <paramref name="AllowsAnything"/> any value but null.</summary>
public sealed record JsonType(int MaxBytes = 65_536, bool AllowsAnything = false) : FieldType
{
    public override NpgsqlDbType DbType => NpgsqlDbType.Jsonb;

    public override string Expectation => AllowsAnything ? $"JSON of at most {MaxBytes} bytes" : $"a JSON object of at most {MaxBytes} bytes";

    public override OpenApiSchema Schema() => AllowsAnything
        ? new() { Description = "Any JSON value." }
        : new() { Type = JsonSchemaType.Object, AdditionalPropertiesAllowed = true };

    public override object? Read(JsonElement json, string pointer, Violations violations) =>
        (AllowsAnything || json.ValueKind == JsonValueKind.Object) && IsStorable(json) && json.GetRawText() is var text && Encoding.UTF8.GetByteCount(text) <= MaxBytes
            ? text
            : Refuse(pointer, violations);

    public override object? ReadText(string text) => null;

    public override JsonNode ToNode(object value) => JsonNode.Parse((string)value)!;

    public override string WriteText(object value) => (string)value;

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteRawValue(row.GetString(column), skipInputValidation: true);

    public override JsonNode Sample() => new JsonObject { ["key"] = "value" };

    /// <summary>Postgres' jsonb has no NUL, no half surrogates, and numbers up to a size.</summary>
    private static bool IsStorable(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.String => JsonText.TryRead(json, out var text) && !text.Contains('\0', StringComparison.Ordinal),
        JsonValueKind.Number => json.TryGetDouble(out var number) && double.IsFinite(number),
        JsonValueKind.Array => json.EnumerateArray().All(IsStorable),
        JsonValueKind.Object => json.EnumerateObject().All(property =>
            JsonText.TryReadName(property, out var name) && !name.Contains('\0', StringComparison.Ordinal) && IsStorable(property.Value)),
        _ => true,
    };
}

/// <summary>An object with known members; in a column it is <c>jsonb</c> with the same names.</summary>
/// <param name="IsAsGiven">It is answered as it was stored, with the members that were given; otherwise with all of them.</param>
public sealed record ObjectType(Shape Shape, bool IsAsGiven = false) : FieldType
{
    /// <summary>What its members are read for: a whole object, or a change of one.</summary>
    public ShapeUse ReadUse { get; init; } = ShapeUse.Create;

    public override NpgsqlDbType DbType => NpgsqlDbType.Jsonb;

    public override string Expectation => "an object";

    public override OpenApiSchema Schema() => Schema(ShapeUse.Answer);

    public override OpenApiSchema Schema(ShapeUse use) =>
        Shape.Schema(use switch { ShapeUse.Change or ShapeUse.Create => ReadUse, ShapeUse.Answer when IsAsGiven => ShapeUse.Stored, _ => use });

    public override JsonNode ToNode(object value) => ((ShapeValues)value).ToJson();

    /// <summary>The members that were given, as <see cref="ShapeValues"/>.</summary>
    public override object? Read(JsonElement json, string pointer, Violations violations) => Shape.Read(json, ReadUse, pointer, violations);

    public override object? ReadText(string text) => null;

    public override string WriteText(object value) => throw new InvalidOperationException("An object can't be a position in a cursor.");

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteRawValue(row.GetString(column), skipInputValidation: true);

    public override JsonNode Sample() => Shape.Sample(ReadUse);

    public override NpgsqlParameter Parameter(object? value) => base.Parameter(value is ShapeValues values ? values.ToJson().ToJsonString() : value);
}

/// <summary>A list of values; in a column it is <c>jsonb</c>, and a list of ids <c>uuid[]</c>.</summary>
public sealed record ListType(FieldType Item, int MaxItems, int MinItems = 0) : FieldType
{
    public override NpgsqlDbType DbType => IsOfIds ? NpgsqlDbType.Array | NpgsqlDbType.Uuid : NpgsqlDbType.Jsonb;

    public override string Expectation => $"a list of {MinItems} to {MaxItems} items";

    public override OpenApiSchema Schema() => Schema(ShapeUse.Answer);

    public override OpenApiSchema Schema(ShapeUse use) => new() { Type = JsonSchemaType.Array, MinItems = MinItems > 0 ? MinItems : null, MaxItems = MaxItems, Items = Item.Schema(use) };

    public override JsonNode ToNode(object value) => new JsonArray([.. ((ImmutableArray<object>)value).Select(Item.ToNode)]);

    public override NpgsqlParameter Parameter(object? value) => base.Parameter(value switch
    {
        ImmutableArray<object> ids when IsOfIds => ids.Cast<Guid>().ToArray(),
        ImmutableArray<object> => ToNode(value).ToJsonString(),
        _ => value,
    });

    /// <summary>An <see cref="ImmutableArray{T}"/> of the items' values.</summary>
    public override object? Read(JsonElement json, string pointer, Violations violations)
    {
        if (json.ValueKind != JsonValueKind.Array || json.GetArrayLength() > MaxItems || json.GetArrayLength() < MinItems)
        {
            return Refuse(pointer, violations);
        }
        var items = ImmutableArray.CreateBuilder<object>(json.GetArrayLength());
        foreach (var element in json.EnumerateArray())
        {
            if (Item.Read(element, $"{pointer}/{items.Count}", violations) is not { } item)
            {
                return null;
            }
            items.Add(item);
        }
        return items.MoveToImmutable();
    }

    public override object? ReadText(string text) => null;

    public override string WriteText(object value) => throw new InvalidOperationException("A list can't be a position in a cursor.");

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column)
    {
        if (!IsOfIds)
        {
            json.WriteRawValue(row.GetString(column), skipInputValidation: true);
            return;
        }
        json.WriteStartArray();
        foreach (var id in row.GetFieldValue<Guid[]>(column))
        {
            json.WriteStringValue(id);
        }
        json.WriteEndArray();
    }

    public override JsonNode Sample() => new JsonArray(Item.Sample());

    private bool IsOfIds => Item is UuidType;
}
