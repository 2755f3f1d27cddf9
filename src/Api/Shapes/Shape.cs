using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace AgentPlatform.Api.Shapes;

/// <summary>What an object is read or written for.</summary>
public enum ShapeUse
{
    /// <summary>A body that makes something: required fields must be there.</summary>
    Create,

    /// <summary>A body that changes something: any of the fields that may change, at least one.</summary>
    Change,

    /// <summary>An answer.</summary>
    Answer,

    /// <summary>An object in an answer that is as it was given: with the required members, and with others.</summary>
    Stored,
}

/// <summary>A JSON object with known members. From it follow the check of bodies and the schemas.</summary>
public sealed record Shape
{
    private readonly Dictionary<string, Field> _byName;

    public Shape(params IEnumerable<Field> fields)
    {
        Fields = [.. fields];
        _byName = Fields.ToDictionary(field => field.Name, StringComparer.Ordinal);
    }

    public ImmutableArray<Field> Fields { get; }

    public Field? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads a body, noting everything that is wrong with it. Null when it isn't an object.</summary>
    public ShapeValues? Read(JsonElement json, ShapeUse use, string pointer, Violations violations)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            violations.Add(pointer, "must be an object.");
            return null;
        }
        var values = new ShapeValues();
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in json.EnumerateObject())
        {
            ReadMember(member, use, pointer, named, values, violations);
        }
        foreach (var field in Fields)
        {
            if (use == ShapeUse.Create && field.IsRequired && field.IsGivenAt(use) && !named.Contains(field.Name))
            {
                violations.Add($"{pointer}/{field.Name}", "is required.");
            }
        }
        if (use == ShapeUse.Change && values.Count == 0 && !violations.Any)
        {
            violations.Add(pointer, $"must name at least one of {string.Join(", ", Fields.Where(field => field.IsGivenAt(use)).Select(field => field.Name))}.");
        }
        return values;
    }

    private void ReadMember(JsonProperty member, ShapeUse use, string pointer, HashSet<string> named, ShapeValues values, Violations violations)
    {
        if (!JsonText.TryReadName(member, out var name))
        {
            violations.Add(pointer, "has a member whose name is not valid text.");
            return;
        }
        named.Add(name);
        var place = $"{pointer}/{Escape(name)}";
        if (!_byName.TryGetValue(name, out var field))
        {
            violations.Add(place, "is not a known field.");
        }
        else if (!field.IsGivenAt(use))
        {
            violations.Add(place, field.Access == FieldAccess.Fixed ? "can't be changed." : "is set by the product and can't be given.");
        }
        else if (field.IsNone(member.Value))
        {
            if (field.IsNullable)
            {
                values.Set(field, null);
            }
            else
            {
                violations.Add(place, $"must be {field.Type.Expectation}, not null.");
            }
        }
        else if (field.Type.Read(member.Value, place, violations) is { } value)
        {
            values.Set(field, value);
        }
    }

    /// <summary>The JSON schema for a use.</summary>
    public OpenApiSchema Schema(ShapeUse use)
    {
        var schema = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = new Dictionary<string, IOpenApiSchema>(),
            Required = new HashSet<string>(),
            AdditionalPropertiesAllowed = use is ShapeUse.Answer or ShapeUse.Stored,
            MinProperties = use == ShapeUse.Change ? 1 : null,
        };
        foreach (var field in Fields.Where(field => field.IsGivenAt(use)))
        {
            schema.Properties[field.Name] = MemberSchema(field, use);
            if (use is ShapeUse.Create or ShapeUse.Stored ? field.IsRequired : use == ShapeUse.Answer)
            {
                schema.Required.Add(field.Name);
            }
        }
        return schema;
    }

    private static OpenApiSchema MemberSchema(Field field, ShapeUse use)
    {
        var schema = field.Type.Schema(use);
        if (field.IsNullable && schema.Type is { } type)
        {
            schema.Type = type | JsonSchemaType.Null;
            schema.Enum?.Add(JsonNullSentinel.JsonNull);
        }
        schema.Description = field.Description ?? schema.Description;
        if (use == ShapeUse.Create)
        {
            schema.Default = field.Default?.DeepClone();
        }
        return schema;
    }

    /// <summary>A body that fits, for examples and generated tests.</summary>
    public JsonObject Sample(ShapeUse use)
    {
        var sample = new JsonObject();
        foreach (var field in Fields.Where(field => field.IsGivenAt(use) && (use == ShapeUse.Answer || field.IsRequired || field.References is null)))
        {
            sample[field.Name] = field.Default?.DeepClone() ?? field.Type.Sample();
        }
        return sample;
    }

    /// <summary>As RFC 6901 writes a name in a pointer; long names are cut, since they come from the caller.</summary>
    private static string Escape(string name) =>
        (name.Length > 100 ? name[..100] + "…" : name).Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
}
