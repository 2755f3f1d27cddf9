using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;
using static System.FormattableString;

namespace AgentPlatform.Bench.Import;

/// <summary>A CSV file of clients through the API: uploaded, imported as a job by the resource's own rules, audited; then exported again.</summary>
public sealed class ImportPart : IBenchPart
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <inheritdoc />
    public string Name => "import";

    /// <inheritdoc />
    public string About => "import of 100,000 clients as a CSV file, and their export; import of what refers to them";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        var count = run.Options.Quick ? 20_000 : 100_000;
        await using var database = await BenchDatabase.CreateAsync();
        await using var silo = await SiloProcess.StartAsync(database);
        using var admin = await AdminClient.SignInAsync(database, silo, Patience);
        var client = admin.Http;

        // Its code is compiled while it runs.
        await Import(client, 0, 5000);
        var processors = ProcessorTime.Start(("postgres", () => ProcessorTime.OfTree(database.ServerProcessId)), ("silo", silo.ProcessorSeconds));
        var imported = await Import(client, 5000, count);
        var shares = processors.Stop();
        Console.WriteLine(Invariant($"  import: {Rate(imported, count):N0}/s; {shares}"));
        run.Report.Add(new() { Part = Name, Name = "clients imported", Value = Rate(imported, count), Unit = "/s", Goal = 5000, Note = $"{count:N0} lines of CSV, audit rows included; from the job's start to its end" });

        // The same people once more, each line with another score.
        var changed = await Import(client, 5000, count, 1);
        Console.WriteLine(Invariant($"  upsert: {Rate(changed, count):N0}/s"));
        run.Report.Add(
            new() { Part = Name, Name = "clients changed", Value = Rate(changed, count), Unit = "/s", Goal = 3000, Note = "the same lines with mode `upsert`, by phone number, each with one field that differs; audit rows included" },
            ("clients imported", Rate(imported, count)));

        var exported = await Job(client, "/v1/jobs/exports", new { resource = "clients", format = "csv" });
        run.Report.Add(new() { Part = Name, Name = "clients exported", Value = (count + 5000) / (exported["duration"]!.GetValue<double>() / 1000), Unit = "/s", Note = "all fields as CSV" });
        await ImportOthers(run, client, count / 5);
    }

    /// <summary>What refers to clients, each line by its client's phone number.</summary>
    private async Task ImportOthers(BenchRun run, HttpClient client, int count)
    {
        await AdminClient.AnswerAsync(await client.PostAsJsonAsync("/v1/channels", new { name = "Imported", platform = "web" }));
        (string Resource, string Header, Func<int, string> Line)[] others =
        [
            ("contacts", "channel.name,platformUserId,name,client.phone", index => Invariant($"Imported,visitor-{index},Anna {index},{Phone(index)}")),
            ("deals", "name,dealValue,stage,client.phone,externalId", index => Invariant($"Deal {index},{index % 1000},proposal,{Phone(index)},x{index}")),
            ("orders", "orderNumber,client.phone,deal.externalId,items,tax", index =>
                Invariant($"{index},{Phone(index)},x{index},\"[{{\"\"name\"\": \"\"Tent\"\", \"\"quantity\"\": 2, \"\"unitPrice\"\": 99.5}}]\",7")),
            ("activities", "activityType,subject,client.phone,status,completedAt,createdAt", index => Invariant($"call,Call {index},{Phone(index)},completed,2024-05-01T10:00:00Z,2024-05-01T09:00:00Z")),
            ("notes", "content,client.phone,noteType,createdAt", index => Invariant($"Note {index},{Phone(index)},general,2024-05-01T09:00:00Z")),
        ];
        foreach (var (resource, header, line) in others)
        {
            var imported = await Import(client, resource, header, Enumerable.Range(0, count).Select(line));
            run.Report.Add(new() { Part = Name, Name = $"{resource} imported", Value = Rate(imported, count), Unit = "/s", Note = $"{count:N0} lines of CSV, each with its client's phone number" });
        }
    }

    /// <param name="round">0 for clients that are new; any other changes those of the round before.</param>
    private static Task<JsonNode> Import(HttpClient client, int first, int count, int round = 0) => Import(
        client, "clients", "firstName,lastName,email,phone,source,clientType,leadScore,tags",
        Enumerable.Range(first, count).Select(index => Invariant($"Anna {index},\"Of, {index % 977}\",anna{index}@example.com,{Phone(index)},website,lead,{(index % 100) + round},vip;tour")),
        round == 0 ? null : "phone");

    private static async Task<JsonNode> Import(HttpClient client, string resource, string header, IEnumerable<string> lines, string? key = null)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join('\n', lines.Prepend(header))));
        var file = await AdminClient.AnswerAsync(await client.PostAsync($"/v1/files?name={resource}.csv", content));
        return await Job(client, "/v1/jobs/imports", new { resource, fileId = file["id"]!.GetValue<Guid>(), mode = key is null ? "create" : "upsert", key });
    }

    private static string Phone(int index) => Invariant($"+1555{index:0000000}");

    private static double Rate(JsonNode imported, int count) => imported["result"]!["imported"]!.GetValue<int>() == count
        ? count / (imported["duration"]!.GetValue<double>() / 1000)
        : throw new InvalidOperationException($"Not all lines went in: {imported.ToJsonString()}");

    private static async Task<JsonNode> Job(HttpClient client, string path, object body)
    {
        var job = await AdminClient.AnswerAsync(await client.PostAsJsonAsync(path, body));
        var address = $"/v1/jobs/{job["id"]!.GetValue<Guid>()}";
        using var patience = new CancellationTokenSource(Patience);
        while (job["status"]!.GetValue<string>() is "pending" or "processing")
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), patience.Token);
            job = await AdminClient.AnswerAsync(await client.GetAsync(address, patience.Token));
        }
        return job["status"]!.GetValue<string>() == "completed" ? job : throw new InvalidOperationException(job.ToJsonString());
    }
}
