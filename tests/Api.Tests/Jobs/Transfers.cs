using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Uploads, jobs and downloads as a client of the API does them.</summary>
internal static class Transfers
{
    public static async Task<Guid> Upload(this HttpClient client, byte[] content, string name = "file.csv") =>
        (await (await client.PostAsync($"/v1/files?name={name}", new ByteArrayContent(content))).Json(HttpStatusCode.Created)).Id();

    public static Task<Guid> Upload(this HttpClient client, string content) => client.Upload(Encoding.UTF8.GetBytes(content));

    /// <summary>Starts a job and waits for its end; null for any.</summary>
    public static async Task<JsonObject> Job(this HttpClient client, string path, object? body, string? expected = "completed", TimeSpan? within = null)
    {
        var id = (await (await client.PostAsJsonAsync(path, body)).Json(HttpStatusCode.Accepted)).Id();
        return await client.Ended(id, expected, within);
    }

    /// <summary>Waits for a job's end.</summary>
    public static async Task<JsonObject> Ended(this HttpClient client, Guid id, string? expected = "completed", TimeSpan? within = null)
    {
        JsonObject job = [];
        await Eventually.Holds(async () => (job = await (await client.GetAsync($"/v1/jobs/{id}")).Json()).Text("status") is "completed" or "failed" or "cancelled", within);
        Assert.True(expected is null || job.Text("status") == expected, job.ToJsonString());
        return job;
    }

    /// <summary>All that is wrong with single lines: line, field.</summary>
    public static async Task<(long Line, string? Field)[]> Errors(this HttpClient client, JsonObject job) =>
        [.. (await (await client.GetAsync($"/v1/jobs/{job.Id()}/job-errors?limit=200")).Json()).Items().Select(error => (error["line"]!.GetValue<long>(), error["field"]?.GetValue<string>()))];

    public static async Task<byte[]> Download(this HttpClient client, JsonObject job) =>
        await client.GetByteArrayAsync($"/v1/files/{job["result"]!["fileId"]!.GetValue<Guid>()}/content");

    /// <summary>All rows of a list.</summary>
    public static async Task<JsonObject[]> All(this HttpClient client, string path) => (await (await client.GetAsync($"/v1/{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit=200")).Json()).Items();
}
