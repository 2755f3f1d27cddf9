using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Shapes;
using Microsoft.OpenApi;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Automation;

/// <summary>A comparison of a known field with a value: <c>{"field": "client.leadScore", "operator": "at_least", "value": 50}</c>.</summary>
internal sealed record ConditionType : FieldType
{
    /// <summary>Most conditions in one list.</summary>
    public const int MaxConditions = 20;

    /// <summary>Most values of <c>in</c> and <c>not_in</c>.</summary>
    private const int MaxValues = 50;

    private static readonly string[] OfTexts = ["equals", "not_equals", "contains", "not_contains", "starts_with", "in", "not_in", "is_set", "is_not_set"];
    private static readonly string[] OfChoices = ["equals", "not_equals", "in", "not_in", "is_set", "is_not_set"];
    private static readonly string[] OfNumbers = ["equals", "not_equals", "greater_than", "less_than", "at_least", "at_most", "is_set", "is_not_set"];
    private static readonly string[] OfLists = ["contains", "not_contains", "is_set", "is_not_set"];
    private static readonly string[] OfMoments = ["before", "after", "is_set", "is_not_set"];

    private static readonly Shape Members = new(
        Fields.Choice("field", KnownFields.Readable).Required(),
        Fields.Choice("operator", [.. OfTexts.Concat(OfNumbers).Concat(OfMoments).Distinct()]).Required(),
        Fields.AnyJson("value").About("What the operator compares with; a list for `in` and `not_in`, nothing for `is_set` and `is_not_set`."));

    /// <summary>Several conditions, all of which must hold.</summary>
    public static ListType List { get; } = new(new ConditionType(), MaxConditions);

    /// <summary>Conditions of which all or any must hold.</summary>
    public static Field Group(string name) => Fields.Document(
        name,
        Fields.Choice("match", "all", "any").WithDefault("all").About("Whether all conditions must hold, or one."),
        new Field("conditions", List));

    public override NpgsqlDbType DbType => NpgsqlDbType.Jsonb;

    public override string Expectation => "a condition";

    public override OpenApiSchema Schema() => Members.Schema(ShapeUse.Stored);

    public override OpenApiSchema Schema(ShapeUse use) => Members.Schema(use is ShapeUse.Answer ? ShapeUse.Stored : ShapeUse.Create);

    public override object? Read(JsonElement json, string pointer, Violations violations)
    {
        if (Members.Read(json, ShapeUse.Create, pointer, violations) is not { } condition || condition.Text("field") is not { } field || condition.Text("operator") is not { } comparison)
        {
            return null;
        }
        var type = KnownFields.Type(field);
        if (!Operators(type).Contains(comparison))
        {
            violations.Add($"{pointer}/operator", $"must be one of {string.Join(", ", Operators(type))} for {field}.");
            return null;
        }
        using var value = condition.Text("value") is { } text ? JsonDocument.Parse(text) : null;
        return CheckValue(value?.RootElement, type, comparison, $"{pointer}/value", violations) ? condition : null;
    }

    public override object? ReadText(string text) => null;

    public override string WriteText(object value) => throw new InvalidOperationException("A condition can't be a position in a cursor.");

    public override JsonNode ToNode(object value) => ((ShapeValues)value).ToJson();

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteRawValue(row.GetString(column), skipInputValidation: true);

    public override JsonNode Sample() => new JsonObject { ["field"] = "message.text", ["operator"] = "contains", ["value"] = "price" };

    private static string[] Operators(FieldType type) => type switch
    {
        ChoiceType => OfChoices,
        IntegerType or NumberType => OfNumbers,
        TextListType => OfLists,
        TimestampType => OfMoments,
        _ => OfTexts,
    };

    private static bool CheckValue(JsonElement? given, FieldType type, string comparison, string pointer, Violations violations)
    {
        if (comparison is "is_set" or "is_not_set")
        {
            return given is null || Refused(pointer, $"must not be given for {comparison}.", violations);
        }
        if (given is not { } value)
        {
            return Refused(pointer, $"is required for {comparison}.", violations);
        }
        if (comparison is not ("in" or "not_in"))
        {
            return Item(type).Read(value, pointer, violations) is not null;
        }
        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() is > 0 and <= MaxValues
            ? value.EnumerateArray().Select((item, index) => Item(type).Read(item, $"{pointer}/{index}", violations)).All(item => item is not null)
            : Refused(pointer, $"must be a list of 1 to {MaxValues} values for {comparison}.", violations);
    }

    private static FieldType Item(FieldType type) => type is TextListType list ? list.Item : type;

    private static bool Refused(string pointer, string rest, Violations violations)
    {
        violations.Add(pointer, rest);
        return false;
    }
}
