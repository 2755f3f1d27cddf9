using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Automation;

public sealed class ChannelStateTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_session_follows_its_channel()
    {
        var organization = await app.NewOrganization();
        var channel = await NewLine(organization);
        Assert.Equal("connected", (await Session(organization)).Text("status"));

        await (await organization.Owner.Patch($"/v1/channels/{channel}", new { isActive = false }, "*")).Json();
        var off = await Session(organization);
        Assert.Equal("disconnected", off.Text("status"));
        Assert.NotNull(off["lastDisconnectedAt"]);

        await (await organization.Owner.Patch($"/v1/channels/{channel}", new { isActive = true }, "*")).Json();
        await organization.Execute("UPDATE channels SET broken_reason = 'Token revoked.', broken_at = now() WHERE id = $1", channel);
        var broken = await Session(organization);
        Assert.Equal(("error", "Token revoked."), (broken.Text("status"), broken.Text("errorMessage")));

        await (await organization.Owner.Patch($"/v1/channels/{channel}", new { name = "Mended" }, "*")).Json();
        var mended = await Session(organization);
        Assert.Equal("connected", mended.Text("status"));
        Assert.Null(mended["errorMessage"]);
    }

    [Fact]
    public async Task A_gateway_reports_a_line_that_is_linked_by_a_code()
    {
        var organization = await app.NewOrganization();
        await NewLine(organization);
        var path = $"/v1/whatsapp-sessions/{(await Session(organization)).Id()}";
        await (await organization.Owner.Patch(path, new { status = "disconnected" }, "*")).Json();
        Assert.Equal(["/status"], (await (await organization.Owner.Patch(path, new { status = "connected" }, "*")).Problem(ProblemType.Conflict)).Fields());
        Assert.Equal(["/qrCode"], (await (await organization.Owner.Patch(path, new { qrCode = "2@abc" }, "*")).Problem(ProblemType.Validation)).Fields());
        Assert.Equal("2@abc", (await (await organization.Owner.Patch(path, new { status = "connecting", qrCode = "2@abc" }, "*")).Json()).Text("qrCode"));
        Assert.Null((await (await organization.Owner.Patch(path, new { status = "connected" }, "*")).Json())["qrCode"]);
        Assert.Equal(["/errorMessage"], (await (await organization.Owner.Patch(path, new { status = "error" }, "*")).Problem(ProblemType.Validation)).Fields());
        await (await organization.Owner.Patch(path, new { status = "error", errorMessage = "Signed out." }, "*")).Json();
    }

    [Fact]
    public async Task A_channel_made_in_one_call_belongs_to_the_caller_and_its_contacts_are_found_with_their_clients()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        await using var session = await TenantSession.OpenAsync(app.Services.GetRequiredService<ApiDataSource>(), new Tenant(organization.Id, organization.OwnerId, "owner"));
        var made = JsonNode.Parse((await session.ScalarAsync<string>("SELECT create_channel_and_config('Line', 'telegram', '4711')::text", default))!)!.AsObject();
        Assert.Equal(organization.Id, made["organization_id"]!.GetValue<Guid>());
        await session.CommitAsync();

        var channel = made.Id();
        foreach (var (name, phone) in new[] { ("Anna Berg", "+15550001111"), ("Boris", "+15550002222") })
        {
            await organization.Execute(
                "INSERT INTO contacts (organization_id, channel_id, platform, platform_user_id, name, phone) VALUES ($1, $2, 'telegram', $3, $3, $4)", organization.Id, channel, name, phone);
        }
        Assert.Equal(2L, await Count(organization, "SELECT count(crm_client_id) FROM get_contacts_for_channel($1)", channel));
        Assert.Equal(1L, await Count(organization, "SELECT count(*) FROM get_contacts_for_channel($1, 'berg')", channel));
        Assert.Equal(0L, await Count(other, "SELECT count(*) FROM get_contacts_for_channel($1)", channel));
    }

    [Fact]
    public async Task Whoever_writes_a_message_the_contact_tells_of_it()
    {
        var organization = await app.NewOrganization();
        var channel = (await organization.Create("channels", new { name = "Web", platform = "web" })).Id();
        var (contact, conversation, message) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await organization.Execute("INSERT INTO contacts (id, organization_id, channel_id, platform, platform_user_id, last_interaction_at) VALUES ($1, $2, $3, 'web', 'v', now() - interval '1 day')", contact, organization.Id, channel);
        await organization.Execute("INSERT INTO conversations (id, organization_id, channel_id, contact_id) VALUES ($1, $2, $3, $4)", conversation, organization.Id, channel, contact);
        await organization.Execute(
            "INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content) VALUES ($1, $2, $3, $4, $5, 1, 'inbound', 'user', 'received', 'Hello')",
            message, organization.Id, conversation, channel, contact);
        var told = await (await organization.Owner.GetAsync($"/v1/contacts/{contact}")).Json();
        Assert.Equal(("Hello", 1), (told.Text("lastMessagePreview"), told["unreadCount"]!.GetValue<int>()));
        Assert.True(told["lastInteractionAt"]!.GetValue<DateTimeOffset>() > DateTimeOffset.UtcNow.AddHours(-1));

        await organization.Execute("UPDATE messages SET is_read_by_agent = true WHERE id = $1", message);
        Assert.Equal(0, (await (await organization.Owner.GetAsync($"/v1/contacts/{contact}")).Json())["unreadCount"]!.GetValue<int>());
    }

    [Fact]
    public async Task What_an_agent_has_said_is_counted_without_a_change_of_it()
    {
        var organization = await app.NewOrganization();
        var agent = await organization.Create("agents", new { name = "Ana" });
        var channel = (await organization.Create("channels", new { name = "Web", platform = "web", agentId = agent.Id() })).Id();
        var (contact, conversation, turn) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await organization.Execute("INSERT INTO contacts (id, organization_id, channel_id, platform, platform_user_id) VALUES ($1, $2, $3, 'web', 'v')", contact, organization.Id, channel);
        await organization.Execute("INSERT INTO conversations (id, organization_id, channel_id, contact_id) VALUES ($1, $2, $3, $4)", conversation, organization.Id, channel, contact);
        await organization.Execute(
            "INSERT INTO turns (id, organization_id, conversation_id, agent_id, state, epoch, first_sequence, last_sequence, due_at) VALUES ($1, $2, $3, $4, 'completed', 0, 1, 1, now())",
            turn, organization.Id, conversation, agent.Id());
        await organization.Execute(
            "INSERT INTO messages (organization_id, conversation_id, channel_id, contact_id, turn_id, sequence, direction, sender_type, status, text_content) SELECT $1, $2, $3, $4, $5, n, 'outbound', 'ai', 'sent', 'Hi' FROM generate_series(1, 3) n",
            organization.Id, conversation, channel, contact, turn);
        await organization.Execute("SELECT refresh_all_analytics()");

        var counted = await (await organization.Owner.GetAsync($"/v1/agents/{agent.Id()}")).Json();
        Assert.Equal(3, counted["messagesTotal"]!.GetValue<int>());
        Assert.NotNull(counted["lastActivityAt"]);
        Assert.Equal((agent["version"]!.ToJsonString(), agent["updatedAt"]!.ToJsonString()), (counted["version"]!.ToJsonString(), counted["updatedAt"]!.ToJsonString()));
    }

    private static async Task<Guid> NewLine(TestOrganization organization) => (await organization.Create("channels", new
    {
        name = "WhatsApp",
        platform = "whatsapp",
        platformChannelId = $"{Guid.NewGuid():N}",
        credentials = new { appSecret = "a", verifyToken = "b", accessToken = "c" },
    })).Id();

    private static async Task<JsonObject> Session(TestOrganization organization) =>
        Assert.Single((await (await organization.Owner.GetAsync("/v1/whatsapp-sessions")).Json()).Items());

    private async Task<long> Count(TestOrganization organization, string sql, Guid channel)
    {
        await using var session = await TenantSession.OpenAsync(app.Services.GetRequiredService<ApiDataSource>(), new Tenant(organization.Id));
        return await session.ScalarAsync<long>(sql, default, channel);
    }
}
