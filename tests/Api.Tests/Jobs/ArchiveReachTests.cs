using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.EveryRoute;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Grains.Archives;
using Npgsql;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>No archive reaches beyond the organization that it comes into, whatever it names: not the rows of another, nor those that another is going to have.</summary>
public sealed class ArchiveReachTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task No_id_of_an_archive_is_an_id_of_anything_here()
    {
        var victim = await PopulatedOrganization.Create(app);
        var theirs = await Ids(victim.Organization.Id);
        var archive = await victim.Organization.Export();
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);

        // As it is, while all that it tells of is here: its own ids are others' ids.
        var target = await app.NewOrganization();
        await target.Import(archive);
        Assert.Empty((await Ids(target.Id)).Intersect(theirs));

        // Then with others' ids wherever rows of these can do without, and in single columns of any.
        string[] tables = ["activity_logs", "clients", "client_status_history", "contacts", "conversations", "messages", "notifications", "turns"];
        var columns = ArchiveRules.Imported(await Catalog()).Where(table => archive.Rows(table.Name).Count > 0)
            .SelectMany(table => ArchiveRules.TakenColumns(table).Where(column => column.Type is "uuid" or "uuid[]").Select(column => (Table: table.Name, Column: column))).ToArray();
        target = await app.NewOrganization();
        await target.Import(Forge(archive, columns.Where(column => tables.Contains(column.Table) && !column.Column.IsRequired), theirs));
        Assert.Empty((await Ids(target.Id)).Intersect(theirs));
        var seed = Random.Shared.Next();
        foreach (var column in new Random(seed).GetItems(columns, 12))
        {
            target = await app.NewOrganization();
            await target.Import(Forge(archive, [column], theirs).ToBytes(), null);
            Assert.True(!(await Ids(target.Id)).Intersect(theirs).Any(), $"{column.Table}.{column.Column.Name}, seed {seed}");
        }
        Assert.Equal(before, await TenantRows.Fingerprint(app, victim.Organization.Id));
    }

    private static ForgedArchive Forge(ForgedArchive archive, IEnumerable<(string Table, TenantColumn Column)> columns, IReadOnlyCollection<Guid> ids)
    {
        var forged = ForgedArchive.Of(archive.ToBytes());
        foreach (var (table, column) in columns)
        {
            foreach (var (row, id) in forged.Rows(table).Zip(ids))
            {
                // In capitals, too, it is the same id.
                var text = column.IsRequired ? id.ToString() : id.ToString().ToUpperInvariant();
                row[column.Name] = column.Type == "uuid" ? text : new JsonArray(text);
            }
        }
        return forged;
    }

    [Fact]
    public async Task A_message_that_is_yet_to_come_arrives_whatever_an_archive_has_said_of_it()
    {
        var victim = await app.NewOrganization();
        var line = await app.NewLine(victim);
        await line.Write("15550001111", "Hello");
        var conversation = Assert.Single(await victim.Owner.All("conversations"));
        var attacker = await app.NewOrganization();
        await SeededConversation.Create(attacker, "Mallory", "+15550002222", "Hello");
        var archive = await attacker.Export();
        archive.Change("messages", message =>
        {
            message["channel_id"] = line.ChannelId.ToString();
            message["contact_id"] = conversation["contactId"]!.GetValue<string>();
            message["platform_message_id"] = "wamid.next";
        });
        Assert.Contains("messages refer by channel_id", await (await app.NewOrganization()).Refusal(archive), StringComparison.Ordinal);
        // With the channel in the archive as well, it is a channel of the archive.
        archive.Change("channels", channel => channel["id"] = line.ChannelId.ToString());
        archive.Change("contacts", contact => (contact["id"], contact["channel_id"]) = (conversation["contactId"]!.GetValue<string>(), line.ChannelId.ToString()));
        archive.Change("conversations", own => (own["contact_id"], own["channel_id"]) = (conversation["contactId"]!.GetValue<string>(), line.ChannelId.ToString()));
        archive.Change("clients", client => client["contact_id"] = conversation["contactId"]!.GetValue<string>());
        var target = await app.NewOrganization();
        await target.Import(archive);
        Assert.Equal("wamid.next", await target.Query<string>("SELECT platform_message_id FROM messages WHERE organization_id = $1", target.Id));

        var platform = new AgentPlatform.Fakes.WhatsApp.WhatsAppPlatform(app.Anonymous, new Uri(app.Address, $"/webhooks/whatsapp/{line.ChannelId}"), EngineApp.AppSecret);
        (await platform.Deliver(AgentPlatform.Fakes.WhatsApp.WhatsAppBodies.Text(line.Number, "15550001111", "wamid.next", "Is this lost?"))).EnsureSuccessStatusCode();
        Assert.Equal(1L, await victim.Query<long>("SELECT count(*) FROM messages WHERE organization_id = $1 AND platform_message_id = 'wamid.next'", victim.Id));
    }

    [Fact]
    public async Task Ids_in_rules_settings_and_texts_lead_nowhere_else()
    {
        var victim = await PopulatedOrganization.Create(app);
        var source = await PopulatedOrganization.Create(app);
        var archive = await source.Organization.Export();
        archive.Change("automation_rules", rule => rule["actions"] = JsonNode.Parse($$"""[{"type": "start_sequence", "sequenceId": "{{victim.Ids["sequences"]}}"}, {"type": "start_sequence", "sequenceId": "{{source.Ids["sequences"]}}"}]"""));
        archive.Change("agents", agent => agent["settings"] = JsonNode.Parse($$"""{"knowledgeBaseConfig": {"sourceIds": ["{{victim.Ids["knowledge-sources"].ToString().ToUpperInvariant()}}", "{{source.Ids["knowledge-sources"]}}"] } }"""));
        archive.Change("clients", client => client["custom_fields"] = new JsonObject { ["elsewhere"] = victim.Ids["clients"].ToString(), ["own"] = source.Ids["clients"].ToString() });
        var target = await app.NewOrganization();
        await target.Import(archive);
        var (sequence, knowledge, client) = (Assert.Single(await target.Owner.All("sequences")).Id(), Assert.Single(await target.Owner.All("knowledge-sources")).Id(), (await target.Owner.All("clients")).Single(found => found.Text("firstName") == "Anna").Id());
        var actions = Assert.Single(await target.Owner.All("automation-rules"))["actions"]!.AsArray();
        Assert.Equal(sequence, actions[1]!["sequenceId"]!.GetValue<Guid>());
        Assert.NotEqual(victim.Ids["sequences"], actions[0]!["sequenceId"]!.GetValue<Guid>());
        var sources = (await (await target.Owner.GetAsync($"/v1/agents/{(await target.Owner.All("agents"))[0].Id()}")).Json())["settings"]!["knowledgeBaseConfig"]!["sourceIds"]!.AsArray();
        Assert.Equal(knowledge, sources[1]!.GetValue<Guid>());
        Assert.NotEqual(victim.Ids["knowledge-sources"], sources[0]!.GetValue<Guid>());
        // What people keep there for themselves is theirs, such as what another system calls somebody.
        var fields = (await (await target.Owner.GetAsync($"/v1/clients/{client}")).Json())["customFields"]!;
        Assert.Equal((victim.Ids["clients"], client), (fields["elsewhere"]!.GetValue<Guid>(), fields["own"]!.GetValue<Guid>()));
    }

    [Fact]
    public async Task What_every_process_holds_in_memory_of_an_organization_is_bounded()
    {
        var organization = await app.NewOrganization();
        var archive = new ForgedArchive();
        for (var index = 0; index <= ArchiveLimits.MaxConfigurationRows; index++)
        {
            archive.Add("personas", new() { ["id"] = Guid.CreateVersion7().ToString(), ["name"] = "A" });
        }
        Assert.Contains("rows of personas", await organization.Refusal(archive), StringComparison.Ordinal);
        // However often.
        archive.Rows("personas").RemoveRange(0, 5000);
        await organization.Import(archive);
        Assert.Contains("rows of personas", await organization.Refusal(archive), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Archives_spoiled_at_random_come_in_or_are_refused_and_reach_nobody()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var victim = await PopulatedOrganization.Create(app);
        var theirs = await Ids(victim.Organization.Id);
        var before = await TenantRows.Fingerprint(app, victim.Organization.Id);
        var archive = (await (await PopulatedOrganization.Create(app)).Organization.Export()).ToBytes();
        for (var round = 0; round < 25; round++)
        {
            var forged = ForgedArchive.Of(archive);
            var tables = forged.Tables.Where(table => forged.Rows(table).Count > 0).ToArray();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var rows = forged.Rows(tables[random.Next(tables.Length)]);
                var row = rows[random.Next(rows.Count)];
                var column = row.ElementAt(random.Next(row.Count)).Key;
                row[column] = Odd(random, theirs);
            }
            var target = await app.NewOrganization();
            var job = await target.Import(forged.ToBytes(), null);
            Assert.True(job["error"]?.GetValue<string>().Contains("Something went wrong", StringComparison.Ordinal) is not true, $"seed {seed}, round {round}: {job["error"]}");
            Assert.True(!(await Ids(target.Id)).Intersect(theirs).Any(), $"seed {seed}, round {round}");
        }
        Assert.True(before == await TenantRows.Fingerprint(app, victim.Organization.Id), $"seed {seed}");
    }

    private static JsonNode? Odd(Random random, IReadOnlyCollection<Guid> ids) => random.Next(14) switch
    {
        0 => null,
        1 => "",
        2 => "\u0000\u202E\uD83D\uDE00",
        3 => new string('x', random.Next(1, 100_000)),
        4 => random.NextInt64(long.MinValue, long.MaxValue),
        5 => random.NextDouble() * 1e300,
        6 => new JsonArray(1, "a", new JsonObject()),
        7 => new JsonObject { ["a"] = new JsonArray() },
        8 => random.Next(2) == 0,
        9 => "infinity",
        10 => "2199-12-31T23:59:59+00:00",
        11 => JsonNode.Parse(string.Concat(Enumerable.Repeat("[", 60)) + string.Concat(Enumerable.Repeat("]", 60))),
        _ => ids.ElementAt(random.Next(ids.Count)).ToString(),
    };

    /// <summary>All ids in an organization's rows that are its own: keys, and what columns refer to. The organization's own, people's and what is everybody's are left out.</summary>
    private async Task<HashSet<Guid>> Ids(Guid organization)
    {
        var catalog = await Catalog();
        var ids = new HashSet<Guid>();
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        foreach (var table in catalog.Tables)
        {
            foreach (var column in table.Columns.Where(column => column.Type is "uuid" or "uuid[]" && column.Name != "organization_id" && !column.IsGenerated))
            {
                var values = column.Type == "uuid" ? column.Name : $"unnest({column.Name})";
                await using var command = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture,
                    $"SELECT v.id FROM (SELECT {values} AS id FROM {table.Name} t WHERE t.organization_id = $1) v WHERE v.id IS NOT NULL AND NOT EXISTS (SELECT FROM users u WHERE u.id = v.id) AND NOT EXISTS (SELECT FROM llm_models m WHERE m.id = v.id AND m.organization_id IS NULL) AND NOT EXISTS (SELECT FROM pricing_plans p WHERE p.id = v.id) AND v.id <> $1 AND NOT EXISTS (SELECT FROM engine_instances e WHERE e.id = v.id)"), connection)
                {
                    Parameters = { new() { Value = organization } },
                };
                await using var rows = await command.ExecuteReaderAsync();
                while (await rows.ReadAsync())
                {
                    ids.Add(rows.GetGuid(0));
                }
            }
        }
        return ids;
    }

    private async Task<TenantCatalog> Catalog()
    {
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        return await TenantCatalog.Read(connection, CancellationToken.None);
    }
}
