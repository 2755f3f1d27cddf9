using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests;

public sealed class ConversationCommandTests(EngineApp app) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task A_member_takes_over_and_answers_and_the_inbox_follows_live()
    {
        var organization = await app.NewOrganization();
        var line = await app.NewLine(organization);
        using var events = await EventReader.Open(organization.Owner);
        Assert.Equal("ready", (await events.Next())!.Type);
        await line.Write("15550001111", "Is anybody there?");
        Assert.Equal("Is anybody there?", (await events.Next("message.created")).Data.Text("textContent"));

        var conversation = Assert.Single((await (await organization.Owner.GetAsync($"/v1/conversations?channelId={line.ChannelId}")).Json()).Items());
        var path = $"/v1/conversations/{conversation.Id()}";
        var taken = await (await organization.Owner.PostAsync($"{path}/takeover", null)).Json();
        Assert.Equal(("human", organization.OwnerId), (taken.Text("managedBy"), taken["assignedTo"]!.GetValue<Guid>()));

        var written = await (await organization.Owner.PostAsJsonAsync($"{path}/messages", new { text = "Yes, hello!" })).Json(HttpStatusCode.Created);
        Assert.Equal(2, written["sequence"]!.GetValue<long>());
        var sent = await line.NextSent();
        Assert.Equal("Yes, hello!", sent.Text);
        await line.Confirm(sent, "delivered", "read");
        // As created, if the view looks only now.
        ServerEvent read;
        do
        {
            read = (await events.Next())!;
        }
        while (!read.Type.StartsWith("message.", StringComparison.Ordinal) || read.Data.Text("status") != "read");
        Assert.Equal((written.Id(), sent.Id), (read.Data.Id(), read.Data.Text("platformMessageId")));

        var released = await (await organization.Owner.PostAsync($"{path}/release", null)).Json();
        Assert.Equal("ai", released.Text("managedBy"));
        Assert.Null(released["assignedTo"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_a_member_leaves_or_is_suspended_what_was_his_waits_for_somebody_else_and_they_are_told(bool leaves)
    {
        var organization = await app.NewOrganization();
        var line = await app.NewLine(organization);
        var (memberId, email) = await organization.AddUser(Role.Member);
        var (member, other) = (await organization.SignIn(email), await organization.Member(Role.Member));
        var (taken, resolved, assigned) = (await Written(line, "15550001111"), await Written(line, "15550002222"), await Written(line, "15550003333"));
        await (await member.PostAsync($"{taken}/takeover", null)).Json();
        await (await member.PostAsync($"{resolved}/takeover", null)).Json();
        await (await member.PostAsync($"{resolved}/resolve", null)).Json();
        await (await organization.Owner.PostAsJsonAsync($"{assigned}/assign", new { assigneeId = memberId })).Json();
        var told = await (await organization.Owner.DeleteAsync($"/v1/members/{memberId}?dryRun=true")).Json();
        Assert.Equal(2, Assert.Single(told["effects"]!.AsArray(), effect => effect!["resource"]!.GetValue<string>() == "conversations")!["count"]!.GetValue<int>());

        (leaves
            ? await organization.Owner.DeleteAsync($"/v1/members/{memberId}")
            : await organization.Owner.Patch($"/v1/members/{memberId}", new { status = "suspended" }, "*")).EnsureSuccessStatusCode();

        await Eventually.Holds(async () => await Stands(taken) == ("escalated", "human", null) && await Stands(assigned) == ("active", "ai", null));
        Assert.Equal(("completed", "ai", memberId.ToString()), await Stands(resolved));
        Assert.Equal("conversation_escalated", Assert.Single((await (await other.GetAsync("/v1/notifications")).Json()).Items()).Text("type"));
        // Nobody's, so whoever takes it is its person, and the customer is answered again.
        await (await other.PostAsJsonAsync($"{taken}/messages", new { text = "I am here now." })).Json(HttpStatusCode.Created);
        Assert.Equal("I am here now.", (await line.NextSent()).Text);
        Assert.Equal("active", (await Stands(taken)).Status);

        async Task<(string Status, string ManagedBy, string? AssignedTo)> Stands(string path)
        {
            var now = await (await organization.Owner.GetAsync(path)).Json();
            return (now.Text("status"), now.Text("managedBy"), now["assignedTo"]?.GetValue<string>());
        }

        async Task<string> Written(WhatsAppLine to, string from)
        {
            await to.Write(from, "Is anybody there?");
            return $"/v1/conversations/{await organization.Query<Guid>("SELECT c.id FROM conversations c JOIN contacts k ON k.id = c.contact_id WHERE k.channel_id = $1 AND k.platform_user_id = $2", to.ChannelId, from)}";
        }
    }

    [Fact]
    public async Task Internal_notes_stand_beside_the_conversation_and_its_versions()
    {
        var (organization, path) = await Conversation();
        var before = await (await organization.Owner.GetAsync(path)).Json();
        var noted = await (await organization.Owner.PostAsJsonAsync($"{path}/internal-notes", new { internalNotes = "Wants a window seat." })).Json();
        Assert.Equal("Wants a window seat.", noted.Text("internalNotes"));
        Assert.Equal(before["version"]!.ToJsonString(), noted["version"]!.ToJsonString());
        await (await organization.Owner.PostAsync($"{path}/takeover", null)).Json();
        Assert.Equal("Wants a window seat.", (await (await organization.Owner.GetAsync(path)).Json()).Text("internalNotes"));
        Assert.Null((await (await organization.Owner.PostAsJsonAsync($"{path}/internal-notes", new { internalNotes = (string?)null })).Json())["internalNotes"]);
    }

    [Fact]
    public async Task The_same_idempotency_key_sends_a_message_once()
    {
        var (organization, path) = await Conversation();
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => organization.Owner.PostWithKey($"{path}/messages", new { text = "Once" }, "k1")));
        var bodies = await Task.WhenAll(answers.Select(async answer => (await answer.Json(HttpStatusCode.Created)).ToJsonString()));
        Assert.Single(bodies.Distinct());
        await (await organization.Owner.PostWithKey($"{path}/messages", new { text = "Twice" }, "k1")).Problem(ProblemType.IdempotencyKeyReused);
        Assert.Equal(["Hello", "Once"], await Texts(organization, path));
    }

    [Fact]
    public async Task A_conversation_is_noted_assigned_resolved_reopened_archived_and_read()
    {
        var (organization, path) = await Conversation();
        var (colleague, _) = await organization.AddUser(Role.Member);
        var note = await (await organization.Owner.PostAsJsonAsync($"{path}/notes", new { text = "A regular" })).Json(HttpStatusCode.Created);
        Assert.Equal("received", note.Text("status"));
        var assigned = await (await organization.Owner.PostAsJsonAsync($"{path}/assign", new { assigneeId = colleague })).Json();
        Assert.Equal(colleague, assigned["assignedTo"]!.GetValue<Guid>());
        Assert.Null((await (await organization.Owner.PostAsJsonAsync($"{path}/assign", new { assigneeId = (Guid?)null })).Json())["assignedTo"]);
        Assert.Equal(0, (await Post("read"))["unreadCount"]!.GetValue<int>());
        Assert.Equal("completed", (await Post("resolve")).Text("status"));
        Assert.Equal("active", (await Post("reopen")).Text("status"));
        Assert.Equal("archived", (await Post("archive")).Text("status"));
        Assert.False((await (await organization.Owner.PostAsJsonAsync($"{path}/ai", new { enabled = false })).Json())["contact"]!["aiEnabled"]!.GetValue<bool>());
        var log = (await (await organization.Owner.GetAsync("/v1/activity-logs?entityType=conversation")).Json()).Items();
        Assert.Contains(log, row => row.Text("actionType") == "conversation.resolve");

        async Task<JsonObject> Post(string action) => await (await organization.Owner.PostAsync($"{path}/{action}", null)).Json();
    }

    [Fact]
    public async Task A_command_may_name_the_version_that_it_is_based_on()
    {
        var (organization, path) = await Conversation();
        var read = await organization.Owner.GetAsync(path);
        using var stale = new HttpRequestMessage(HttpMethod.Post, $"{path}/resolve") { Headers = { { "If-Match", "\"0\"" } } };
        var problem = await (await organization.Owner.SendAsync(stale)).Problem(ProblemType.VersionConflict);
        Assert.Equal(read.Headers.ETag!.Tag, $"\"{problem["currentVersion"]}\"");
        using var current = new HttpRequestMessage(HttpMethod.Post, $"{path}/resolve") { Headers = { { "If-Match", read.Headers.ETag.Tag } } };
        await (await organization.Owner.SendAsync(current)).Json();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"mediaType": "image"}""")]
    [InlineData("""{"text": "x", "mediaUrl": "https://example.com/a.png"}""")]
    [InlineData("""{"text": "x", "mediaFilename": "a.png"}""")]
    [InlineData("""{"choices": [{"id": "1", "title": "One"}]}""")]
    public async Task A_message_that_makes_no_sense_is_refused(string body)
    {
        var (organization, path) = await Conversation();
        await (await organization.Owner.PostAsync($"{path}/messages", new StringContent(body, null, "application/json"))).Problem(ProblemType.Validation);
        Assert.Single(await Texts(organization, path));
    }

    [Fact]
    public async Task The_ai_is_switched_for_a_contact()
    {
        var (organization, path) = await Conversation();
        var contact = (await (await organization.Owner.GetAsync(path)).Json())["contactId"]!.GetValue<Guid>();
        Assert.False((await (await organization.Owner.PostAsJsonAsync($"/v1/contacts/{contact}/ai", new { enabled = false })).Json())["aiEnabled"]!.GetValue<bool>());
        Assert.False((await (await organization.Owner.GetAsync(path)).Json())["contact"]!["aiEnabled"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Nobody_commands_a_conversation_of_another_organization()
    {
        var (_, path) = await Conversation();
        var other = await app.NewOrganization();
        foreach (var action in new[] { "takeover", "release", "resolve", "reopen", "archive", "read" })
        {
            await (await other.Owner.PostAsync($"{path}/{action}", null)).Problem(ProblemType.NotFound);
        }
        await (await other.Owner.PostAsJsonAsync($"{path}/messages", new { text = "x" })).Problem(ProblemType.NotFound);
        await (await other.Owner.PostAsJsonAsync($"{path}/notes", new { text = "x" })).Problem(ProblemType.NotFound);
    }

    [Fact]
    public async Task The_process_is_ready_when_database_and_engine_answer()
    {
        var ready = await (await app.Anonymous.GetAsync("/health/ready")).Json();
        Assert.Equal(("healthy", "healthy"), (ready["checks"]!["database"]!.GetValue<string>(), ready["checks"]!["engine"]!.GetValue<string>()));
        await (await app.Anonymous.GetAsync("/health/live")).Json();
    }

    private async Task<(TestOrganization Organization, string Path)> Conversation()
    {
        var organization = await app.NewOrganization();
        var line = await app.NewLine(organization);
        await line.Write("15550001111", "Hello");
        var conversation = Assert.Single((await (await organization.Owner.GetAsync("/v1/conversations")).Json()).Items());
        return (organization, $"/v1/conversations/{conversation.Id()}");
    }

    private static async Task<string[]> Texts(TestOrganization organization, string path) =>
        [.. (await (await organization.Owner.GetAsync($"{path}/messages")).Json()).Items().Select(item => item.Text("textContent"))];
}
