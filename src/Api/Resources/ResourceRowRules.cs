using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.Channels;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Http;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Resources;

/// <summary>The rules of the declared resources, for rows that come in otherwise than by the API: what their fields take, and the addresses that this server may be made to call.</summary>
internal sealed class ResourceRowRules(EndpointPolicy endpoints) : IRowRules
{
    private readonly FrozenDictionary<string, FrozenDictionary<string, IColumnRule>> _tables = ResourceCatalog.All
        .Where(static resource => resource is { IsGlobal: false, NeedsSuperAdmin: false })
        .GroupBy(static resource => resource.Table, StringComparer.Ordinal)
        .ToFrozenDictionary(static table => table.Key, table => Rules(table, endpoints), StringComparer.Ordinal);

    public IReadOnlyDictionary<string, IColumnRule> Of(string table) =>
        _tables.TryGetValue(table, out var rules) ? rules : ImmutableDictionary<string, IColumnRule>.Empty;

    /// <summary>Ids are looked at by whoever brings the rows, and secrets don't come. Of what the product sets, texts are as long as they are said to be; all else is the database's to check.</summary>
    private static FrozenDictionary<string, IColumnRule> Rules(IEnumerable<Resource> resources, EndpointPolicy endpoints) => resources
        .SelectMany(static resource => resource.Fields)
        .Where(static field => field.Expression is null && field.Type is not (UuidType or ListType { Item: UuidType }))
        .Where(static field => field.Access is FieldAccess.Free or FieldAccess.Fixed || (field.Access is FieldAccess.ReadOnly && field.Type is TextType))
        .OrderBy(static field => field.Access)
        .DistinctBy(static field => field.Column)
        .ToFrozenDictionary(
            static field => field.Column, field => field.Access is FieldAccess.ReadOnly ? (IColumnRule)new LengthRule(((TextType)field.Type).MaxLength) : new ColumnRule(field, endpoints), StringComparer.Ordinal);

    /// <summary>A platform's names, or those of an older release, may be longer than what is typed.</summary>
    private static JsonElement Cut(JsonElement value, int length) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length > length ? JsonSerializer.SerializeToElement(Data.Json.JsonText.Cut(text, length)) : value;

    private sealed class LengthRule(int length) : IColumnRule
    {
        public bool NamesRows => false;

        public string? Check(JsonElement value, out JsonElement kept)
        {
            kept = Cut(value, length);
            return null;
        }
    }

    private sealed class ColumnRule(Field column, EndpointPolicy endpoints) : IColumnRule
    {
        public bool NamesRows => column.Type is ObjectType or ListType or VariantType;

        public string? Check(JsonElement value, out JsonElement kept)
        {
            kept = value;
            var violations = new Violations();
            var given = column.Type is TextType { Pattern: null } type ? Cut(value, type.MaxLength) : value;
            var read = column.Type.Read(given, "", violations);
            if (read is null || violations.Any)
            {
                // Where it is about the value as a whole, there is no place in it to be named.
                return violations.ToProblem().Errors.FirstOrDefault(static error => error.Field.Length > 0)?.Detail ?? $"must be {column.Type.Expectation}.";
            }
            var values = new ShapeValues();
            values.Set(column, read);
            foreach (var (_, address, _) in values.Leaves().Where(static leaf => leaf.Field.IsCalled))
            {
                if (EndpointCheck.Refuses(endpoints, (string)address) is { } reason)
                {
                    return $"can't be used: {reason}";
                }
            }
            if (NamesRows || column.Type is TextType or TextListType)
            {
                kept = JsonSerializer.SerializeToElement(column.Type.ToNode(read));
            }
            return null;
        }
    }
}
