using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>Reads answers, with their text in the failure.</summary>
public static class HttpAssertions
{
    /// <summary>The JSON body of an answer with the expected status.</summary>
    public static async Task<JsonObject> Json(this HttpResponseMessage answer, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, $"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri?.PathAndQuery}: expected {(int)expected}, got {(int)answer.StatusCode} {text}");
        return text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>A problem of a type; returns its body.</summary>
    public static async Task<JsonObject> Problem(this HttpResponseMessage answer, Problems.ProblemType type)
    {
        var body = await answer.Json((HttpStatusCode)type.Status);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(type.Uri, body["type"]!.GetValue<string>());
        return body;
    }

    public static async Task<HttpResponseMessage> Patch(this HttpClient client, string path, object body, string? ifMatch)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, path) { Content = JsonContent.Create(body) };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }
        return await client.SendAsync(request);
    }

    public static async Task<HttpResponseMessage> PostWithKey(this HttpClient client, string path, object body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key);
        return await client.SendAsync(request);
    }

    public static string Text(this JsonObject json, string member) => json[member]!.GetValue<string>();

    public static Guid Id(this JsonObject json) => json["id"]!.GetValue<Guid>();

    public static JsonObject[] Items(this JsonObject page) => [.. page["items"]!.AsArray().Select(item => item!.AsObject())];

    /// <summary>The fields that a problem names.</summary>
    public static string[] Fields(this JsonObject problem) => [.. problem["errors"]?.AsArray().Select(error => error!["field"]!.GetValue<string>()) ?? []];
}
