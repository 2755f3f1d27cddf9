using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Transfer;

/// <summary>Puts natural keys in the place of the ids of a page of rows, however deep they stand.</summary>
internal sealed class ExportKeys
{
    private readonly Resource _resource;

    /// <summary>By what is referred to: id → texts of its natural keys, in their order.</summary>
    private readonly Dictionary<string, Dictionary<Guid, string?[]>> _texts = new(StringComparer.Ordinal);

    private ExportKeys(Resource resource) => _resource = resource;

    /// <summary>Reads the keys of all that the rows refer to, with one statement for each resource.</summary>
    public static async Task<ExportKeys> Read(TenantSession session, OperationRequest request, Resource resource, IEnumerable<ReadOnlyMemory<byte>> rows)
    {
        var all = new ExportKeys(resource);
        var given = rows.SelectMany(row => References(Parse(row), resource.Shape)).ToArray();
        foreach (var alike in given.GroupBy(reference => reference.Keys[0].Target.Path, StringComparer.Ordinal))
        {
            var (target, keys) = (alike.First().Keys[0].Target, alike.First().Keys);
            var texts = all._texts[target.Path] = [];
            await using var found = await session.QueryAsync(
                $"SELECT t.{target.KeyColumn}, {string.Join(", ", keys.Select(key => key.Expression))} FROM {target.Table} t WHERE t.organization_id = $1 AND t.{target.KeyColumn} = ANY ($2)",
                request.Cancelled, request.Caller.OrganizationId, alike.Select(reference => reference.Id).Distinct().ToArray());
            while (await found.ReadAsync(request.Cancelled))
            {
                texts[found.GetGuid(0)] = [.. keys.Select((key, index) => found.IsDBNull(index + 1) ? null : key.Type.WriteText(found.GetValue(index + 1)))];
            }
        }
        return all;
    }

    /// <summary>The row with natural keys.</summary>
    public ReadOnlyMemory<byte> Replace(ReadOnlyMemory<byte> row) => JsonAnswer.Write(json => Replace(Parse(row), _resource.Shape).WriteTo(json));

    private static JsonObject Parse(ReadOnlyMemory<byte> row) => JsonNode.Parse(row.Span)!.AsObject();

    private static IEnumerable<(ImmutableArray<NaturalKey> Keys, Guid Id)> References(JsonObject json, Shape shape)
    {
        foreach (var (name, value) in json)
        {
            if (value is null || shape.Find(name) is not { } field)
            {
                continue;
            }
            if (NaturalKey.Of(field) is { Length: > 0 } keys)
            {
                yield return (keys, value.GetValue<Guid>());
            }
            foreach (var inner in Members(field.Type, value).SelectMany(member => References(member.Json, member.Shape)))
            {
                yield return inner;
            }
        }
    }

    private static IEnumerable<(JsonObject Json, Shape Shape)> Members(FieldType type, JsonNode value) => (type, value) switch
    {
        (ObjectType members, JsonObject one) => [(one, members.Shape)],
        (ListType list, JsonArray several) => several.OfType<JsonNode>().SelectMany(item => Members(list.Item, item)),
        _ => [],
    };

    private JsonObject Replace(JsonObject json, Shape shape)
    {
        var replaced = new JsonObject();
        foreach (var (name, value) in json)
        {
            var field = shape.Find(name);
            if (field is not null && NaturalKey.IsLost(field))
            {
                continue;
            }
            if (field is not null && NaturalKey.Of(field) is { Length: > 0 } keys)
            {
                var texts = value is null ? null : _texts[keys[0].Target.Path].GetValueOrDefault(value.GetValue<Guid>());
                foreach (var (index, key) in keys.Index())
                {
                    replaced[key.Name] = texts?[index];
                }
            }
            else
            {
                replaced[name] = value is null || field is null ? value?.DeepClone() : Replace(field.Type, value);
            }
        }
        return replaced;
    }

    private JsonNode Replace(FieldType type, JsonNode value) => (type, value) switch
    {
        (ObjectType members, JsonObject one) => Replace(one, members.Shape),
        (ListType list, JsonArray several) => new JsonArray([.. several.Select(item => item is null ? null : Replace(list.Item, item))]),
        _ => value.DeepClone(),
    };
}
