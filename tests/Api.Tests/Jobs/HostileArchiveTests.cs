using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Grains.Archives;
using Npgsql;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>
/// Whoever has an account owns an organization, and may import an archive of his own making into it. It gets him nothing that the API would not have given him, and nobody else notices.
/// What an archive costs is held by <see cref="Survival.ArchiveSizeTests"/>, what it reaches by <see cref="ArchiveReachTests"/>.
/// </summary>
public sealed class HostileArchiveTests(ArchiveApp app) : IClassFixture<ArchiveApp>
{
    private const string Id = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e";
    private const string Other = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4f";
    private const string Then = "2020-01-01T00:00:00Z";

    /// <summary>Table, row, what the refusal says.</summary>
    public static TheoryData<string, string, string> Impossible => new()
    {
        // Addresses that this server would call.
        { "channels", """{"name": "A", "platform": "whatsapp", "settings": {"apiBaseUrl": "https://169.254.169.254/"}}""", "private address" },
        { "channels", """{"name": "A", "platform": "whatsapp", "settings": {"apiBaseUrl": "http://graph.example.com/"}}""", "https" },
        { "agent_integrations", """{"agent_id": "ID", "kind": "webhook", "name": "A", "url": "https://10.0.0.1/"}""", "private address" },
        { "knowledge_sources", """{"name": "A", "type": "url", "url": "https://localhost/", "status": "pending"}""", "private address" },
        { "sequence_steps", """{"sequence_id": "ID", "step_order": 1, "delay_minutes": 0, "action_type": "webhook", "webhook_url": "https://[::1]/"}""", "private address" },
        { "automation_rules", """{"name": "A", "trigger_type": "manual", "actions": [{"type": "webhook", "webhookUrl": "https://192.168.0.1/"}]}""", "private address" },
        { "workflows", """{"name": "A", "trigger_type": "manual", "graph": {"nodes": [{"id": "start", "kind": "start"}, {"id": "a", "kind": "webhook", "webhookUrl": "https://127.0.0.1/"}], "edges": []}}""", "private address" },
        { "agents", """{"name": "A", "avatar_url": "javascript:alert(1)"}""", "http or https URL" },

        // Values that nobody could give.
        { "agents", """{"name": "A", "settings": {"checkBeforeSending": true, "anything": 1}}""", "is not a known field" },
        { "agents", """{"name": "A", "max_tokens": 2000000000}""", "max_tokens" },
        { "agents", """{"name": ""}""", "name" },
        { "clients", """{"phone": "call me"}""", "phone" },
        { "clients", """{"email": "nobody"}""", "e-mail address" },
        { "clients", $$"""{"tags": [{{string.Join(", ", Enumerable.Range(0, 51).Select(index => $"\"{index}\""))}}]}""", "tags" },
        { "clients", $$"""{"custom_fields": {"a": "{{new string('x', 70_000)}}"} }""", "65536 bytes" },
        { "automation_rules", """{"name": "A", "trigger_type": "manual", "actions": [{"type": "launch"}]}""", "must be one of" },
        { "organizations", """{"time_zone": "Mars/Olympus"}""", "Mars/Olympus" },
        { "organizations", """{"messages_kept_days": -1}""", "messages_kept_days" },
        { "tags", """{"name": "A", "color": "red; background: url(https://example.com)"}""", "color" },

        // What the product counts by.
        { "contacts", """{"channel_id": "ID", "platform": "web", "platform_user_id": "a", "version": 9223372036854775807}""", "version must be a whole number" },
        { "conversations", """{"channel_id": "ID", "contact_id": "ID", "epoch": 2147483647}""", "epoch must be a whole number" },
        { "conversations", """{"channel_id": "ID", "contact_id": "ID", "last_sequence": 1e18}""", "last_sequence must be a whole number" },
        { "messages", """{"conversation_id": "ID", "channel_id": "ID", "contact_id": "ID", "sequence": "1", "direction": "inbound", "sender_type": "user", "status": "received"}""", "sequence must be a whole number" },
        { "messages", """{"conversation_id": "ID", "channel_id": "ID", "contact_id": "ID", "sequence": 1, "direction": "inbound", "sender_type": "user", "status": "received"}""", "messages refer by" },
        { "activity_logs", """{"action_type": "a", "created_at": "9999-12-31T00:00:00Z"}""", "must not lie in the future" },
        { "clients", """{"created_at": "0001-01-01T00:00:00Z"}""", "moments are possible" },

        { "messages", """{"conversation_id": "ID", "channel_id": "ID", "contact_id": "ID", "sequence": -1, "direction": "inbound", "sender_type": "user", "status": "received"}""", "sequence must be a whole number from 0" },
        { "turns", """{"conversation_id": "ID", "cost": "NaN"}""", "cost must be a number" },
        { "turns", """{"conversation_id": "ID", "cost": "Infinity"}""", "cost must be a number" },
        { "activity_logs", """{"action_type": "a", "created_at": "now"}""", "created_at must be a date and time" },
        { "activity_logs", """{"action_type": "a", "created_at": "infinity"}""", "created_at must be a date and time" },
        { "activity_logs", """{"action_type": "a", "created_at": "2150-01-01T00:00:00Z"}""", "must not lie in the future" },

        // Ids.
        { "clients", """{"contact_id": "{0196F1C0-7D00-7C3E-9A55-5F0C1B2A3D4E}"}""", "contact_id must be an id" },
        { "clients", """{"contact_id": 5}""", "contact_id must be an id" },
        { "notes", """{"client_id": "ID", "content": "A", "mentions": ["x"]}""", "mentions must be an id" },
        { "contact_identities", """{"channel_id": "ID", "identity": "a", "contact_id": "ID"}""", "something that is not in the archive" },
        { "files", """{"purpose": "archive", "name": "a"}""", "purpose" },
        { "files", """{"purpose": "attachment", "name": "a", "minimum_role": "nobody"}""", "file role is known" },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public async Task What_nobody_could_have_written_through_the_API_is_refused_with_its_place(string table, string row, string told)
    {
        var organization = await app.NewOrganization();
        var forged = JsonNode.Parse(row.Replace("\"ID\"", $"\"{Other}\"", StringComparison.Ordinal))!.AsObject();
        forged.TryAdd("id", Id);
        forged.TryAdd("created_at", Then);
        var archive = table == "files" ? new ForgedArchive().AddFile(forged, [1]) : new ForgedArchive().Add(table, forged);
        var refusal = await organization.Refusal(archive);
        Assert.Contains(told, refusal, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was imported.", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Texts_are_kept_as_the_API_keeps_them()
    {
        var organization = await app.NewOrganization();
        var archive = new ForgedArchive()
            .Add("clients", new() { ["id"] = Id, ["first_name"] = "  A\u0301nna\u200B ", ["last_name"] = new string('x', 300), ["email"] = " Anna@Example.com " });
        await organization.Import(archive);
        var client = Assert.Single(await organization.Owner.All("clients"));
        Assert.Equal(("Ánna", 200, "Anna@Example.com"), (client.Text("firstName"), client.Text("lastName").Length, client.Text("email")));
    }

    [Fact]
    public async Task Malformed_archives_are_refused_and_no_defect_of_ours_shows()
    {
        var organization = await app.NewOrganization();
        string[] lines = ["", "{", "[]", "5", "null", "\"text\"", "{\"id\": \"\\ud800\"}", "{\"\\udc00\": 1}", "{} {}", "\u0000", "{\"id\": \"0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e\", \"name\": {\"a\": [1, {}]}}"];
        foreach (var line in lines)
        {
            await Refused(new ForgedArchive().Raw("tags", Encoding.UTF8.GetBytes(line + "\n")).ToBytes());
        }
        await Refused(new ForgedArchive().Raw("users", "{\"id\": 5}\n"u8.ToArray()).ToBytes());
        await Refused(new ForgedArchive().Add("organizations", new() { ["name"] = "A" }).Add("organizations", new() { ["name"] = "B" }).ToBytes());
        foreach (var change in new Action<JsonObject>[]
        {
            manifest => manifest["tables"] = null, manifest => manifest["files"] = new JsonObject { ["x"] = new JsonObject() }, manifest => manifest["tables"]!["users"] = null,
            manifest => manifest["format"] = 2, manifest => manifest["organizationId"] = "x", manifest => manifest.Remove("createdAt"), manifest => manifest["leftOut"] = 5,
        })
        {
            await Refused(new ForgedArchive().ToBytes(manifest: change));
        }

        async Task Refused(byte[] archive) => Assert.DoesNotContain("Something went wrong", (await organization.Import(archive, "failed")).Text("error"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_plan_and_an_installation_allow_holds_for_archives()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("INSERT INTO pricing_plans (code, tier, name, features) VALUES ($1, 'starter', 'Small', '{\"maxAgents\": 1, \"maxChannels\": 1}')", $"small-{organization.Id:N}");
        await organization.Execute("INSERT INTO subscriptions (organization_id, plan_id, status) SELECT $1, id, 'active' FROM pricing_plans WHERE code = $2", organization.Id, $"small-{organization.Id:N}");
        Assert.Contains("Your plan allows 1 agents", await organization.Refusal(Named("agents", 2)), StringComparison.Ordinal);
        Assert.Contains("Your plan allows 1 channels", await organization.Refusal(Named("channels", 2, row => row["platform"] = "web")), StringComparison.Ordinal);
        await organization.Import(Named("agents", 1));

        // Told, never believed: what is owed, what was used, what is to be done, who may come in.
        var plan = await organization.Query<Guid>("SELECT plan_id FROM subscriptions WHERE organization_id = $1", organization.Id);
        await organization.Import(new ForgedArchive()
            .Add("subscriptions", new() { ["organization_id"] = organization.Id.ToString(), ["plan_id"] = plan.ToString(), ["status"] = "active", ["token_quota"] = 1_000_000_000 })
            .Add("usage_daily", new() { ["usage_date"] = "2030-01-01", ["tokens_consumed"] = -1_000_000 })
            .Add("jobs", new() { ["id"] = Id, ["type"] = "bulk_processing", ["work"] = "organization_deletion", ["status"] = "pending" })
            .Add("api_keys", new() { ["id"] = Id, ["name"] = "A", ["role"] = "owner" })
            .Add("invitations", new() { ["id"] = Id, ["email"] = "a@example.com", ["role"] = "owner" })
            .Add("outgoing_emails", new() { ["id"] = Id, ["kind"] = "notification", ["to_address"] = "a@example.com" })
            .Add("user_sessions", new() { ["id"] = Id, ["user_id"] = organization.OwnerId.ToString() })
            .Add("pricing_plans", new() { ["id"] = Id, ["code"] = "free" }));
        foreach (var table in new[] { "usage_daily", "api_keys", "invitations", "outgoing_emails" })
        {
            Assert.Equal(0L, await organization.Query<long>($"SELECT count(*) FROM {table} WHERE organization_id = $1", organization.Id));
        }
        Assert.Equal(0L, await organization.Query<long>("SELECT count(*) FROM subscriptions WHERE organization_id = $1 AND token_quota IS NOT NULL", organization.Id));
        Assert.Equal(0L, await organization.Query<long>("SELECT count(*) FROM jobs WHERE organization_id = $1 AND work = 'organization_deletion'", organization.Id));
    }

    [Fact]
    public async Task Files_and_rows_are_as_large_and_as_many_as_they_may_be()
    {
        var organization = await app.NewOrganization();
        Assert.Contains("FILE_MAX_BYTES", await organization.Refusal(new ForgedArchive().AddFile(File("a"), new byte[ArchiveApp.FileMaxBytes + 1])), StringComparison.Ordinal);
        var two = new ForgedArchive().AddFile(File("b"), new byte[ArchiveApp.FileMaxBytes]).AddFile(File("c"), new byte[ArchiveApp.FileMaxBytes]);
        Assert.Contains("FILES_PER_ORGANIZATION_BYTES", await organization.Refusal(two), StringComparison.Ordinal);
        Assert.Equal(0L, await organization.Query<long>("SELECT count(*) FROM files WHERE organization_id = $1 AND purpose = 'attachment'", organization.Id));

        Assert.Contains("ARCHIVE_MAX_ROWS", await organization.Refusal(Named("tags", ArchiveApp.MaxRows + 1)), StringComparison.Ordinal);
        var (channel, contact) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
        var names = new ForgedArchive()
            .Add("channels", new() { ["id"] = channel, ["name"] = "A", ["platform"] = "web" })
            .Add("contacts", new() { ["id"] = contact, ["channel_id"] = channel, ["platform"] = "web", ["platform_user_id"] = "a" });
        for (var index = 0; index <= ArchiveLimits.MaxNames; index++)
        {
            names.Add("contact_identities", new() { ["channel_id"] = channel, ["identity"] = $"name {index}", ["contact_id"] = contact });
        }
        Assert.Contains("contact_identities", await organization.Refusal(names), StringComparison.Ordinal);
        names.Rows("contact_identities").RemoveAt(0);
        names.Change("contacts", row => (row["last_message_preview"], row["unreachable_reason"]) = (new string('x', 5000), new string('y', 5000)));
        names.Add("conversations", new() { ["id"] = Id, ["channel_id"] = channel, ["contact_id"] = contact });
        names.Add("messages", new()
        {
            ["id"] = Id.Replace('0', '1'),
            ["conversation_id"] = Id,
            ["channel_id"] = channel,
            ["contact_id"] = contact,
            ["sequence"] = 1,
            ["direction"] = "inbound",
            ["sender_type"] = "user",
            ["status"] = "received",
            ["text_content"] = new string('x', 200_000),
            ["payload"] = new JsonObject { ["a"] = new string('x', ArchiveLimits.MaxJsonBytes) },
            ["platform_message_id"] = "a",
        });
        await organization.Import(names);
        Assert.Equal(2000L, await organization.Query<long>("SELECT length(last_message_preview)::bigint FROM contacts WHERE organization_id = $1 AND length(unreachable_reason) = 2000", organization.Id));
        Assert.Equal(100_000L, await organization.Query<long>("SELECT length(text_content)::bigint FROM messages WHERE organization_id = $1 AND payload IS NULL", organization.Id));

        var named = new ForgedArchive().AddFile(File("../../a\r\nX: y\u202Egpj.exe"), [1]);
        await organization.Import(named);
        var file = await organization.Query<Guid>("SELECT id FROM files WHERE organization_id = $1 AND purpose = 'attachment'", organization.Id);
        using var content = await organization.Owner.GetAsync($"/v1/files/{file}/content");
        Assert.Equal((System.Net.HttpStatusCode.OK, "application/octet-stream", "a X: ygpj.exe"), (content.StatusCode, content.Content.Headers.ContentType!.MediaType, content.Content.Headers.ContentDisposition!.FileNameStar));

        static JsonObject File(string name) => new() { ["id"] = Guid.CreateVersion7().ToString(), ["purpose"] = "attachment", ["name"] = name, ["content_type"] = "text/html\r\nX: y" };
    }

    [Fact]
    public async Task An_id_is_of_one_thing()
    {
        var organization = await app.NewOrganization();
        var archive = new ForgedArchive().Add("users", new() { ["id"] = Id, ["email"] = organization.OwnerEmail }).Add("clients", new() { ["id"] = Id });
        Assert.Contains("id of its own", await organization.Refusal(archive), StringComparison.Ordinal);
        archive = new ForgedArchive { OrganizationId = Guid.Parse(Id) }.Add("clients", new() { ["id"] = Id });
        Assert.Contains("id of its own", await organization.Refusal(archive), StringComparison.Ordinal);
        archive = new ForgedArchive().Add("clients", new() { ["id"] = Id }).Add("clients", new() { ["id"] = Id });
        Assert.Contains("clients pkey", await organization.Refusal(archive), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_organization_that_imports_is_told_to_look_again()
    {
        var organization = await app.NewOrganization();
        await using var connection = new NpgsqlConnection(app.DatabaseUrl);
        await connection.OpenAsync();
        var told = new List<JsonObject>();
        connection.Notification += (_, notification) => told.Add(JsonNode.Parse(notification.Payload)!.AsObject());
        await using (var listen = new NpgsqlCommand("LISTEN configuration_changed", connection))
        {
            await listen.ExecuteNonQueryAsync();
        }
        await organization.Import(Named("agents", 1));
        while (await connection.WaitAsync(TimeSpan.FromMilliseconds(100)))
        {
        }
        Assert.Contains(told, change => change.Text("table") == "agents" && change["organizationId"]!.GetValue<Guid>() == organization.Id);
        Assert.DoesNotContain(told, change => change["table"] is null);
    }

    [Fact]
    public async Task Nothing_that_came_in_does_anything_by_itself_and_what_was_here_goes_on()
    {
        var organization = await app.NewOrganization();
        var here = await SeededConversation.Create(organization, "Anna", "+15550001111", "Hello");
        await organization.Execute("UPDATE messages SET status = 'pending', direction = 'outbound', sender_type = 'agent' WHERE conversation_id = $1", here.Id);
        var (channel, contact, conversation, workflow) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var archive = new ForgedArchive()
            .Add("channels", new() { ["id"] = channel.ToString(), ["name"] = "Line", ["platform"] = "whatsapp", ["platform_channel_id"] = "106540352242922" })
            .Add("whatsapp_sessions", new() { ["id"] = Id, ["channel_id"] = channel.ToString(), ["status"] = "connected" })
            .Add("contacts", new() { ["id"] = contact.ToString(), ["channel_id"] = channel.ToString(), ["platform"] = "whatsapp", ["platform_user_id"] = "15550001111" })
            .Add("conversations", new() { ["id"] = conversation.ToString(), ["channel_id"] = channel.ToString(), ["contact_id"] = contact.ToString(), ["last_sequence"] = 1, ["counted_month"] = "2200-01-01" })
            .Add("messages", Message(7, "pending"))
            .Add("messages", Message(8, "sending"))
            .Add("turns", new() { ["id"] = Id, ["conversation_id"] = conversation.ToString(), ["state"] = "running", ["epoch"] = 0, ["first_sequence"] = 7, ["last_sequence"] = 7, ["due_at"] = Then, ["instance_id"] = Guid.NewGuid().ToString() })
            .Add("workflows", new() { ["id"] = workflow.ToString(), ["name"] = "Flow", ["trigger_type"] = "manual", ["graph"] = JsonNode.Parse("""{"nodes": [{"id": "start", "kind": "start"}, {"id": "end", "kind": "end"}], "edges": [{"from": "start", "to": "end"}]}""") })
            .Add("workflow_executions", new() { ["id"] = Id, ["workflow_id"] = workflow.ToString(), ["workflow_version"] = 1, ["status"] = "running" })
            .Add("experiments", new() { ["id"] = Id, ["agent_type"] = "sales", ["name"] = "Experiment", ["status"] = "active", ["start_date"] = Then })
            .Add("clients", new() { ["id"] = Id, ["total_orders"] = 1000, ["total_revenue"] = 1_000_000, ["tags"] = new JsonArray("vip") })
            .Add("activities", new() { ["id"] = Id, ["activity_type"] = "task", ["subject"] = "Call", ["due_date"] = DateTimeOffset.UtcNow.AddDays(-1).ToString("O"), ["assigned_to"] = Other })
            .Add("users", new() { ["id"] = Other, ["email"] = organization.OwnerEmail });
        await organization.Import(archive);

        Assert.Equal("pending", await organization.Query<string>("SELECT status FROM messages WHERE conversation_id = $1", here.Id));
        Assert.Equal("failed failed", await organization.Query<string>("SELECT string_agg(m.status, ' ') FROM messages m JOIN channels c ON c.id = m.channel_id WHERE m.organization_id = $1 AND c.platform = 'whatsapp'", organization.Id));
        Assert.Equal("cancelled", await organization.Query<string>("SELECT state FROM turns WHERE organization_id = $1 AND instance_id IS NULL AND finished_at IS NOT NULL", organization.Id));
        Assert.Equal("cancelled", await organization.Query<string>("SELECT status FROM workflow_executions WHERE organization_id = $1", organization.Id));
        Assert.Equal("paused", await organization.Query<string>("SELECT status FROM experiments WHERE organization_id = $1", organization.Id));
        Assert.Equal("disconnected", await organization.Query<string>("SELECT status FROM whatsapp_sessions WHERE organization_id = $1", organization.Id));
        Assert.Equal(8L, await organization.Query<long>("SELECT v.last_sequence FROM conversations v JOIN channels c ON c.id = v.channel_id WHERE v.organization_id = $1 AND c.platform = 'whatsapp' AND v.counted_month IS NULL AND c.platform_channel_id IS NULL", organization.Id));
        Assert.Equal(0L, await organization.Query<long>("SELECT sum(total_orders)::bigint FROM clients WHERE organization_id = $1", organization.Id));
        Assert.Equal("vip", Assert.Single(await organization.Owner.All("tags")).Text("name"));
        Assert.Equal(organization.OwnerId, Assert.Single(await organization.Owner.All("activities"))["assignedTo"]!.GetValue<Guid>());
        await app.Database.ExecuteAsAdminAsync("SELECT notify_due_activities(1000)");
        Assert.Equal(["job_finished"], (await organization.Owner.All("notifications")).Select(notification => notification.Text("type")));

        JsonObject Message(long sequence, string status) => new()
        {
            ["id"] = Guid.CreateVersion7().ToString(),
            ["conversation_id"] = conversation.ToString(),
            ["channel_id"] = channel.ToString(),
            ["contact_id"] = contact.ToString(),
            ["sequence"] = sequence,
            ["direction"] = "outbound",
            ["sender_type"] = "agent",
            ["status"] = status,
            ["text_content"] = "Hello",
        };
    }

    [Fact]
    public async Task Rules_that_hold_between_rows_hold_for_archives()
    {
        var organization = await app.NewOrganization();
        var (client, deal) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
        var archive = new ForgedArchive()
            .Add("clients", new() { ["id"] = client })
            .Add("clients", new() { ["id"] = Id })
            .Add("deals", new() { ["id"] = deal, ["client_id"] = client, ["name"] = "Deal", ["probability"] = 10 })
            .Add("notes", new() { ["id"] = Id, ["client_id"] = Id, ["deal_id"] = deal, ["content"] = "Note" });
        Assert.Contains("another client's", await organization.Refusal(archive), StringComparison.Ordinal);
        archive.Change("notes", note => note["client_id"] = client);
        await organization.Import(archive);

        var (sequence, channel) = (Guid.CreateVersion7().ToString(), Guid.CreateVersion7().ToString());
        var steps = new ForgedArchive().Add("sequences", new() { ["id"] = sequence, ["name"] = "Sequence", ["trigger_type"] = "manual" });
        foreach (var order in new[] { 1, 3 })
        {
            steps.Add("sequence_steps", new() { ["id"] = Guid.CreateVersion7().ToString(), ["sequence_id"] = sequence, ["step_order"] = order, ["action_type"] = "send_message", ["template"] = "Hello." });
        }
        Assert.Contains("without gaps", await organization.Refusal(steps), StringComparison.Ordinal);
        var channels = new ForgedArchive()
            .Add("channels", new() { ["id"] = channel, ["name"] = "A", ["platform"] = "web", ["agent_id"] = Id })
            .Add("channels", new() { ["id"] = Other, ["name"] = "B", ["platform"] = "web" })
            .Add("agents", new() { ["id"] = Id, ["name"] = "Agent", ["channel_id"] = Other });
        Assert.Contains("another channel", await organization.Refusal(channels), StringComparison.Ordinal);
        var circle = new ForgedArchive()
            .Add("knowledge_categories", new() { ["id"] = Id, ["title"] = "A", ["parent_id"] = Other })
            .Add("knowledge_categories", new() { ["id"] = Other, ["title"] = "B", ["parent_id"] = Id });
        await organization.Import(circle);
        Assert.All(await organization.Owner.All("knowledge-categories"), category => Assert.Null(category["parentId"]));
    }

    private static ForgedArchive Named(string table, int count, Action<JsonObject>? more = null)
    {
        var archive = new ForgedArchive();
        for (var index = 0; index < count; index++)
        {
            var row = new JsonObject { ["id"] = Guid.CreateVersion7().ToString(), ["name"] = $"{table} {index}" };
            more?.Invoke(row);
            archive.Add(table, row);
        }
        return archive;
    }
}
