using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>Ids of another organization where no route's description has a place for them: in files and filters of jobs, keys of requests, positions of event streams, tokens of visitors.</summary>
public sealed class IsolationBesideTests(EngineApp app) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task A_line_of_an_import_can_not_name_things_of_another_organization()
    {
        var (victim, stranger) = (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app));
        var owner = stranger.Organization.Owner;
        foreach (var (resource, line, property) in new[]
        {
            ("products", "name,partnerId\nTour,{0}\n", "partnerId"), ("clients", "firstName,assignedTo\nAnna,{0}\n", "assignedTo"), ("clients", "firstName,assignedPartnerId\nAnna,{0}\n", "assignedPartnerId"),
            ("tours", "productId,startDate,endDate\n{0},2030-01-01T00:00:00Z,2030-01-02T00:00:00Z\n", "productId"), ("knowledge-articles", "title,content,categoryId\nSahara,Sand,{0}\n", "categoryId"),
            ("knowledge-categories", "title,parentId\nTours,{0}\n", "parentId"),
        })
        {
            async Task<string> Told(Guid id)
            {
                var job = await owner.Job("/v1/jobs/imports", new { resource, fileId = await owner.Upload(line.Replace("{0}", id.ToString(), StringComparison.Ordinal)) });
                var error = Assert.Single((await (await owner.GetAsync($"/v1/jobs/{job.Id()}/job-errors")).Json()).Items());
                return $"{error["line"]} {error["field"]} {error["detail"]} {job["progress"]!.ToJsonString()}";
            }

            var operation = (await ApiDescription.Read(app)).Operations.Single(operation => operation.Id == "importResource");
            var foreign = await Told(victim.Ids[PopulatedOrganization.Named(operation, property)!]);
            Assert.Contains(property, foreign, StringComparison.Ordinal);
            Assert.Equal(await Told(Guid.NewGuid()), foreign);
        }
    }

    [Fact]
    public async Task Nothing_is_asked_about_a_row_of_another_organization_that_is_not_asked_about_one_that_nobody_has()
    {
        var (victim, stranger) = (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app));
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        var tables = new List<string>();
        await using (var command = new NpgsqlCommand("""
            SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relrowsecurity AND has_table_privilege('agentplatform_api', c.oid, 'UPDATE')
                AND (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('id', 'organization_id')) = 2 ORDER BY 1
            """, connection))
        await using (var row = await command.ExecuteReaderAsync())
        {
            while (await row.ReadAsync())
            {
                tables.Add(row.GetString(0));
            }
        }
        var compared = 0;
        foreach (var table in tables)
        {
            if (await app.Database.ScalarAsAdminAsync<Guid?>($"SELECT id FROM {table} WHERE organization_id = '{victim.Organization.Id}' LIMIT 1") is not { } foreign)
            {
                continue;
            }
            // A function that is called for the one and not for the other makes its answer come later.
            Assert.Equal((table, await Calls(table, Guid.NewGuid())), (table, await Calls(table, foreign)));
            compared++;
        }
        Assert.True(compared > 40, $"Only {compared} tables have a row.");

        async Task<long> Calls(string table, Guid id)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using var enter = new NpgsqlCommand($"""
                SET LOCAL track_functions = 'all';
                SET LOCAL enable_seqscan = off;
                CALL enter_tenant('{stranger.Organization.Id}', '{stranger.Organization.OwnerId}', 'owner');
                SET LOCAL ROLE agentplatform_api;
                """, connection, transaction);
            await enter.ExecuteNonQueryAsync();
            // What earlier transactions called is counted too, for a while.
            var before = await Called();
            await using var command = new NpgsqlCommand($"SELECT 1 FROM {table} t WHERE t.organization_id = '{stranger.Organization.Id}' AND t.id = '{id}' FOR UPDATE OF t", connection, transaction);
            Assert.Null(await command.ExecuteScalarAsync());
            return await Called() - before;

            async Task<long> Called()
            {
                await using var calls = new NpgsqlCommand("SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_xact_user_functions", connection, transaction);
                return (long)(await calls.ExecuteScalarAsync())!;
            }
        }
    }

    [Fact]
    public async Task A_filter_of_an_export_can_not_find_things_of_another_organization()
    {
        var (victim, stranger) = (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app));
        var owner = stranger.Organization.Owner;
        foreach (var (resource, filter, kind) in new[] { ("deals", "clientId", "clients"), ("orders", "dealId", "deals"), ("activities", "clientId", "clients"), ("tours", "productId", "products") })
        {
            async Task<string> Exported(Guid id)
            {
                var job = await owner.Job("/v1/jobs/exports", new { resource, format = "jsonl", filters = new Dictionary<string, string> { [filter] = id.ToString() } });
                return System.Text.Encoding.UTF8.GetString(await owner.Download(job));
            }

            var foreign = await Exported(victim.Ids[kind]);
            Assert.Empty(foreign.Trim());
            Assert.NotEmpty(await Exported(stranger.Ids[kind]));
            Assert.Equal(await Exported(Guid.NewGuid()), foreign);
        }
    }

    [Fact]
    public async Task The_key_of_a_request_of_another_organization_is_a_new_one_here()
    {
        var (victim, stranger) = (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app));
        var (theirs, mine) = (await EveryRequest.Of(app, victim), await EveryRequest.Of(app, stranger));
        var tried = 0;
        foreach (var operation in EveryRequest.InOrder(await ApiDescription.Read(app)).Where(operation => operation.Parameters("header").Contains("Idempotency-Key")))
        {
            var key = Guid.NewGuid().ToString();
            var (first, second) = (await theirs.Send(operation, "keys/1.0", "", key), await mine.Send(operation, "keys/1.0", "", key));
            Assert.True(first.IsSuccess && second.Status == first.Status, $"{operation}: {first.Status} {first.Text}, then {second.Status} {second.Text}");
            Assert.DoesNotContain(victim.Organization.Id.ToString(), second.Text, StringComparison.Ordinal);
            Assert.True(Id(first) is { } known ? Id(second) != known : first.Text != second.Text || first.Text.Length == 0, $"{operation} gave another organization's answer: {second.Text}");
            tried++;
        }
        Assert.True(tried > 40, $"Only {tried} routes were tried.");

        static string? Id(EveryRequest.Outcome outcome) => outcome.Text.StartsWith('{') ? JsonNode.Parse(outcome.Text)!["id"]?.GetValue<string>() : null;
    }

    [Fact]
    public async Task A_position_in_the_events_of_another_organization_shows_none_of_them()
    {
        var (victim, stranger) = (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app));
        using var theirs = await EventReader.Open(victim.Organization.Owner);
        var position = (await theirs.Next())!.Id;
        await victim.Line.Write("15550002222", "A secret");
        using var mine = await EventReader.Open(stranger.Organization.Owner, lastEventId: position);
        await stranger.Line.Write("15550003333", "No secret");
        var secrets = victim.Ids.Values.Select(id => id.ToString()).Append("15550002222").ToArray();
        ServerEvent? next;
        do
        {
            next = await mine.Next();
            Assert.NotNull(next);
            Assert.DoesNotContain(secrets, secret => next.Data.ToJsonString().Contains(secret, StringComparison.Ordinal));
        }
        while (!next.Type.StartsWith("message", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_visitor_of_one_channel_is_nobody_in_another()
    {
        var (victim, stranger) = (await PopulatedOrganization.Create(app), await PopulatedOrganization.Create(app));
        var visitor = app.Client((await (await app.Anonymous.PostAsJsonAsync($"/v1/web/{stranger.Ids["channels"]}/visitors", new { })).Json(System.Net.HttpStatusCode.Created)).Text("token"));
        var tried = 0;
        foreach (var operation in (await ApiDescription.Read(app)).Operations.Where(operation => operation.Path.StartsWith("/v1/web/{channelId}/", StringComparison.Ordinal) && operation.Id is not ("createVisitor" or "getWebChannelConfig")))
        {
            // The channel's own id is no secret: it stands in every page that has the chat.
            using var request = new HttpRequestMessage(new HttpMethod(operation.Method), operation.Path.Replace("{channelId}", victim.Ids["channels"].ToString(), StringComparison.Ordinal));
            request.Content = operation.Method == "POST" ? JsonContent.Create(new { id = Guid.NewGuid(), text = "Hello" }) : null;
            using var answer = await visitor.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.True((int)answer.StatusCode == 401, $"{operation} answered {(int)answer.StatusCode} to a visitor of another channel.");
            tried++;
        }
        Assert.Equal(3, tried);
    }
}
