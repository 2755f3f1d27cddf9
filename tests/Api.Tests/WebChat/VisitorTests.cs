using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.WebChat;
using AgentPlatform.Conversations;

namespace AgentPlatform.Api.Tests.WebChat;

public sealed class VisitorTests(WebChatApp app) : IClassFixture<WebChatApp>
{
    [Fact]
    public async Task A_visitor_writes_and_reads_the_answer()
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        var id = Guid.NewGuid();

        var answer = await (await visitor.Send("Hello?", id)).Json(HttpStatusCode.Created);

        Assert.False(answer["isDuplicate"]!.GetValue<bool>());
        var messages = await visitor.Until(2);
        Assert.Equal(("inbound", "Hello?", id.ToString()), (messages[0].Text("direction"), messages[0].Text("textContent"), messages[0].Text("clientMessageId")));
        Assert.Equal(("outbound", "ai", "answer to 1"), (messages[1].Text("direction"), messages[1].Text("senderType"), messages[1].Text("textContent")));
        Assert.False(messages[1]["isAutomatic"]!.GetValue<bool>());
        Assert.Empty(app.Log.Errors);
    }

    [Fact]
    public async Task A_message_posted_many_times_at_once_is_stored_once()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();
        var id = Guid.NewGuid();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => visitor.Send("Only once", id)));

        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        Assert.Equal(7, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Equal(1, await app.Database.ScalarAsAdminAsync<long>($"select count(*) from messages where channel_id = '{channel.Id}' and direction = 'inbound'"));
    }

    [Fact]
    public async Task Two_visitors_may_make_the_same_message_id()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var (one, other) = (await channel.NewVisitor(), await channel.NewVisitor());
        var id = Guid.NewGuid();

        await (await one.Send("from one", id)).Json(HttpStatusCode.Created);
        await (await other.Send("from the other", id)).Json(HttpStatusCode.Created);

        Assert.Equal("from the other", (await other.Messages())[0].Text("textContent"));
    }

    [Fact]
    public async Task A_visitor_sees_nothing_of_another_visitor()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var (one, other) = (await channel.NewVisitor(), await channel.NewVisitor());
        await one.Send("a secret of one");
        await one.Until(2);

        Assert.Empty(await other.Messages());
        await other.Send("hello");
        var seen = await other.Until(2);
        Assert.DoesNotContain(seen, message => message.Text("textContent").Contains("secret", StringComparison.Ordinal));
        var heard = await other.EventsUntil(heard => heard.Id == seen[^1]["sequence"]!.GetValue<long>());
        Assert.DoesNotContain(heard, heard => heard.Data.ToJsonString().Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_opens_its_own_channel_and_no_other_route()
    {
        var organization = await app.NewOrganization();
        var (channel, sister, stranger) = (await app.NewChannel(organization), await app.NewChannel(organization), await app.NewChannel(await app.NewOrganization()));
        var visitor = await channel.NewVisitor();

        foreach (var other in (WebChannel[])[sister, stranger])
        {
            await (await visitor.Client.GetAsync($"{other.Root}/messages")).Problem(WebChatProblems.VisitorUnknown);
            await (await visitor.Client.GetAsync($"{other.Root}/events")).Problem(WebChatProblems.VisitorUnknown);
            await (await visitor.Client.PostAsJsonAsync($"{other.Root}/messages", new { id = Guid.NewGuid(), text = "x" })).Problem(WebChatProblems.VisitorUnknown);
            await (await visitor.Client.PostAsJsonAsync($"{other.Root}/visitors", new { token = visitor.Token })).Problem(WebChatProblems.VisitorUnknown);
        }
        foreach (var route in (string[])["me", "channels", "agents", "clients", "contacts", "knowledge-articles"])
        {
            var answer = await visitor.Client.GetAsync($"/v1/{route}");
            Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound, $"GET /v1/{route} answered {answer.StatusCode}");
        }
        await (await visitor.Client.GetAsync("/v1/me")).Problem(ProblemType.Unauthenticated);
        await (await organization.Owner.GetAsync($"{channel.Root}/messages")).Problem(WebChatProblems.VisitorUnknown);
    }

    [Fact]
    public async Task A_token_is_renewed_for_the_same_visitor_and_only_a_genuine_one()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();

        var renewed = await (await app.Anonymous.PostAsJsonAsync($"{channel.Root}/visitors", new { token = visitor.Token })).Json(HttpStatusCode.Created);
        Assert.Equal(visitor.Id, renewed["visitorId"]!.GetValue<Guid>());

        var forged = visitor.Token[..^2] + (visitor.Token.EndsWith("AA", StringComparison.Ordinal) ? "BB" : "AA");
        await (await app.Anonymous.PostAsJsonAsync($"{channel.Root}/visitors", new { token = forged })).Problem(WebChatProblems.VisitorUnknown);
        await (await app.Anonymous.GetAsync($"{channel.Root}/messages")).Problem(WebChatProblems.VisitorUnknown);
    }

    [Fact]
    public async Task Notes_and_what_is_not_sent_yet_never_reach_a_visitor()
    {
        var organization = await app.NewOrganization();
        var channel = await app.NewChannel(organization);
        var visitor = await channel.NewVisitor();
        await visitor.Send("Hello?");
        await visitor.Until(2);
        await visitor.Conversation.Change(new ConversationChange { Action = ConversationAction.Note, Actor = new() { OrganizationId = organization.Id, UserId = organization.OwnerId }, Text = "a hidden note", MessageId = Guid.CreateVersion7() });
        await visitor.Conversation.Send(new SendMessage { MessageId = Guid.CreateVersion7(), Actor = new() { OrganizationId = organization.Id, UserId = organization.OwnerId }, Content = new() { Text = "from a person" } });
        var messages = await visitor.Until(3);

        Assert.Equal(["Hello?", "answer to 1", "from a person"], messages.Select(message => message.Text("textContent")));
        Assert.Equal("agent", messages[2].Text("senderType"));
        Assert.DoesNotContain("hidden", (await visitor.Page("?after=0")).ToJsonString(), StringComparison.Ordinal);
        var heard = await visitor.EventsUntil(heard => heard.Id == messages[2]["sequence"]!.GetValue<long>());
        Assert.DoesNotContain(heard, heard => heard.Data.ToJsonString().Contains("hidden", StringComparison.Ordinal));

        // A message that waits to be sent hides itself and what comes after it.
        await organization.Execute("UPDATE messages SET status = 'pending' WHERE channel_id = $1 AND text_content = 'answer to 1'", channel.Id);
        Assert.Equal(["Hello?"], (await visitor.Messages()).Select(message => message.Text("textContent")));
    }

    [Fact]
    public async Task Choices_are_offered_and_answered()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();
        app.Agent.Answer = (request, _) => Task.FromResult(request.LastSequence == 1 && request.ChannelId == channel.Id
            ? ScriptedAgent.Say(new OutgoingContent { Text = "Which one?", Choices = [new Choice("weekend", "Weekend"), new Choice("week", "A week", "Seven days")] }, "built_in")
            : ScriptedAgent.Say($"answer to {request.LastSequence}"));
        await visitor.Send("Tours?");
        var offer = (await visitor.Until(2))[1];

        Assert.True(offer["isAutomatic"]!.GetValue<bool>());
        Assert.Equal(["weekend", "week"], offer["choices"]!.AsArray().Select(choice => choice!["id"]!.GetValue<string>()));
        Assert.Equal("Seven days", offer["choices"]![1]!["description"]!.GetValue<string>());
        await (await visitor.Send("A week", choiceId: "week", replyTo: offer.Id())).Json(HttpStatusCode.Created);

        Assert.Equal("week", await app.Database.ScalarAsAdminAsync<string>($"select payload ->> 'id' from messages where channel_id = '{channel.Id}' and content_type = 'interactive' and direction = 'inbound'"));
        Assert.Equal(offer.Id().ToString(), await app.Database.ScalarAsAdminAsync<string>($"select reply_to_platform_id from messages where channel_id = '{channel.Id}' and content_type = 'interactive' and direction = 'inbound'"));
    }

    [Fact]
    public async Task Pages_go_forwards_and_backwards()
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        for (var i = 1; i <= 3; i++)
        {
            await visitor.Send($"question {i}");
            await visitor.Until(2 * i);
        }

        static long[] Sequences(JsonObject page) => [.. page.Items().Select(message => message["sequence"]!.GetValue<long>())];
        var newest = await visitor.Page("?limit=4");
        Assert.Equal(new long[] { 3, 4, 5, 6 }, Sequences(newest));
        var earlier = await visitor.Page($"?limit=4&before={newest.Text("nextCursor")}");
        Assert.Equal(new long[] { 1, 2 }, Sequences(earlier));
        Assert.Null(earlier["nextCursor"]);
        var forward = await visitor.Page("?limit=5&after=0");
        Assert.Equal(new long[] { 1, 2, 3, 4, 5 }, Sequences(forward));
        var last = await visitor.Page($"?after={forward.Text("nextCursor")}");
        Assert.Equal(new long[] { 6 }, Sequences(last));
    }

    [Theory]
    [InlineData("""{"text":"x"}""", "/id")]
    [InlineData("""{"id":"no","text":"x"}""", "/id")]
    [InlineData("""{"id":"0199a0f0-0000-7000-8000-000000000000","text":" "}""", "/text")]
    [InlineData("""{"id":"0199a0f0-0000-7000-8000-000000000000"}""", "/text")]
    [InlineData("""{"id":"0199a0f0-0000-7000-8000-000000000000","text":"x","senderType":"agent"}""", "/senderType")]
    public async Task A_message_that_is_not_valid_names_the_field(string body, string field)
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();

        var problem = await (await visitor.Client.PostAsync($"{channel.Root}/messages", new StringContent(body, null, "application/json"))).Problem(ProblemType.Validation);

        Assert.Equal([field], problem.Fields());
        Assert.Empty(await visitor.Messages());
    }

    [Fact]
    public async Task A_text_beyond_the_limit_is_refused()
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();

        await (await visitor.Send(new string('x', WebChatOptions.MaxTextLength + 1))).Problem(ProblemType.Validation);
        await (await visitor.Send(new string('x', 100_000))).Problem(ProblemType.BodyTooLarge);
        await (await visitor.Send(new string('x', WebChatOptions.MaxTextLength))).Json(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_channel_that_is_unknown_switched_off_or_of_another_platform_is_not_there()
    {
        var organization = await app.NewOrganization();
        var (channel, off) = (await app.NewChannel(organization), await app.NewChannel(organization));
        await organization.Execute("UPDATE channels SET is_active = false WHERE id = $1", off.Id);
        await organization.Execute("UPDATE channels SET platform = 'telegram' WHERE id = $1", channel.Id);

        foreach (var id in (string[])[Guid.NewGuid().ToString(), off.Id.ToString(), channel.Id.ToString(), "nonsense"])
        {
            await (await app.Anonymous.GetAsync($"/v1/web/{id}/config")).Problem(ProblemType.NotFound);
            await (await app.Anonymous.PostAsJsonAsync($"/v1/web/{id}/visitors", new { })).Problem(ProblemType.NotFound);
        }
    }
}
