using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>Every place of a request's body that takes an id, however deep, and a body that has a given id there.</summary>
internal sealed record BodyReference(ApiOperation Operation, IReadOnlyList<string> Steps)
{
    /// <summary>The member that holds the id, or the list of ids.</summary>
    public string Property => Steps.Last(step => step != Item);

    /// <summary>Of what it is an id.</summary>
    public string Names => PopulatedOrganization.Named(Operation, Property) ?? throw new InvalidOperationException($"{this}: say in PopulatedOrganization.Named what it names.");

    private const string Item = "0";

    /// <summary>All places of a route's body but its own <c>id</c>, which is the caller's name for what is new.</summary>
    public static IEnumerable<BodyReference> Of(ApiOperation operation) => operation.Body is null ? [] : Places(operation, operation.Body, [])
        .Where(steps => steps is not ["id"]).DistinctBy(steps => string.Join('/', steps)).Select(steps => new BodyReference(operation, steps));

    /// <summary>A body that the route takes but for the id.</summary>
    public JsonObject Body(PopulatedOrganization caller, Guid id)
    {
        var body = Operation.Method == "PATCH" ? [] : caller.Body(Operation)!;
        if (body.ContainsKey("ids"))
        {
            body["ids"] = new JsonArray(caller.Ids[Operation.Path.Split('/')[2]]);
        }
        body[Steps[0]] = Steps[0] == "graph" ? Graph(caller, id) : Holding(Operation.Body!["properties"]![Steps[0]]!, 1, caller, id);
        return body;
    }

    public override string ToString() => $"{Operation} /{string.Join('/', Steps)}";

    private static IEnumerable<string[]> Places(ApiOperation operation, JsonNode unresolved, string[] steps)
    {
        var schema = operation.Resolve(unresolved);
        if (schema["format"]?.GetValue<string>() == "uuid")
        {
            return [steps];
        }
        var places = Variants(schema).SelectMany(variant => Places(operation, variant, steps));
        if (schema["items"] is { } items)
        {
            places = places.Concat(Places(operation, items, [.. steps, Item]));
        }
        return schema["properties"] is JsonObject properties ? places.Concat(properties.SelectMany(property => Places(operation, property.Value!, [.. steps, property.Key]))) : places;
    }

    private static IEnumerable<JsonNode> Variants(JsonNode schema) => (schema["oneOf"] ?? schema["anyOf"])?.AsArray().Select(variant => variant!) ?? [];

    /// <summary>A graph is checked as one: the node stands between its beginning and its end.</summary>
    private JsonObject Graph(PopulatedOrganization caller, Guid id)
    {
        var node = Holding(Operation.Resolve(Operation.Resolve(Operation.Body!["properties"]!["graph"]!)["properties"]!["nodes"]!), 2, caller, id)[0]!.DeepClone();
        node["id"] = "node";
        return new JsonObject
        {
            ["nodes"] = new JsonArray(new JsonObject { ["id"] = "start", ["kind"] = "start" }, node, new JsonObject { ["id"] = "end", ["kind"] = "end" }),
            ["edges"] = new JsonArray(new JsonObject { ["from"] = "start", ["to"] = "node" }, new JsonObject { ["from"] = "node", ["to"] = "end" }),
        };
    }

    /// <summary>The least value of a schema that has the id at the remaining steps.</summary>
    private JsonNode Holding(JsonNode unresolved, int step, PopulatedOrganization caller, Guid id)
    {
        var schema = Operation.Resolve(unresolved);
        if (Variants(schema).FirstOrDefault(variant => Places(Operation, variant, []).Any(place => place.SequenceEqual(Steps.Skip(step)))) is { } variant)
        {
            return Holding(variant, step, caller, id);
        }
        if (step == Steps.Count)
        {
            return id.ToString();
        }
        if (schema["items"] is { } items)
        {
            return new JsonArray(Holding(items, step + 1, caller, id));
        }
        var value = Least(schema, caller).AsObject();
        value[Steps[step]] = Holding(schema["properties"]![Steps[step]]!, step + 1, caller, id);
        return value;
    }

    private JsonNode Least(JsonNode unresolved, PopulatedOrganization caller, string property = "")
    {
        var schema = Operation.Resolve(unresolved);
        if (schema["enum"] is JsonArray choices)
        {
            return choices[0]!.DeepClone();
        }
        return ((schema["type"] as JsonArray)?.FirstOrDefault(type => type!.GetValue<string>() != "null") ?? schema["type"])?.GetValue<string>() switch
        {
            "object" => new JsonObject((schema["required"]?.AsArray() ?? []).Select(name => name!.GetValue<string>())
                .Select(name => KeyValuePair.Create(name, (JsonNode?)Least(schema["properties"]![name]!, caller, name)))),
            "array" => new JsonArray(),
            "boolean" => false,
            "integer" or "number" => decimal.Parse(schema["minimum"]?.ToJsonString() ?? "1", CultureInfo.InvariantCulture),
            _ => schema["format"]?.GetValue<string>() switch
            {
                "uuid" => caller.Ids[PopulatedOrganization.Named(Operation, property)!].ToString(),
                "uri" => "https://example.com/",
                "email" => "person@example.com",
                "date-time" => "2030-01-01T00:00:00Z",
                _ => "Name",
            },
        };
    }
}
