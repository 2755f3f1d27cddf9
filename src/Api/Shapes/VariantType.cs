using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Shapes;

/// <summary>An object that is one of several kinds: one member says which, and with it which others there are. Stored and answered as it is given.</summary>
public sealed record VariantType : FieldType
{
    private readonly string _member;
    private readonly ImmutableArray<(string Kind, Shape Shape)> _kinds;

    /// <param name="member">The member that says which kind it is.</param>
    /// <param name="kinds">Its values, and the members that come with each.</param>
    public VariantType(string member, params (string Kind, Field[] Fields)[] kinds)
    {
        _member = member;
        _kinds = [.. kinds.Select(kind => (kind.Kind, new Shape([Fields.Choice(member, kind.Kind).Required(), .. kind.Fields])))];
    }

    /// <summary>Looks at what the members mean together, once each fits by itself.</summary>
    public Action<ShapeValues, string, Violations>? Check { get; init; }

    public IEnumerable<string> Kinds => _kinds.Select(kind => kind.Kind);

    public override NpgsqlDbType DbType => NpgsqlDbType.Jsonb;

    public override string Expectation => $"an object whose {_member} is one of {string.Join(", ", Kinds)}";

    public override OpenApiSchema Schema() => Schema(ShapeUse.Answer);

    public override OpenApiSchema Schema(ShapeUse use) => new()
    {
        OneOf = [.. _kinds.Select(kind => (IOpenApiSchema)kind.Shape.Schema(use is ShapeUse.Create or ShapeUse.Change ? ShapeUse.Create : ShapeUse.Stored))],
    };

    /// <summary>The members that were given, as <see cref="ShapeValues"/>.</summary>
    public override object? Read(JsonElement json, string pointer, Violations violations)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return Refuse(pointer, violations);
        }
        var given = json.EnumerateObject()
            .Where(member => JsonText.TryReadName(member, out var name) && name == _member && member.Value.ValueKind == JsonValueKind.String)
            .Select(member => JsonText.TryRead(member.Value, out var text) ? text : null).FirstOrDefault();
        foreach (var (kind, shape) in _kinds)
        {
            if (kind == given)
            {
                var members = shape.Read(json, ShapeUse.Create, pointer, violations);
                if (members is not null)
                {
                    Check?.Invoke(members, pointer, violations);
                }
                return members;
            }
        }
        violations.Add($"{pointer}/{_member}", $"must be one of {string.Join(", ", Kinds)}.");
        return null;
    }

    public override object? ReadText(string text) => null;

    public override string WriteText(object value) => throw new InvalidOperationException("An object can't be a position in a cursor.");

    public override JsonNode ToNode(object value) => ((ShapeValues)value).ToJson();

    public override void Write(Utf8JsonWriter json, NpgsqlDataReader row, int column) => json.WriteRawValue(row.GetString(column), skipInputValidation: true);

    public override JsonNode Sample() => _kinds[0].Shape.Sample(ShapeUse.Create);

    public override NpgsqlParameter Parameter(object? value) => base.Parameter(value is ShapeValues values ? values.ToJson().ToJsonString() : value);
}
