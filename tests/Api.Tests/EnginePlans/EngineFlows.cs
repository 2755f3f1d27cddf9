using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Agents;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Crm;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Fakes.WhatsApp;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Jobs;
using AgentPlatform.Grains.Maintenance;
using AgentPlatform.Jobs;
using AgentPlatform.Maintenance;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Tests.EnginePlans;

/// <summary>
/// All that the engine does, once: what sets each of its statements off. Whatever an organization's size must not slow down happens in the large one; what reads all of an
/// organization happens to the small one, which is little of each table.
/// </summary>
internal sealed class EngineFlows(EnginePlanApp app, TestOrganization large, TestOrganization small, (Guid Asking, Guid BuiltIn) agents)
{
    public const string UnluckyWork = "unlucky";

    /// <summary>Released when the unlucky job waits to be stopped.</summary>
    public static readonly SemaphoreSlim IsUnderWay = new(0);

    /// <summary>Conversations whose grains may be in memory.</summary>
    private static readonly List<Guid> Used = [];

    private IGrainFactory Grains => app.Services.GetRequiredService<IGrainFactory>();

    /// <summary>An organization's agents: one that asks a model, and one that answers by itself.</summary>
    public static async Task<(Guid Asking, Guid BuiltIn)> AddAgents(EnginePlanApp app, TestOrganization organization)
    {
        await organization.Create("llm-credentials", new { provider = "openai_compatible", baseUrl = app.Model.BaseUrl, apiKey = "a key" });
        var model = (await organization.Create("llm-models", new { provider = "openai_compatible", name = "Emulated", modelId = "emulated-1" })).Id();
        var asking = (await organization.Create("agents", new { name = "Asking", status = "active", llmModelId = model, responseDelaySeconds = 0 })).Id();
        return (asking, (await organization.Create("agents", new { name = "Built-in", status = "active", defaultModel = "none", responseDelaySeconds = 0 })).Id());
    }

    public async Task Run()
    {
        await app.Services.GetRequiredService<IChannelDirectory>().FindByPlatformId("whatsapp", $"{Guid.NewGuid()}", CancellationToken.None);
        await Knowledge();
        await Conversations();
        await Names();
        await Limits();
        await Filled();
        await Jobs();
        await Upkeep();
        await Archives();
    }

    private async Task Knowledge()
    {
        var article = (await large.Create("knowledge-articles", new { title = $"Sahara {Guid.NewGuid():N}", content = "The camp in the Sahara has twelve tents." })).Id();
        await Eventually.Holds(async () => await large.Query<long>("SELECT count(*) FROM knowledge_chunks WHERE article_id = $1 AND embedding IS NOT NULL", article) == 1);
        foreach (var agent in new[] { agents.Asking, agents.BuiltIn })
        {
            Assert.NotNull(await Grains.GetGrain<IAgentGrain>(agent).Ask(new AgentQuestion { OrganizationId = large.Id, Text = "How many tents has the camp in the Sahara?" }, CancellationToken.None));
        }
        var embedder = (await large.Create("llm-models", new { provider = "openai_compatible", name = "E", modelId = $"embed-{Guid.NewGuid():N}", capabilities = new { embeddings = true } })).Id();
        await Eventually.Holds(async () => await large.Query<long>("SELECT count(*) FROM knowledge_settings WHERE organization_id = $1 AND embedding_model LIKE 'openai_compatible%'", large.Id) == 1);
        (await large.Owner.DeleteAsync($"/v1/llm-models/{embedder}")).EnsureSuccessStatusCode();
    }

    /// <summary>Customers write, the AI answers, platforms refuse and confirm, people take over.</summary>
    private async Task Conversations()
    {
        var line = await app.NewLine(large, agents.Asking);
        var platform = new WhatsAppPlatform(app.Anonymous, new Uri(app.Address, $"/webhooks/whatsapp/{line.ChannelId}"), EngineApp.AppSecret);
        (await app.Anonymous.GetAsync("/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=verify&hub.challenge=1")).EnsureSuccessStatusCode();
        var anna = Number();
        await line.Write(anna, "Hello");
        var first = await line.NextSent();
        await Eventually.Holds(async () => await large.Query<long>("SELECT count(*) FROM messages WHERE channel_id = $1 AND platform_message_id = $2 AND status = 'sent'", line.ChannelId, first.Id) == 1);
        (await platform.Deliver(WhatsAppBodies.Status(line.Number, anna, first.Id, "failed", first.Callback, 131016))).EnsureSuccessStatusCode();
        var second = await line.NextSent();
        await line.Confirm(second, "delivered", "read");
        (await platform.Deliver(WhatsAppBodies.Status(line.Number, anna, $"wamid.{Guid.NewGuid():N}", "delivered"))).EnsureSuccessStatusCode();
        await large.Execute("UPDATE early_receipts SET platform_message_id = $2 WHERE channel_id = $1", line.ChannelId, second.Id);
        await Grains.GetGrain<ISweepGrain>(0).Sweep();
        // A number without a token: nobody has to be asked.
        var nameless = Guid.CreateVersion7();
        await large.Execute("INSERT INTO channels (id, organization_id, name, platform, platform_channel_id) VALUES ($1, $2, 'Nameless', 'whatsapp', $3)", nameless, large.Id, Number());
        await app.Services.GetRequiredService<AccountConfirmation>().ConfirmSome(CancellationToken.None);
        Assert.False(await large.Query<bool?>("SELECT is_account_confirmed FROM channels WHERE id = $1", nameless));
        await large.Execute("DELETE FROM channels WHERE id = $1", nameless);
        await Eventually.Holds(async () => await large.Query<long>("SELECT count(*) FROM early_receipts WHERE channel_id = $1", line.ChannelId) == 0);
        (await platform.Deliver(WhatsAppBodies.Text(line.Number, anna, $"wamid.{Guid.NewGuid():N}", "Married since", "Another Name"))).EnsureSuccessStatusCode();
        await line.NextSent();
        var (ben, text) = (Number(), WhatsAppBodies.TextMessage(Number(), $"wamid.{Guid.NewGuid():N}", "Two names"));
        text["from"] = ben;
        (await platform.Deliver(WhatsAppBodies.Messages(line.Number, WhatsAppBodies.Contact(ben, "Ben", $"DE.{Number()}"), text))).EnsureSuccessStatusCode();
        await line.NextSent();

        var path = $"/v1/conversations/{await large.Query<Guid>("SELECT c.id FROM conversations c JOIN contacts k ON k.id = c.contact_id WHERE k.channel_id = $1 AND k.platform_user_id = $2", line.ChannelId, anna)}";
        await (await large.Owner.PostAsync($"{path}/takeover", null)).Json();
        app.Graph.FailNext(GraphError.Fault(131000, 500));
        await (await large.Owner.PostAsJsonAsync($"{path}/messages", new { text = "Tried twice" })).Json(HttpStatusCode.Created);
        await line.NextSent();
        await (await large.Owner.PostAsync($"{path}/read", null)).Json();
        await (await large.Owner.PostAsJsonAsync($"{path}/notes", new { text = "A regular" })).Json(HttpStatusCode.Created);
        await (await large.Owner.PostAsync($"{path}/release", null)).Json();
        app.Graph.FaultFor = static _ => GraphError.Fault(131026);
        await line.Write(anna, "I have left WhatsApp");
        await Eventually.Holds(async () => await large.Query<long>("SELECT count(*) FROM contacts WHERE channel_id = $1 AND unreachable_reason IS NOT NULL", line.ChannelId) == 1);
        app.Graph.FaultFor = static _ => GraphError.Fault(190, 401);
        await line.Write(ben, "Are you there?");
        await Eventually.Holds(async () => await large.Query<long>("SELECT count(*) FROM channels WHERE id = $1 AND broken_reason IS NOT NULL", line.ChannelId) == 1);
        app.Graph.FaultFor = null;
    }

    /// <summary>Names move between people, two conversations turn out to be one, messages change after they were said, and a group has topics.</summary>
    private async Task Names()
    {
        var line = await app.NewLine(large, agents.BuiltIn);
        var now = app.Services.GetRequiredService<TimeProvider>().GetUtcNow();
        var (anna, moved, stranger) = (Number(), Number(), Number());
        foreach (var name in new[] { anna, moved, stranger })
        {
            await Receive([name], [], Said(ContentTypes.Text));
        }
        await Receive([anna], [], Said(ContentTypes.Edit) with { ReplyToPlatformId = "never came" });
        await Receive([anna], [], Said(ContentTypes.Text) with { PlatformTimestamp = now.AddMinutes(-5) });
        await Receive([anna], [], Said(ContentTypes.Image) with { AlbumId = "137" });
        await Receive([anna, moved], [anna], Said(ContentTypes.System) with { PlatformTimestamp = now });
        await Receive([anna], [], Said(ContentTypes.Text));
        await large.Execute("UPDATE messages SET sent_at = sent_at - interval '1 year' WHERE contact_id = (SELECT id FROM contacts WHERE channel_id = $1 AND platform_user_id = $2)", line.ChannelId, stranger);
        await Receive([moved, stranger], [moved], Said(ContentTypes.System) with { PlatformTimestamp = now });
        Assert.Equal(1L, await large.Query<long>("SELECT count(*) FROM conversation_merges g JOIN conversations c ON c.id = g.conversation_id WHERE c.channel_id = $1", line.ChannelId));
        var inTopic = Said(ContentTypes.Text);
        await Receive([$"group:{stranger}:3"], [], inTopic);
        await Receive([$"group:{stranger}"], [], Said(ContentTypes.Reaction) with { ReplyToPlatformId = inTopic.PlatformMessageId });

        Task<ReceiveResult> Receive(ImmutableArray<string> names, ImmutableArray<string> givenUp, InboundMessage message) =>
            Grains.GetGrain<IConversationGrain>(new ConversationKey(line.ChannelId, names[0]).ToString()).Receive(new InboundBatch
            {
                OrganizationId = large.Id,
                ChannelId = line.ChannelId,
                Contact = new InboundContact { Identities = names, GivenUp = givenUp, IsGroup = names[0].StartsWith("group:", StringComparison.Ordinal) },
                Messages = [message],
            });

        static InboundMessage Said(string kind) => new() { PlatformMessageId = $"wamid.{Guid.NewGuid():N}", ContentType = kind, Text = "Hello" };
    }

    /// <summary>No quota is left; customers wait; there is quota again.</summary>
    private async Task Limits()
    {
        var line = await app.NewLine(large, agents.Asking);
        var customer = Number();
        await line.Write(customer, "Hello");
        await line.NextSent();
        await SetQuota(0);
        await Eventually.Holds(async () =>
        {
            await line.Write(customer, "Are you there?");
            return await Waiting(line) == 1;
        });
        await Grains.GetGrain<IBillingGrain>(0).Advance();
        await SetQuota(null);
        await Eventually.Holds(async () => await Waiting(line) == 0);

        async Task SetQuota(long? tokens) => await (await large.Owner.Patch($"/v1/organizations/{large.Id}/subscription", new { tokenQuota = tokens }, "*")).Json();
        Task<long> Waiting(WhatsAppLine at) => large.Query<long>("SELECT count(*) FROM conversations WHERE channel_id = $1 AND status = 'escalated' AND managed_by = 'ai'", at.ChannelId);
    }

    /// <summary>Conversations that nobody has touched since they were written: their grains know nothing of them yet.</summary>
    private async Task Filled()
    {
        var conversation = await NextFilled();
        await large.Execute("UPDATE contacts SET unread_count = 1 WHERE id = (SELECT contact_id FROM conversations WHERE id = $1)", conversation);
        await (await large.Owner.PostAsync($"/v1/conversations/{conversation}/read", null)).Json();
        var contact = await large.Query<Guid>("SELECT contact_id FROM conversations WHERE id = $1", await NextFilled());
        await (await large.Owner.PostAsJsonAsync($"/v1/contacts/{contact}/ai", new { enabled = false })).Json();

        // What silos that died have left.
        await large.Execute("UPDATE turns SET state = 'running', instance_id = gen_random_uuid(), finished_at = NULL WHERE conversation_id = $1", await NextFilled());
        await large.Execute("UPDATE messages SET status = 'pending', direction = 'outbound', sender_type = 'agent', created_at = now() - interval '1 hour' WHERE conversation_id = $1", await NextFilled());
        await Grains.GetGrain<ISweepGrain>(0).Sweep();
    }

    private async Task Jobs()
    {
        var owner = large.Owner;
        // One that has run long lets others go on. No job has to be that one for the statement to be seen.
        await app.Services.GetRequiredService<JobStore>().Pause(new Job(Guid.CreateVersion7(), large.Id, null, "resource_import", "{}", "{}", null, 1), Guid.NewGuid(), CancellationToken.None);
        await owner.Job("/v1/jobs/imports", new { resource = "partners", fileId = await owner.Upload("name\nA\n") });
        await owner.Job("/v1/jobs/finetuning-datasets", new { system = "You are a guide." });
        var client = await large.Query<Guid>("SELECT client_id FROM conversations WHERE id = $1", await NextFilled());
        await large.Execute("UPDATE clients SET tags = ARRAY['regular'] WHERE id = $1", client);
        await owner.Job($"/v1/clients/{client}/data-export", null);
        await owner.Job($"/v1/clients/{client}/erasure", null);
        await Retain();
        await MemberLeaves();

        var (unlucky, runner) = (Guid.CreateVersion7(), app.Services.GetRequiredService<JobRunner>());
        await large.Execute("INSERT INTO jobs (id, organization_id, user_id, type, work) VALUES ($1, $2, $3, 'bulk_processing', $4)", unlucky, large.Id, large.OwnerId, UnluckyWork);
        using var stopping = new CancellationTokenSource();
        var run = runner.Run(unlucky, CancellationToken.None, stopping.Token);
        await IsUnderWay.WaitAsync(Eventually.Patience);
        await stopping.CancelAsync();
        await run;
        await large.Execute("UPDATE jobs SET cancel_requested_at = now() WHERE id = $1", unlucky);
        await runner.EndCancelled(unlucky);
        await owner.Ended(unlucky, "cancelled");
    }

    /// <summary>Whoever answered a customer leaves.</summary>
    private async Task MemberLeaves()
    {
        var (member, _) = await large.AddUser(Role.Member);
        (await large.Owner.PostAsJsonAsync($"/v1/conversations/{await NextFilled()}/assign", new { assigneeId = member })).EnsureSuccessStatusCode();
        (await large.Owner.DeleteAsync($"/v1/members/{member}")).EnsureSuccessStatusCode();
        await large.Owner.Ended(await large.Query<Guid>("SELECT id FROM jobs WHERE organization_id = $1 AND work = 'conversations_of_member' ORDER BY created_at DESC LIMIT 1", large.Id));
    }

    /// <summary>A few old rows of each kind; the page of messages goes on while it finds any.</summary>
    private async Task Retain()
    {
        await large.Execute($"""
            SET session_replication_role = replica;
            UPDATE messages SET created_at = now() - interval '40 days' WHERE id IN (SELECT id FROM messages WHERE organization_id = '{large.Id}' ORDER BY changed_in, id LIMIT 3);
            UPDATE turns SET created_at = now() - interval '40 days' WHERE id IN (SELECT id FROM turns WHERE organization_id = '{large.Id}' AND state = 'completed' LIMIT 3);
            UPDATE activity_logs SET created_at = now() - interval '40 days' WHERE id IN (SELECT id FROM activity_logs WHERE organization_id = '{large.Id}' LIMIT 3);
            UPDATE contacts SET last_interaction_at = now() - interval '40 days', last_message_preview = 'Hello' WHERE id IN (SELECT id FROM contacts WHERE organization_id = '{large.Id}' LIMIT 3);
            UPDATE files SET created_at = now() - interval '40 days' WHERE id IN (SELECT id FROM files WHERE organization_id = '{large.Id}' LIMIT 3);
            UPDATE jobs SET created_at = now() - interval '40 days' WHERE organization_id = '{large.Id}' AND status = 'completed'
            """);
        await large.Execute("UPDATE files SET expires_at = now() - interval '1 second' WHERE id = $1", await large.Owner.Upload("expired"));
        (await large.Owner.Patch("/v1/organization", new { messagesKeptDays = 30, turnsKeptDays = 30, activityLogsKeptDays = 30, idempotencyKeysKeptDays = 30, filesKeptDays = 30 }, "*")).EnsureSuccessStatusCode();
        Assert.Equal(1, await Grains.GetGrain<IRetentionGrain>(0).StartDue());
        await large.Owner.Ended(await large.Query<Guid>("SELECT id FROM jobs WHERE organization_id = $1 AND work = 'retention' ORDER BY created_at DESC LIMIT 1", large.Id));
    }

    /// <summary>What goes on by itself, and a silo that comes and goes.</summary>
    private async Task Upkeep()
    {
        await Grains.GetGrain<IAnalyticsGrain>(0).Refresh();
        using var instance = new EngineInstance(
            app.Services.GetRequiredService<ConversationStore>(), app.Services.GetRequiredService<IOptions<EngineInstanceOptions>>(), TimeProvider.System, NullLogger<EngineInstance>.Instance);
        await instance.StartAsync(CancellationToken.None);
        await instance.StopAsync(CancellationToken.None);
    }

    /// <summary>The small organization leaves: its archive arrives elsewhere, and what is left of it is deleted.</summary>
    private async Task Archives()
    {
        var archive = await small.Owner.Download(await small.Owner.Job("/v1/organization/export", null));
        var target = await app.NewOrganization();
        await target.Owner.Job("/v1/organization/import", new { fileId = await target.Owner.Upload(archive, "organization.zip") });
        var name = (await (await small.Owner.GetAsync("/v1/organization")).Json()).Text("name");
        var job = await (await small.Owner.PostAsJsonAsync("/v1/organization/deletion", new { name })).Json(HttpStatusCode.Accepted);
        await small.Execute("UPDATE jobs SET due_at = now() WHERE id = $1", job.Id());
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM organizations WHERE id = '{small.Id}'") == 0);
    }

    /// <summary>A conversation of the filled ones that nothing has touched yet.</summary>
    private async Task<Guid> NextFilled()
    {
        var found = await large.Query<Guid>("SELECT id FROM conversations WHERE organization_id = $1 AND last_sequence = 0 AND version = 1 AND NOT id = ANY ($2) ORDER BY id DESC LIMIT 1", large.Id, Used.ToArray());
        Used.Add(found);
        return found;
    }

    private static string Number() => Random.Shared.NextInt64(100_000_000_000, 999_999_999_999).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
