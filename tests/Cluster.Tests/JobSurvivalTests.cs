using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.Survival;
using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Cluster.Tests;

/// <summary>The product as docker-compose.yml runs it: silos without an API, and an API that is their client.</summary>
public sealed class JobSurvivalTests
{
    private const int Lines = 20_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task An_import_whose_silo_is_killed_is_finished_by_another_one_and_brings_each_line_once()
    {
        await using var database = await TestDatabase.CreateAsync();
        var cluster = new Dictionary<string, string>
        {
            ["API_IN_SILO"] = "false",
            ["JOB_PROGRESS_MILLISECONDS"] = "0",
            ["ORLEANS_CLUSTERING"] = "postgres",
            ["ORLEANS_CLUSTER_ID"] = $"jobs-{Environment.TickCount}",
            ["ORLEANS_ADVERTISED_IP"] = "127.0.0.1",
            ["ORLEANS_RESPONSE_TIMEOUT_SECONDS"] = "5",
        };
        await using var first = new SiloProcess(database.Url, cluster);
        await first.Start();
        var firstId = await database.ScalarAsAdminAsync<Guid>("SELECT id FROM engine_instances");
        await using var second = new SiloProcess(database.Url, cluster);
        await second.Start();
        await using var api = new SiloProcess(database.Url, cluster, "Api");
        await api.Start();
        using var client = new HttpClient { BaseAddress = api.Address };
        var owner = await Post(client, "/v1/auth/sign-up", new JsonObject { ["email"] = "owner@example.com", ["password"] = "seven blue elephants 77", ["organizationName"] = "Acme" });
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)owner["accessToken"]!);

        using var content = new StringContent($"firstName,phone\n{string.Join('\n', Enumerable.Range(0, Lines).Select(static line => $"Client {line},+4930{line:0000000}"))}", Encoding.UTF8, "text/csv");
        using var uploaded = await client.PostAsync("/v1/files", content);
        var file = (await uploaded.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonObject>())!;
        var job = await Post(client, "/v1/jobs/imports", new JsonObject { ["resource"] = "clients", ["fileId"] = (string)file["id"]! });

        await Until(client, job, static job => (int?)job["progress"]!["processed"] > 0);
        var holder = await database.ScalarAsAdminAsync<Guid>("SELECT instance_id FROM jobs WHERE status = 'processing'");
        await (holder == firstId ? first : second).Kill();

        var ended = await Until(client, job, static job => job["completedAt"] is not null || job["failedAt"] is not null);
        Assert.Equal(("completed", Lines, 2), ((string)ended["status"]!, (int)ended["result"]!["imported"]!, (int)ended["attempts"]!));
        Assert.Equal(Lines, await database.ScalarAsAdminAsync<long>("SELECT count(*) FROM clients"));
        Assert.Equal(Lines, await database.ScalarAsAdminAsync<long>("SELECT count(DISTINCT phone) FROM clients"));
    }

    private static async Task<JsonObject> Post(HttpClient client, string path, JsonObject body)
    {
        using var answer = await client.PostAsJsonAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, $"{path} answered {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        return (await answer.Content.ReadFromJsonAsync<JsonObject>())!;
    }

    private static async Task<JsonObject> Until(HttpClient client, JsonObject job, Func<JsonObject, bool> wanted)
    {
        using var patience = new CancellationTokenSource(Patience);
        JsonObject? last = null;
        while (!patience.IsCancellationRequested)
        {
            last = (await client.GetFromJsonAsync<JsonObject>($"/v1/jobs/{(string)job["id"]!}"))!;
            if (wanted(last))
            {
                return last;
            }
            await Task.Delay(50);
        }
        throw new TimeoutException($"The job stayed like this: {last}");
    }
}
