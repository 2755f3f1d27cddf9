using System.Net;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>An organization with rows in as many tables as a test can bring about, every one of which tells something about one person.</summary>
internal static class FullOrganization
{
    /// <summary>Stands in every text about the person.</summary>
    public const string Mark = "Zwetschgenknödel";

    /// <summary>The person's numbers carry it.</summary>
    public const string Digits = "4159265358";

    public static async Task<(TestOrganization Organization, SeededConversation Conversation, Guid ClientId)> Create(ApiApp app)
    {
        var organization = await app.NewOrganization();
        var agent = (await organization.Create("agents", new { name = "Agent" })).Id();
        await (await organization.Owner.Patch("/v1/organization", new { defaultAgentId = agent }, "*")).Json();
        var partner = (await organization.Create("partners", new { name = "Partner" })).Id();
        var product = (await organization.Create("products", new { name = "Tour", partnerId = partner, inclusions = new[] { "tea" } })).Id();
        await organization.Create("tours", new { productId = product, startDate = "2030-01-01T00:00:00Z", endDate = "2030-01-02T00:00:00Z" });
        await organization.Create("knowledge-articles", new { title = "Sahara", content = "Sand and more sand." });
        await organization.Create("llm-credentials", new { provider = "openai", apiKey = "a key that stays" });
        await AddAutomation(organization);
        var conversation = await SeededConversation.Create(organization, Mark, $"+{Digits}", $"I am {Mark}", $"call me at +{Digits}");
        var clientId = await app.Database.ScalarAsAdminAsync<Guid>($"SELECT client_id FROM contacts WHERE id = '{conversation.ContactId}'");
        await Change(organization, $"/v1/clients/{clientId}", new
        {
            firstName = Mark,
            lastName = Mark,
            email = $"{Digits}@example.com",
            secondaryPhone = Digits,
            address = new { street = Mark },
            customFields = new { note = Mark },
            tags = new[] { Mark },
            source = Mark,
        });
        await organization.Execute("INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id) VALUES ($1, $2, $3, $4)", conversation.ChannelId, Digits, conversation.ContactId, organization.Id);
        await organization.Execute(
            """
            INSERT INTO turns (id, organization_id, conversation_id, agent_id, state, epoch, first_sequence, last_sequence, due_at, prompt, passages, tool_calls, error)
            VALUES ($1, $2, $3, $4, 'completed', 0, 1, 1, now(), jsonb_build_object('text', $5), jsonb_build_array($5), jsonb_build_array($5), $5)
            """,
            Guid.CreateVersion7(), organization.Id, conversation.Id, agent, Mark);
        await organization.Create("agent-memories", new { clientId, key = "name", content = Mark });
        await organization.Execute("UPDATE conversations SET internal_notes = $2 WHERE id = $1", conversation.Id, Mark);
        await organization.Execute("UPDATE contacts SET username = $2, metadata = jsonb_build_object('a', $2), last_message_preview = $2, platform_user_id = 'visitor-' || $2 WHERE id = $1", conversation.ContactId, Mark);
        await organization.Execute("UPDATE clients SET platform_user_id = $2, metadata = jsonb_build_object('a', $2) WHERE id = $1", clientId, Mark);
        await organization.Execute("UPDATE messages SET payload = jsonb_build_object('a', $2), translated_content = $2, attachment_url = 'https://x/' || $2 WHERE conversation_id = $1", conversation.Id, Mark);
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM knowledge_articles WHERE organization_id = '{organization.Id}' AND indexed_version IS NULL") == 0);
        await organization.Execute("SELECT index_messages_for_search(1000)");
        return (organization, conversation, clientId);
    }

    /// <summary>What refers to other rows in both directions, or is refused unless it comes in order: a document and its file, a running experiment, numbered steps, a graph.</summary>
    private static async Task AddAutomation(TestOrganization organization)
    {
        var file = (await (await organization.Owner.PostAsync("/v1/files?name=prices.pdf", new StringContent("%PDF-1.7"))).Json(HttpStatusCode.Created)).Id();
        await organization.Create("knowledge-sources", new { name = "Prices", type = "pdf", fileId = file });
        var experiment = (await organization.Create("experiments", new { agentType = "sales", name = "Short or long" })).Id();
        foreach (var name in new[] { "A", "B" })
        {
            var variant = (await organization.Create("prompt-variants", new { agentType = "sales", name, prompt = "Sell." })).Id();
            await organization.Create("experiment-variants", new { experimentId = experiment, promptVariantId = variant, weight = 50 });
        }
        await Change(organization, $"/v1/experiments/{experiment}", new { status = "active" });
        var sequence = (await organization.Create("sequences", new { name = "Follow-up", triggerType = "manual" })).Id();
        await organization.Create("sequence-steps", new { sequenceId = sequence, actionType = "send_message", template = "Hello." });
        await organization.Create("sequence-steps", new { sequenceId = sequence, actionType = "wait", delayMinutes = 5, stepOrder = 1 });
        await organization.Create("automation-rules", new { name = "Rule", triggerType = "manual", actions = new[] { new { type = "start_sequence", sequenceId = sequence } } });
        await organization.Create("workflows", new
        {
            name = "Workflow",
            triggerType = "manual",
            graph = new { nodes = new[] { new { id = "start", kind = "start" }, new { id = "end", kind = "end" } }, edges = new[] { new { from = "start", to = "end" } } },
        });
    }

    /// <summary>Where a text stands: <c>table.column</c> with how many rows, over all tables of the database.</summary>
    public static async Task<string[]> Scan(ApiApp app, params string[] texts)
    {
        var found = new List<string>();
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        var tables = new List<string>();
        await using (var list = new NpgsqlCommand("SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'", connection))
        await using (var rows = await list.ExecuteReaderAsync())
        {
            while (await rows.ReadAsync())
            {
                tables.Add(rows.GetString(0));
            }
        }
        foreach (var table in tables.Where(table => !table.EndsWith(".jobs", StringComparison.Ordinal) || texts.Length == 1))
        {
            await using var scan = new NpgsqlCommand($"SELECT count(*) FROM {table} t WHERE EXISTS (SELECT FROM unnest($1) AS wanted (text) WHERE strpos(lower(t::text), lower(wanted.text)) > 0)", connection) { Parameters = { new() { Value = texts } } };
            if ((long)(await scan.ExecuteScalarAsync())! is > 0 and var count)
            {
                found.Add($"{table} {count}");
            }
        }
        return [.. found];
    }

    private static async Task Change(TestOrganization organization, string path, object body) => (await organization.Owner.Patch(path, body, "*")).EnsureSuccessStatusCode();
}
