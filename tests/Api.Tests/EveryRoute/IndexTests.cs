using System.Net;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>
/// Every list, with each of its filters, sorts and searches, on tables that are full: what Postgres then did is read from its own counters, which need no module.
/// A scan of a whole large table has no excuse, and a page of one organization's few rows must not be paid for with another's many. Of every other route
/// <see cref="PlanTests"/> reads the plans themselves.
/// </summary>
public sealed class IndexTests(IndexTests.RequestsOnly app, ITestOutputHelper output) : IClassFixture<IndexTests.RequestsOnly>
{
    /// <summary>
    /// Rows that the requests of the small organization for one list, together, may read from one large table: all of its own for each of them, yet less than
    /// one look at everybody's.
    /// </summary>
    private const long MostRead = FilledDatabase.Rows / 2;

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

    private static readonly string[] Large =
    [
        "messages", "conversations", "contacts", "contact_identities", "clients", "turns", "activity_logs", "client_status_history", "deals", "deal_stage_history",
        "orders", "activities", "notes", "notifications", "message_search", "usage_daily", "client_tours", "client_products",
    ];

    [Fact]
    public async Task No_list_reads_a_large_table_as_a_whole()
    {
        var organization = await app.NewOrganization();
        await FilledDatabase.Fill(app, organization);
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
            foreach (var query in ListQueries.Of(operation))
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
}
