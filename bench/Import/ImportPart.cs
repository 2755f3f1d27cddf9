using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;

namespace AgentPlatform.Bench.Import;

/// <summary>A CSV file of clients through the API: uploaded, imported as a job by the resource's own rules, audited; then exported again.</summary>
public sealed class ImportPart : IBenchPart
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <inheritdoc />
    public string Name => "import";

    /// <inheritdoc />
    public string About => "import of 100,000 clients as a CSV file, and their export";

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
        var seconds = imported["duration"]!.GetValue<double>() / 1000;
        if (imported["result"]!["imported"]!.GetValue<int>() != count)
        {
            throw new InvalidOperationException($"Not all clients went in: {imported.ToJsonString()}");
        }
        Console.WriteLine(FormattableString.Invariant($"  import: {count / seconds:N0}/s; {shares}"));
        run.Report.Add(new() { Part = Name, Name = "clients imported", Value = count / seconds, Unit = "/s", Goal = 5000, Note = $"{count:N0} lines of CSV, audit rows included; from the job's start to its end" });

        var exported = await Job(client, "/v1/jobs/exports", new { resource = "clients", format = "csv" });
        run.Report.Add(new() { Part = Name, Name = "clients exported", Value = (count + 5000) / (exported["duration"]!.GetValue<double>() / 1000), Unit = "/s", Note = "all fields as CSV" });
    }

    private static async Task<JsonNode> Import(HttpClient client, int first, int count)
    {
        var csv = new StringBuilder("firstName,lastName,email,phone,source,clientType,leadScore,tags\n");
        for (var index = first; index < first + count; index++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"Anna {index},\"Of, {index % 977}\",anna{index}@example.com,+1555{index:0000000},website,lead,{index % 100},vip;tour\n");
        }
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(csv.ToString()));
        var file = await AdminClient.AnswerAsync(await client.PostAsync("/v1/files?name=clients.csv", content));
        return await Job(client, "/v1/jobs/imports", new { resource = "clients", fileId = file["id"]!.GetValue<Guid>() });
    }

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
