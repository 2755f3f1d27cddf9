using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>
/// Every list, with each of its filters, sorts and searches, on tables that are full: what Postgres then did is read from its own counters. A scan of a whole
/// large table has no excuse, and a page of one organization's few rows must not be paid for with another's many.
/// </summary>
public sealed class IndexTests(IndexTests.RequestsOnly app, ITestOutputHelper output) : IClassFixture<IndexTests.RequestsOnly>
{
    /// <summary>Rows of the large organization in each large table; the small one, which asks, has a hundredth.</summary>
    private const int Rows = 5_000;

    /// <summary>
    /// Rows that the requests of the small organization for one list, together, may read from one large table: all of its own for each of them, yet less than
    /// one look at everybody's.
    /// </summary>
    private const long MostRead = Rows / 2;

    /// <summary>Nothing reads but requests: the counters are everybody's.</summary>
    public sealed class RequestsOnly : ApiApp
    {
        protected override void Configure(WebApplicationBuilder builder)
        {
            var others = builder.Services.ToHashSet();
            base.Configure(builder);
            foreach (var service in builder.Services.Where(service => service.ServiceType == typeof(IHostedService) && !others.Contains(service)).ToArray())
            {
                builder.Services.Remove(service);
            }
        }
    }

    private static readonly string[] Texts = ["anna", "+15550001111", "USD", "en", "2026-01-01"];

    private static readonly string[] Large =
    [
        "messages", "conversations", "contacts", "contact_identities", "clients", "turns", "activity_logs", "client_status_history", "deals", "deal_stage_history",
        "orders", "activities", "notes", "notifications", "message_search", "usage_daily", "client_tours", "client_products",
    ];

    [Fact]
    public async Task No_list_reads_a_large_table_as_a_whole()
    {
        var organization = await app.NewOrganization();
        await Fill(await app.NewOrganization(), Rows, "large");
        await Fill(organization, Rows / 100, "small");
        await app.Database.ExecuteAsAdminAsync("ANALYZE");
        var conversation = await app.Database.ScalarAsAdminAsync<Guid>($"SELECT id FROM conversations WHERE organization_id = '{organization.Id}' LIMIT 1");
        var failures = new List<string>();
        var count = 0;
        var seen = 0L;
        // Super admins' list of all organizations is of the whole installation; what they see of one is bound to it as its own people's lists are.
        foreach (var operation in (await ApiDescription.Read(app)).Operations.Where(operation =>
            operation.Method == "GET" && operation.Parameters("query").Contains("limit") && !PopulatedOrganization.IsOfInstallation(operation)))
        {
            var path = operation.Path.Replace("{id}", conversation.ToString(), StringComparison.Ordinal);
            await Forget();
            var before = await Counters();
            foreach (var query in Queries(operation))
            {
                var answer = await organization.Owner.GetAsync($"{path}?{query}");
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.NotFound, $"{path}?{query}: {await answer.Content.ReadAsStringAsync()}");
                count++;
            }
            await Forget();
            foreach (var (table, after) in await Counters())
            {
                var (scans, read) = (after.Scans - before[table].Scans, after.Read - before[table].Read);
                seen += read;
                if (scans > 0 || read > MostRead)
                {
                    failures.Add($"{operation.Path}: {table} was scanned as a whole {scans} times, {read} of its rows were read");
                }
            }
        }
        output.WriteLine($"{count} requests");
        Assert.True(seen > count, $"only {seen} rows were seen to be read: the counters don't tell");
        Assert.True(count > 200, $"only {count} requests were tried");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
    }

    /// <summary>The list as it is, by each sort, with each filter, with a search.</summary>
    private static IEnumerable<string> Queries(ApiOperation operation)
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

    /// <summary>A server process reports what it read when it ends; so all that the API has now end.</summary>
    private async Task Forget()
    {
        var processes = await app.Database.ScalarAsAdminAsync<int[]>(
            $"SELECT coalesce(array_agg(pid), '{"{}"}') FROM pg_stat_activity WHERE datname = current_database() AND usename = '{DataOptions.ApiRole}' AND query NOT LIKE 'LISTEN%'");
        app.Services.GetRequiredService<ApiDataSource>().Source.Clear();
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>(
            $"SELECT count(*) FROM pg_stat_activity WHERE pid = ANY ('{"{"}{string.Join(',', processes!)}{"}"}')") == 0);
    }

    private async Task<Dictionary<string, (long Scans, long Read)>> Counters()
    {
        await using var connection = new NpgsqlConnection(app.Database.DataOptions.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT relname, coalesce(seq_scan, 0), coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = ANY ($1)", connection)
        {
            Parameters = { new() { Value = Large } },
        };
        await using var row = await command.ExecuteReaderAsync();
        var counters = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
        while (await row.ReadAsync())
        {
            counters[row.GetString(0)] = (row.GetInt64(1), row.GetInt64(2));
        }
        return counters;
    }

    private Task Fill(TestOrganization organization, int rows, string word) => app.Database.ExecuteAsAdminAsync(string.Create(CultureInfo.InvariantCulture, $"""
        SET session_replication_role = replica;
        CREATE TEMP TABLE ids AS SELECT n, gen_random_uuid() AS client, gen_random_uuid() AS contact, gen_random_uuid() AS conversation, gen_random_uuid() AS deal, gen_random_uuid() AS message FROM generate_series(1, {rows}) n;
        CREATE TEMP TABLE channel AS SELECT gen_random_uuid() AS id;
        INSERT INTO channels (id, organization_id, name, platform) SELECT id, '{organization.Id}', '{word}', 'web' FROM channel;
        INSERT INTO clients (id, organization_id, contact_id, first_name, phone, source, created_at) SELECT client, '{organization.Id}', contact, 'Client ' || n, '+1555' || lpad(n::text, 7, '0'), 'web', now() - n * interval '1 minute' FROM ids;
        INSERT INTO contacts (id, organization_id, channel_id, client_id, platform, platform_user_id, name, created_at)
        SELECT contact, '{organization.Id}', channel.id, client, 'web', n::text, 'Contact ' || n, now() - n * interval '1 minute' FROM ids, channel;
        INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id) SELECT channel.id, n::text, contact, '{organization.Id}' FROM ids, channel;
        INSERT INTO conversations (id, organization_id, channel_id, contact_id, client_id, last_message_at) SELECT conversation, '{organization.Id}', channel.id, contact, client, now() - n * interval '1 minute' FROM ids, channel;
        INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content)
        SELECT message, '{organization.Id}', conversation, channel.id, contact, 1, 'inbound', 'user', 'received', 'Hello ' || n FROM ids, channel;
        INSERT INTO message_search (message_id, organization_id, conversation_id, search)
        SELECT message, '{organization.Id}', conversation, to_tsvector('simple', 'Hello ' || n) || to_tsvector('simple', organization_word('{organization.Id}')) FROM ids;
        INSERT INTO message_search_positions (organization_id, changed_in, message_id) VALUES ('{organization.Id}', pg_current_xact_id(), 'ffffffff-ffff-ffff-ffff-ffffffffffff');
        INSERT INTO turns (id, organization_id, conversation_id, state, epoch, first_sequence, last_sequence, due_at, finished_at)
        SELECT gen_random_uuid(), '{organization.Id}', conversation, 'completed', 0, 1, 1, now(), now() FROM ids;
        INSERT INTO activity_logs (organization_id, action_type, entity_type, entity_id, created_at) SELECT '{organization.Id}', 'client.updated', 'client', client, now() - n * interval '1 minute' FROM ids;
        INSERT INTO client_status_history (organization_id, client_id, new_status, changed_by) SELECT '{organization.Id}', client, 'qualified', 'system' FROM ids;
        INSERT INTO deals (id, organization_id, client_id, name, probability, created_at) SELECT deal, '{organization.Id}', client, 'Deal ' || n, 10, now() - n * interval '1 minute' FROM ids;
        INSERT INTO orders (organization_id, client_id, order_number, created_at) SELECT '{organization.Id}', client, n::text, now() - n * interval '1 minute' FROM ids;
        INSERT INTO activities (organization_id, client_id, activity_type, subject, created_at) SELECT '{organization.Id}', client, 'call', 'Call ' || n, now() - n * interval '1 minute' FROM ids;
        INSERT INTO notes (organization_id, client_id, content, created_at) SELECT '{organization.Id}', client, 'Note ' || n, now() - n * interval '1 minute' FROM ids;
        DROP TABLE ids, channel;
        SET session_replication_role = origin;
        """));
}
