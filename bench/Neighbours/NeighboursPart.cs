using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;

namespace AgentPlatform.Bench.Neighbours;

/// <summary>What one organization notices of another that floods the API with all that it may send: both sign in as anybody may, with no limit raised.</summary>
public sealed class NeighboursPart : IBenchPart
{
    private const double Goal = 2;
    private const int PerSecond = 100;
    private const int Clients = 20_000;

    /// <inheritdoc />
    public string Name => "neighbours";

    /// <inheritdoc />
    public string About => "an organization's p99 while another one floods the API";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        await using var database = await BenchDatabase.CreateAsync();
        await database.FillAsync(0, Clients, 5);
        // The one that is measured asks more than its members alone would.
        await using var silo = await SiloProcess.StartAsync(database, new Dictionary<string, string> { ["API_REQUESTS_PER_MINUTE"] = "12000" });
        using var admin = await AdminClient.SignInAsync(database, silo, TimeSpan.FromSeconds(60));
        var (tokens, channel) = await SignUp(admin.Http.BaseAddress!);
        var client = (await database.ScalarAsync<Guid>($"SELECT id FROM clients WHERE organization_id = '{database.OrganizationId}' LIMIT 1")).ToString();
        await Measure(admin.Http, client, run.Options.WarmUp);
        var quiet = await Measure(admin.Http, client, 2 * run.Options.Span);
        run.Report.Add(new() { Part = Name, Name = "quiet, p99", Value = quiet.Milliseconds(0.99), Unit = "ms", Note = $"{PerSecond} requests a second, due at their times: a list, a search, a client, a change of it" });
        Console.WriteLine(FormattableString.Invariant($"  quiet: p50 {quiet.Milliseconds(0.5):0.0} ms, p99 {quiet.Milliseconds(0.99):0.0} ms"));
        foreach (var kind in FloodProcess.Kinds)
        {
            using var flood = FloodProcess.Start(kind, admin.Http.BaseAddress!, tokens, channel);
            await Measure(admin.Http, client, run.Options.Span / 2);
            var stored = await Stored(database);
            var busy = await Measure(admin.Http, client, 2 * run.Options.Span);
            stored = await Stored(database) - stored;
            flood.StandardInput.Close();
            await flood.WaitForExitAsync();
            // Segments of the write-ahead log that the flood filled are used again only after one; making new ones holds up all commits.
            await database.ExecuteAsync("CHECKPOINT");
            var ratio = busy.Milliseconds(0.99) / quiet.Milliseconds(0.99);
            Console.WriteLine(FormattableString.Invariant($"  {kind}: p50 {busy.Milliseconds(0.5):0.0} ms, p99 {busy.Milliseconds(0.99):0.0} ms, max {busy.Maximum / 1000.0:0} ms: {ratio:0.0} times the quiet p99"));
            run.Report.Add(new() { Part = Name, Name = $"p99 beside a flood of {kind}", Value = ratio, Unit = "x", Goal = Goal, IsCeiling = true });
            if (stored > 0)
            {
                run.Report.Add(new() { Part = Name, Name = $"messages that the flood of {kind} got in", Value = stored / (2 * run.Options.Span).TotalSeconds, Unit = "/s", Note = "each of a person who writes for the first time" });
            }
        }
    }

    /// <summary>Signs up the one that floods, with the session, the keys and the channel that it can have.</summary>
    private static async Task<(string[] Tokens, Guid Channel)> SignUp(Uri address)
    {
        using var client = new HttpClient { BaseAddress = address };
        var session = await AdminClient.AnswerAsync(await client.PostAsJsonAsync("/v1/auth/sign-up", new { email = "flood@example.com", password = "nine green elephants", organizationName = "Flood" }));
        var tokens = new List<string> { session["accessToken"]!.GetValue<string>() };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tokens[0]);
        for (var number = 0; number < 15; number++)
        {
            var key = await AdminClient.AnswerAsync(await client.PostAsJsonAsync("/v1/api-keys", new { name = $"Key {number}", role = "admin", scopes = new[] { "read", "write" } }));
            tokens.Add(key["key"]!.GetValue<string>());
        }
        var channel = await AdminClient.AnswerAsync(await client.PostAsJsonAsync("/v1/channels", new
        {
            name = "Flood",
            platform = "whatsapp",
            platformChannelId = FloodProcess.PhoneNumberId,
            credentials = new { appSecret = FloodProcess.AppSecret, verifyToken = "v", accessToken = "t" },
            settings = new { apiBaseUrl = "http://127.0.0.1:1" },
        }));
        return ([.. tokens], channel["id"]!.GetValue<Guid>());
    }

    private static Task<long> Stored(BenchDatabase database) => database.ScalarAsync<long>("SELECT count(*) FROM messages");

    private static async Task<Histogram> Measure(HttpClient client, string id, TimeSpan span)
    {
        var latency = new Histogram();
        var count = (int)(span.TotalSeconds * PerSecond);
        var begin = Stopwatch.GetTimestamp();
        var answers = new List<Task>(count);
        for (var index = 0; index < count; index++)
        {
            var due = begin + index * (Stopwatch.Frequency / PerSecond);
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is { Ticks: > 0 } early)
            {
                await Task.Delay(early);
            }
            answers.Add(Ask(client, id, index, due, latency));
        }
        await Task.WhenAll(answers);
        return latency;
    }

    private static async Task Ask(HttpClient client, string id, int index, long due, Histogram latency)
    {
        using var answer = await ((index % 4) switch
        {
            0 => client.GetAsync("/v1/clients?limit=50"),
            1 => client.GetAsync($"/v1/contacts?limit=50&q=Contact%20{Clients / 2 + index}"),
            2 => client.GetAsync($"/v1/clients/{id}"),
            _ => client.SendAsync(new HttpRequestMessage(HttpMethod.Patch, $"/v1/clients/{id}") { Content = JsonContent.Create(new { firstName = $"Name {index}" }), Headers = { IfMatch = { EntityTagHeaderValue.Any } } }),
        });
        var text = await answer.Content.ReadAsStringAsync();
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"{answer.RequestMessage!.RequestUri}: {(int)answer.StatusCode} {text}");
        }
        lock (latency)
        {
            latency.Record((long)Stopwatch.GetElapsedTime(due).TotalMicroseconds);
        }
    }
}
