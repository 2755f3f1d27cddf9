using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;

namespace AgentPlatform.Bench.Admin;

/// <summary>The lists of the admin API under row level security, in a database that many organizations have filled.</summary>
public sealed class AdminPart : IBenchPart
{
    private const double Goal = 50;
    private const int Organizations = 500;
    private const int Parallel = 4;

    /// <inheritdoc />
    public string Name => "admin";

    /// <inheritdoc />
    public string About => "every list of the admin API: 1 M messages, 200,000 clients, 500 organizations";

    /// <inheritdoc />
    public async Task RunAsync(BenchRun run)
    {
        var (clients, messages) = run.Options.Quick ? (20_000, 100_000) : (200_000, 1_000_000);
        await using var database = await BenchDatabase.CreateAsync();
        await FillAsync(database, clients, messages);
        await using var silo = await SiloProcess.StartAsync(database, new Dictionary<string, string> { ["API_REQUESTS_PER_MINUTE"] = "1000000", ["API_REQUESTS_PER_MINUTE_OF_ORGANIZATION"] = "1000000" });
        using var admin = await AdminClient.SignInAsync(database, silo, TimeSpan.FromSeconds(30));
        var conversation = await database.ScalarAsync<Guid>($"SELECT id FROM conversations WHERE organization_id = '{database.OrganizationId}' LIMIT 1");
        var paths = Lists(await AdminClient.AnswerAsync(await admin.Http.GetAsync("/openapi/v1.json"))).Select(path => path.Replace("{id}", conversation.ToString(), StringComparison.Ordinal)).ToArray();
        var each = run.Options.Quick ? 50 : 500;
        var all = new Histogram();
        var slowest = (Path: "", P99: 0.0);
        foreach (var path in paths)
        {
            // Code is compiled, twice over, and each connection gets to know the tables: what a server has behind it that has been up for a minute.
            await MeasureAsync(admin.Http, path, 100);
            var latency = await MeasureAsync(admin.Http, path, each);
            all.Add(latency);
            if (latency.Milliseconds(0.99) > Goal / 2)
            {
                Console.WriteLine(FormattableString.Invariant($"  {path}: p50 {latency.Milliseconds(0.5):0.0} ms, p99 {latency.Milliseconds(0.99):0.0} ms"));
            }
            if (latency.Milliseconds(0.99) > slowest.P99)
            {
                slowest = (path, latency.Milliseconds(0.99));
            }
        }
        Console.WriteLine(FormattableString.Invariant($"  {paths.Length} lists: p50 {all.Milliseconds(0.5):0.0} ms, p99 {all.Milliseconds(0.99):0.0} ms; slowest {slowest.Path}: p99 {slowest.P99:0.0} ms"));
        var note = FormattableString.Invariant($"{paths.Length} lists, 50 rows a page, {Parallel} at a time; the organization that asks holds a fifth of everything");
        run.Report.Add(new() { Part = Name, Name = "lists, p50", Value = all.Milliseconds(0.5), Unit = "ms", Note = note });
        run.Report.Add(new() { Part = Name, Name = "lists, p99", Value = all.Milliseconds(0.99), Unit = "ms", Goal = Goal, IsCeiling = true, Note = note });
        run.Report.Add(new() { Part = Name, Name = "p99 of the slowest list", Value = slowest.P99, Unit = "ms", Goal = Goal, IsCeiling = true, Note = slowest.Path });
    }

    /// <summary>Lists that need nothing but the organization, or one conversation.</summary>
    private static IEnumerable<string> Lists(JsonNode document) =>
        from path in document["paths"]!.AsObject()
        where !path.Key.Contains('{', StringComparison.Ordinal) || path.Key.StartsWith("/v1/conversations/{id}/", StringComparison.Ordinal)
        where (path.Value!["get"]?["parameters"]?.AsArray() ?? []).Any(parameter => parameter!["name"]!.GetValue<string>() == "limit")
        select path.Key;

    private static async Task<Histogram> MeasureAsync(HttpClient client, string path, int count)
    {
        var all = new Histogram();
        foreach (var histogram in await Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => OneAfterAnother(client, path, count / Parallel))))
        {
            all.Add(histogram);
        }
        return all;
    }

    private static async Task<Histogram> OneAfterAnother(HttpClient client, string path, int count)
    {
        var latency = new Histogram();
        for (var index = 0; index < count; index++)
        {
            var startedAt = Stopwatch.GetTimestamp();
            using var answer = await client.GetAsync($"{path}?limit=50");
            latency.Record((long)Stopwatch.GetElapsedTime(startedAt).TotalMicroseconds);
            answer.EnsureSuccessStatusCode();
        }
        return latency;
    }

    /// <summary>The organization that asks gets a fifth, the others share the rest.</summary>
    private static async Task FillAsync(BenchDatabase database, int clients, int messages)
    {
        await database.FillAsync(0, clients / 5, messages / clients);
        var rest = clients - clients / 5;
        await database.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            SET session_replication_role = replica;
            CREATE TEMP TABLE tenant AS SELECT t AS number, gen_random_uuid() AS organization, gen_random_uuid() AS channel FROM generate_series(0, {Organizations - 2}) t;
            INSERT INTO organizations (id, name, slug) SELECT organization, 'Organization ' || number, 'organization-' || number FROM tenant;
            INSERT INTO channels (id, organization_id, name, platform) SELECT channel, organization, 'Line', 'web' FROM tenant;
            CREATE TEMP TABLE person AS
            SELECT n, t.organization, t.channel, gen_random_uuid() AS client, gen_random_uuid() AS contact, gen_random_uuid() AS conversation
            FROM generate_series(1, {rest}) n JOIN tenant t ON t.number = n % {Organizations - 1};
            INSERT INTO clients (id, organization_id, contact_id, first_name, source) SELECT client, organization, contact, 'Client ' || n, 'web' FROM person;
            INSERT INTO contacts (id, organization_id, channel_id, client_id, platform, platform_user_id, first_identity, name) SELECT contact, organization, channel, client, 'web', n::text, n::text, 'Contact ' || n FROM person;
            INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id) SELECT channel, n::text, contact, organization FROM person;
            INSERT INTO conversations (id, organization_id, channel_id, contact_id, client_id, last_message_at) SELECT conversation, organization, channel, contact, client, now() FROM person;
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content)
            SELECT gen_random_uuid(), organization, conversation, channel, contact, s, 'inbound', 'user', 'received', 'Good day, are there places left?' FROM person, generate_series(1, {messages / clients}) s;
            CREATE TEMP TABLE whose AS SELECT id AS client, organization_id AS organization, row_number() OVER () AS n FROM clients;
            INSERT INTO deals (organization_id, client_id, name, probability) SELECT organization, client, 'Deal ' || n, 10 FROM whose WHERE n % 4 = 0;
            INSERT INTO orders (organization_id, client_id, order_number) SELECT organization, client, n::text FROM whose WHERE n % 4 = 0;
            INSERT INTO activities (organization_id, client_id, activity_type, subject) SELECT organization, client, 'call', 'Call ' || n FROM whose;
            INSERT INTO notes (organization_id, client_id, content) SELECT organization, client, 'Note ' || n FROM whose WHERE n % 2 = 0;
            INSERT INTO activity_logs (organization_id, action_type, entity_type, entity_id) SELECT organization, 'client.updated', 'client', client FROM whose;
            INSERT INTO message_search_positions (organization_id, changed_in, message_id) SELECT id, pg_current_xact_id(), 'ffffffff-ffff-ffff-ffff-ffffffffffff' FROM organizations;
            INSERT INTO usage_daily (organization_id, usage_date, tokens_consumed, conversations)
            SELECT id, (now() AT TIME ZONE 'UTC')::date - d, 1000, 10 FROM organizations, generate_series(0, 364) d;
            SET session_replication_role = origin;
            """));
        await database.ExecuteAsync("VACUUM (ANALYZE)");
        await database.ExecuteAsync("CHECKPOINT");
    }
}
