using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Transfer;
using AgentPlatform.Api.Transfer.Sheets;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Jobs;

public sealed class ImportTests(JobApp app, ITestOutputHelper output) : IClassFixture<JobApp>
{
    private const int Clients = 9;

    [Fact]
    public async Task Good_lines_go_in_and_each_kind_of_bad_line_is_told_with_its_field()
    {
        var organization = await app.NewOrganization();
        var stranger = await app.NewOrganization();
        var foreign = (await stranger.Create("partners", new { name = "Theirs" })).Id();
        var partner = (await organization.Create("partners", new { name = "Ours" })).Id();
        await organization.Create("clients", new { phone = "+15550009999" });
        string[] lines =
        [
            "firstName,phone,email,clientType,leadScore,tags,address,assignedPartnerId,nextFollowUpDate,id",
            $"Anna,+15550000001,anna@example.com,customer,5,vip;north,\"{{\"\"city\"\": \"\"Fes\"\"}}\",{partner},2030-01-01T00:00:00Z,ignored", // 2: good
            "\"Boris \"\"the\"\" Ok,", // 3 and 4: good, with a line break in a value
            "second line\",+15550000002,,,,,,,,",
            "Carl,12345,,,,,,,,", // 5: phone
            "Dora,+15550000003,nobody,,,,,,,", // 6: email
            "Emil,+15550000004,,king,,,,,,", // 7: clientType
            "Fred,+15550000005,,,many,,,,,", // 8: leadScore
            "Gina,+15550000006,,,9999999999,,,,,", // 9: leadScore
            "Hans,+15550000007,,,,,not json,,,", // 10: address
            $"Ines,+15550000008,,,,,,{foreign},,", // 11: another organization's partner
            "Jana,+15550000009,,,,,,nonsense,,", // 12
            "Karl,+15550000010,,,,,,,tomorrow,", // 13
            "Kurt,+15550000020", // 14: good, what is empty at the end left out
            "Lena,+15550000011,,,,,,,,,,too many", // 15
            "Mona,+15550000001,,,,,,,,", // 16: phone of line 2
            "Nina,+15550009999,,,,,,,,", // 17: phone of a client that is there
            "\"Otto\"x,+15550000012,,,,,,,,", // 18: text after a quotation mark
            "Pa\"ul,+15550000013,,,,,,,,", // 19: a quotation mark inside
            "", // 20: nothing, and no line either
            $"{new string('q', 201)},+15550000014,,,,,,,,", // 21: firstName
            "Rita,+15550000015,,,,,,,,", // 22: good
            "Бо́рис,+15550000016,,,,,,,,", // 23: good
            "\"Tom,+15550000017,,,,,,,,", // 24: a quotation mark that nobody closes
            "Uwe,+15550000018,,,,,,,,", // 25: good all the same
        ];
        var bytes = Encoding.UTF8.GetPreamble().Concat(Encoding.UTF8.GetBytes(string.Join("\r\n", lines) + "\r\n")).Concat("V\xffx,+15550000019,,,,,,,,\r\n".Select(character => (byte)character)).ToArray(); // 26: not UTF-8
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "clients", fileId = await organization.Owner.Upload(bytes) });

        Assert.Equal(
            [
                (5, "phone"), (6, "email"), (7, "clientType"), (8, "leadScore"), (9, "leadScore"), (10, "address"), (11, "assignedPartnerId"), (12, "assignedPartnerId"), (13, "nextFollowUpDate"),
                (15, null), (16, "phone"), (17, "phone"), (18, null), (19, null), (21, "firstName"), (24, null), (26, null),
            ],
            await organization.Owner.Errors(job));
        Assert.Equal((6, 17, 1), (job["result"]!["imported"]!.GetValue<int>(), job["result"]!["failed"]!.GetValue<int>(), job["result"]!["skipped"]!.GetValue<int>()));
        var clients = (await organization.Owner.All("clients")).Where(client => client["firstName"] is not null).OrderBy(client => client.Text("phone")).ToArray();
        Assert.Equal(["Anna", "Boris \"the\" Ok,\r\nsecond line", "Rita", "Бо́рис", "Uwe", "Kurt"], clients.Select(client => client.Text("firstName")));
        var anna = clients[0];
        Assert.Equal(("customer", 5, "Fes", partner), (anna.Text("clientType"), anna["leadScore"]!.GetValue<int>(), anna["address"]!["city"]!.GetValue<string>(), anna["assignedPartnerId"]!.GetValue<Guid>()));
        Assert.Equal(["vip", "north"], anna["tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
        Assert.Equal(("lead", 0), (clients[1].Text("clientType"), clients[1]["leadScore"]!.GetValue<int>()));
        var logged = await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={anna.Id()}&actionType=client.created")).Json();
        Assert.Equal("Anna", Assert.Single(logged.Items())["after"]!["firstName"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("{\"name\":\"A\"}\n\n{\"name\":1}\n{broken\n[]\n{\"name\":\"B\",\"rating\":7}\n{\"name\":\"C\",\"nobody\":1}\n{\"name\":\"D\",\"isAvailable\":null}\n{}\n{\"name\":\"E\"}", 2)]
    [InlineData("\uFEFF [{\"name\":\"A\"},\n\n{\"name\":1},\n{broken},\n[],\n{\"name\":\"B\",\"rating\":7},\n{\"name\":\"C\",\"nobody\":1},\n{\"name\":\"D\",\"isAvailable\":null},\n{},\n{\"name\":\"E\"}]", 2)]
    public async Task Json_is_read_as_lines_and_as_an_array(string content, int good)
    {
        var organization = await app.NewOrganization();
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "partners", format = "json", fileId = await organization.Owner.Upload(content) });
        Assert.Equal([(3, "name"), (4, null), (5, null), (6, "rating"), (7, "nobody"), (8, "isAvailable"), (9, "name")], await organization.Owner.Errors(job));
        Assert.Equal(good, job["result"]!["imported"]!.GetValue<int>());
        Assert.Equal(["A", "E"], (await organization.Owner.All("partners")).Select(partner => partner.Text("name")).Order());
    }

    [Fact]
    public async Task An_upsert_changes_what_is_there_and_creates_the_rest()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { phone = "+15550000001", firstName = "Old", lastName = "Stays", tags = new[] { "a" } });
        var file = await organization.Owner.Upload("Mobile,firstName,companyName,junk\n+15550000001,New,,x\n+15550000002,Second,Acme,x\n+15550000002,Third,,x\n,Nameless,,x\n");
        var body = new { resource = "clients", fileId = file, mode = "upsert", key = "phone", mapping = new { Mobile = "phone", junk = "" } };
        var dry = await organization.Owner.Job("/v1/jobs/imports", new { body.resource, body.fileId, body.mode, body.key, body.mapping, dryRun = true });
        Assert.Single(await organization.Owner.All("clients"));
        Assert.Equal([(5L, (string?)"phone")], await organization.Owner.Errors(dry));

        var job = await organization.Owner.Job("/v1/jobs/imports", body);
        Assert.Equal([(5L, (string?)"phone")], await organization.Owner.Errors(job));
        var clients = (await organization.Owner.All("clients")).OrderBy(client => client.Text("phone")).ToArray();
        Assert.Equal(["New Stays", "Third "], clients.Select(client => $"{client.Text("firstName")} {client["lastName"]?.GetValue<string>()}"));
        Assert.Equal("Acme", clients[1].Text("companyName"));
        Assert.Equal(2, clients[0]["version"]!.GetValue<int>());
    }

    [Fact]
    public async Task The_log_tells_from_where_a_job_that_changed_something_was_asked_for()
    {
        var organization = await app.NewOrganization();
        var made = await organization.Create("api-keys", new { name = "Shop", role = "admin", scopes = new[] { "read", "write" } });
        var key = app.Client(made.Text("key"));
        key.DefaultRequestHeaders.UserAgent.ParseAdd("import-test/1.0");
        await organization.Create("clients", new { phone = "+15550000001" });
        var file = await key.Upload("phone,firstName\n+15550000001,Known\n+15550000002,New\n+15550000003,Newer\n");
        await key.Job("/v1/jobs/imports", new { resource = "clients", fileId = file, mode = "upsert", key = "phone" });
        Assert.Equal(["client.created", "client.created", "client.updated"], await Logged());
        foreach (var client in await organization.Owner.All("clients"))
        {
            await key.Job($"/v1/clients/{client.Id()}/erasure", null);
        }
        // Of what was done before, only that it was done is kept.
        Assert.Equal(["client.erased", "client.erased", "client.erased"], await Logged());

        async Task<IEnumerable<string>> Logged()
        {
            var rows = (await (await organization.Owner.GetAsync("/v1/activity-logs?limit=100")).Json()).Items().Where(row => row["userAgent"]?.GetValue<string>() == "import-test/1.0").ToArray();
            Assert.All(rows, row => Assert.Equal(("127.0.0.1", made.Id(), organization.OwnerId), (row.Text("ipAddress"), row["apiKeyId"]!.GetValue<Guid>(), row["userId"]!.GetValue<Guid>())));
            return rows.Where(row => row["entityType"]?.GetValue<string>() == "client").Select(row => row.Text("actionType")).Order(StringComparer.Ordinal);
        }
    }

    [Fact]
    public async Task What_can_not_be_imported_at_all_is_said_at_once()
    {
        var organization = await app.NewOrganization();
        var owner = organization.Owner;
        var file = await owner.Upload("name\nA\n");
        Assert.Equal(["/key"], (await (await owner.PostAsJsonAsync("/v1/jobs/imports", new { resource = "clients", fileId = file, mode = "upsert" })).Problem(ProblemType.Validation)).Fields());
        var foreign = await (await app.NewOrganization()).Owner.Upload("name\nA\n");
        Assert.Equal(["/fileId"], (await (await owner.PostAsJsonAsync("/v1/jobs/imports", new { resource = "partners", fileId = foreign })).Problem(ProblemType.Validation)).Fields());
        var member = await organization.Member(Role.Member);
        // Somebody else's upload is nothing to a member, and his own makes no partners either.
        Assert.Equal(["/fileId"], (await (await member.PostAsJsonAsync("/v1/jobs/imports", new { resource = "partners", fileId = file })).Problem(ProblemType.Validation)).Fields());
        var own = await member.Upload("name\nA\n");
        await (await member.PostAsJsonAsync("/v1/jobs/imports", new { resource = "partners", fileId = own })).Problem(ProblemType.Forbidden);
        var job = await owner.Job("/v1/jobs/imports", new { resource = "partners", fileId = await owner.Upload("name,colour\nA,red\n") }, "failed");
        Assert.Contains("colour", job.Text("error"), StringComparison.Ordinal);
        var limit = app.Services.GetRequiredService<FileLimits>().MaxBytes;
        // The answer comes before the content is sent.
        using var upload = new HttpRequestMessage(HttpMethod.Post, "/v1/files") { Content = new ByteArrayContent(new byte[limit + 1]), Headers = { ExpectContinue = true } };
        var large = await (await owner.SendAsync(upload)).Problem(ProblemType.BodyTooLarge);
        Assert.Contains("FILE_MAX_BYTES", large.Text("detail"), StringComparison.Ordinal);
        Assert.Empty(await owner.All("partners"));
    }

    [Theory]
    [InlineData("partners", "utf-8")]
    [InlineData("partners", "utf-16le")]
    [InlineData("orders", "utf-8")]
    public async Task Wherever_a_silo_dies_each_line_goes_in_once(string resource, string encoding)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var organization = await app.NewOrganization();
        var count = random.Next(3000, 6000);
        var isOrders = resource == "orders";
        var csv = new StringBuilder(isOrders ? "orderNumber,shippingAddress,tax,client.phone\n" : "name,conditions,rating,contactPhone\n");
        var (bad, blank) = (0, 0);
        for (var index = 0; index < Clients; index++)
        {
            await organization.Create("clients", new { phone = $"+1555000000{index}" });
        }
        for (var index = 0; index < count; index++)
        {
            var isBad = random.Next(50) == 0;
            bad += isBad ? 1 : 0;
            var text = $"{new string('x', random.Next(300))}\nmore";
            var phone = $"+1555000000{(isOrders && isBad ? Clients : index % Clients)}";
            csv.Append(CultureInfo.InvariantCulture, $"row {index},\"{(isOrders ? $"{{\"\"street\"\": \"\"{text.Replace("\n", "\\n", StringComparison.Ordinal)}\"\"}}" : text)}\",{(!isOrders && isBad ? "7" : "4.5")},{phone}\n");
            if (random.Next(100) == 0)
            {
                csv.Append(",,,\n");
                blank++;
            }
        }
        var file = await organization.Owner.Upload(CsvEncoding.Find(encoding).GetBytes(csv.ToString()));
        var id = Guid.CreateVersion7();
        await organization.Execute(
            "INSERT INTO jobs (id, organization_id, user_id, type, work, payload, due_at) VALUES ($1, $2, $3, 'file_processing', 'resource_import', jsonb_build_object('resource', $5, 'fileId', $4, 'format', 'csv'), now() + interval '1 hour')",
            id, organization.Id, organization.OwnerId, file, resource);
        var store = app.Services.GetRequiredService<JobStore>();
        var work = new ImportWork(app.Services, app.Services.GetRequiredService<ApiDataSource>(), app.Services.GetRequiredService<FileStore>(), TimeProvider.System);
        var (isDone, runs) = (false, 0);
        for (; !isDone; runs++)
        {
            // The silo of this run lives until it dies; the product's own sweep never sees a job without one.
            var silo = Guid.CreateVersion7();
            await organization.Execute("INSERT INTO engine_instances (id, host, heartbeat_at) VALUES ($1, 'test', now() + interval '1 hour')", silo);
            await organization.Execute("UPDATE jobs SET status = 'processing', started_at = now(), due_at = now(), instance_id = $2, attempts = attempts + 1 WHERE id = $1", id, silo);
            var job = new Job(
                id, organization.Id, organization.OwnerId, ImportWork.WorkName, (await Text("payload"))!, (await Text("progress"))!, await Text("position"),
                await app.Database.ScalarAsAdminAsync<int>($"SELECT attempts FROM jobs WHERE id = '{id}'"));
            using var death = new CancellationTokenSource();
            var left = random.Next(1, 4);
            var run = new JobRun(job, silo, new JobOptions { ProgressInterval = TimeSpan.Zero }, TimeProvider.System, () =>
            {
                if (--left == 0)
                {
                    // In the middle of the next chunk, or at once.
                    death.CancelAfter(TimeSpan.FromMilliseconds(random.Next(0, 60)));
                }
            });
            try
            {
                await work.Run(run, death.Token);
                isDone = await store.End(run, silo, JobStatuses.Completed, null, null, CancellationToken.None);
            }
            catch (Exception failure) when (death.IsCancellationRequested || PostgresFailures.IsUnavailable(failure))
            {
                output.WriteLine($"died in chunk after {run.Progress.Processed}: {failure.GetType().Name}");
            }
        }
        output.WriteLine($"{runs} runs, {count} lines, {bad} bad");
        Assert.Equal(count - bad, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(DISTINCT {(isOrders ? "order_number" : "name")}) FROM {resource} WHERE organization_id = '{organization.Id}'"));
        Assert.Equal(count - bad, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM {resource} WHERE organization_id = '{organization.Id}'"));
        Assert.Equal(isOrders ? 4.5m * (count - bad) : 0, await app.Database.ScalarAsAdminAsync<decimal>($"SELECT sum(total_revenue) FROM clients WHERE organization_id = '{organization.Id}'"));
        Assert.Equal(bad, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(DISTINCT line) FROM job_errors WHERE job_id = '{id}'"));
        var progress = JsonNode.Parse((await Text("progress"))!)!;
        Assert.Equal((count, count - bad, bad, blank), (progress["processed"]!.GetValue<int>(), progress["succeeded"]!.GetValue<int>(), progress["failed"]!.GetValue<int>(), progress["skipped"]!.GetValue<int>()));

        Task<string?> Text(string column) => app.Database.ScalarAsAdminAsync<string>($"SELECT {column}::text FROM jobs WHERE id = '{id}'");
    }
}
