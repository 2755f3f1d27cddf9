using System.Text.Json.Nodes;

namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>The OpenAPI document, as the tests that go over every route read it.</summary>
public sealed record ApiDescription(JsonObject Root, IReadOnlyList<ApiOperation> Operations)
{
    public static async Task<ApiDescription> Read(ApiApp app)
    {
        var root = await (await app.Anonymous.GetAsync("/openapi/v1.json")).Json();
        var operations =
            from path in root["paths"]!.AsObject()
            from method in path.Value!.AsObject()
            where method.Key is "get" or "post" or "patch" or "put" or "delete"
            select new ApiOperation(root, path.Key, method.Key.ToUpperInvariant(), method.Value!.AsObject());
        return new ApiDescription(root, [.. operations]);
    }
}

/// <summary>One route of the document.</summary>
public sealed record ApiOperation(JsonObject Root, string Path, string Method, JsonObject Json)
{
    public string Id => Json["operationId"]?.GetValue<string>() ?? $"{Method} {Path}";

    /// <summary>Of the body; null where there is none.</summary>
    public JsonObject? Body => Json["requestBody"]?["content"]?["application/json"]?["schema"] is { } schema ? Resolve(schema).AsObject() : null;

    public JsonObject? Example => Json["requestBody"]?["content"]?["application/json"]?["example"]?.DeepClone().AsObject();

    public bool NeedsSignIn => Json["security"]?.AsArray().Count > 0;

    public IEnumerable<string> Parameters(string place) =>
        (Json["parameters"]?.AsArray() ?? []).Where(parameter => parameter!["in"]!.GetValue<string>() == place).Select(parameter => parameter!["name"]!.GetValue<string>());

    /// <summary>Follows a reference to its target.</summary>
    public JsonNode Resolve(JsonNode schema)
    {
        if (schema["$ref"]?.GetValue<string>() is not { } reference)
        {
            return schema;
        }
        JsonNode target = Root;
        foreach (var part in reference.Split('/').Skip(1))
        {
            target = target[part]!;
        }
        return target;
    }

    public override string ToString() => $"{Method} {Path}";
}
