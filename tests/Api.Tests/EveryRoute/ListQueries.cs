using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>The queries that a list takes, one parameter at a time.</summary>
internal static class ListQueries
{
    private static readonly string[] Texts = ["anna", "+15550001111", "USD", "en", "2026-01-01"];

    /// <summary>The list as it is, by each sort, with each filter, with a search.</summary>
    public static IEnumerable<string> Of(ApiOperation operation)
    {
        yield return "limit=20";
        foreach (var parameter in operation.Json["parameters"]!.AsArray().Select(parameter => parameter!.AsObject()).Where(parameter => parameter["in"]!.GetValue<string>() == "query"))
        {
            var name = parameter["name"]!.GetValue<string>();
            foreach (var value in name is "limit" or "cursor" ? [] : Values(operation.Resolve(parameter["schema"]!)))
            {
                yield return $"limit=20&{name}={Uri.EscapeDataString(value)}";
            }
        }
    }

    private static IEnumerable<string> Values(JsonNode schema)
    {
        schema = schema["anyOf"]?[0] ?? schema;
        if (schema["items"] is { } items)
        {
            return Values(items).Take(1);
        }
        if (schema["enum"] is JsonArray choices)
        {
            return choices.Select(choice => choice!.GetValue<string>());
        }
        return [schema["format"]?.GetValue<string>() switch
        {
            "uuid" => Guid.CreateVersion7().ToString(),
            "date-time" => "2026-01-01T00:00:00Z",
            "date" => "2026-01-01",
            "email" => "nobody@example.com",
            _ => (schema["type"] is JsonArray types ? types[0] : schema["type"])?.GetValue<string>() switch
            {
                "integer" or "number" => "1",
                "boolean" => "true",
                _ => Texts.FirstOrDefault(text => Regex.IsMatch(text, schema["pattern"]?.GetValue<string>() ?? "")) ?? throw new InvalidOperationException($"No text fits {schema}."),
            },
        }];
    }
}
