using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>Values that don't fit a schema, and odd ones that may.</summary>
internal static class WrongValues
{
    /// <summary>JSON texts that the schema certainly refuses.</summary>
    public static IEnumerable<string> Of(ApiOperation operation, JsonObject schema)
    {
        schema = operation.Resolve(schema).AsObject();
        var types = schema["type"] switch
        {
            JsonArray several => several.Select(type => type!.GetValue<string>()).ToArray(),
            JsonValue one => [one.GetValue<string>()],
            _ => [],
        };
        if (types.Length == 0)
        {
            yield break;
        }
        (string Type, string[] Samples)[] kinds =
        [
            ("null", ["null"]), ("string", ["\"text\""]), ("integer", ["7"]), ("number", ["7.25", "-1e300"]), ("boolean", ["true"]), ("array", ["[]", "[{}]"]), ("object", ["{}", "{\"a\":{\"b\":[]}}"]),
        ];
        foreach (var (_, samples) in kinds.Where(kind => !types.Contains(kind.Type) && !(kind.Type == "integer" && types.Contains("number"))))
        {
            foreach (var sample in samples)
            {
                yield return sample;
            }
        }
        if (types.Contains("string"))
        {
            yield return "\"a\\u0000b\"";
            yield return "\"\\ud800\"";
            if (schema["maxLength"] is { } longest)
            {
                yield return $"\"{new string('x', longest.GetValue<int>() + 1)}\"";
            }
            if (schema["format"] is not null || schema["enum"] is not null || schema["pattern"] is not null)
            {
                yield return "\"\\u00e9\\ud83d\\ude00 no \"";
            }
            if (schema["minLength"] is not null)
            {
                yield return "\"\"";
                yield return "\"  \\t \"";
            }
        }
        if (schema["minimum"] is { } minimum)
        {
            yield return $"{minimum.GetValue<decimal>() - 1}";
        }
        if (schema["maximum"] is { } maximum)
        {
            yield return $"{maximum.GetValue<decimal>() + 1}";
        }
        if (types.Contains("integer") || types.Contains("number"))
        {
            yield return "1e400";
            yield return "99999999999999999999999999999999999999999";
        }
        if (schema["maxItems"] is { } most && schema["items"] is not null)
        {
            yield return $"[{string.Join(",", Enumerable.Repeat("\"x\"", most.GetValue<int>() + 1))}]";
        }
    }

    /// <summary>JSON texts that may or may not fit, but must never be a defect.</summary>
    public static readonly string[] Odd =
    [
        "null", "\"\"", "\"'; DROP TABLE users; --\"", "\"%_\\\\\"", "\"\\u202e\\u0301\\ufeff\"", "\"{{7*7}}\"", "-0", "1E2", "0.1e1", "[]", "{}", "[null]", "[[[[]]]]",
        "{\"\":null}", "{\"\\u0000\":1}", "{\"a\":\"\\u0000\"}", "{\"a\":1e400}", "{\"\\ud800\":1}", "{\"__proto__\":{\"x\":1}}", "\"2026-13-45T99:99:99Z\"", "\"0001-01-01T00:00:00+14:00\"",
        "\"9999-12-31T23:59:59-14:00\"", "\"00000000-0000-0000-0000-000000000000\"", "\"http://[::1]:99999/\"", "\"https://\"", "\"+1\"",
    ];
}
