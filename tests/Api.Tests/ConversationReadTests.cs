using AgentPlatform.Api.Conversations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests;

public sealed class ConversationReadTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task The_inbox_shows_conversations_with_their_contact_newest_first()
    {
        var organization = await app.NewOrganization();
        var first = await SeededConversation.Create(organization, "Anna", "+15550000001", "Hello");
        var second = await SeededConversation.Create(organization, "Boris", "+15550000002", "Hi", "Are you there?");
        var items = (await (await organization.Owner.GetAsync("/v1/conversations")).Json()).Items();
        Assert.Equal([second.Id, first.Id], items.Select(item => item.Id()));
        Assert.Equal("Boris", items[0]["contact"]!["name"]!.GetValue<string>());
        Assert.Equal(2, items[0]["unreadCount"]!.GetValue<int>());
        Assert.Equal("ai", items[0].Text("managedBy"));
    }

    [Fact]
    public async Task The_inbox_is_filtered()
    {
        var organization = await app.NewOrganization();
        var one = await SeededConversation.Create(organization, "Anna", "+15550000001", "Hello");
        await SeededConversation.Create(organization, "Boris", "+15550000002", "Hi");
        await organization.Execute("UPDATE conversations SET status = 'escalated', managed_by = 'human', assigned_to = $2 WHERE id = $1", one.Id, organization.OwnerId);
        foreach (var query in new[] { $"channelId={one.ChannelId}", "status=escalated", "managedBy=human", $"assignedTo={organization.OwnerId}", $"contactId={one.ContactId}" })
        {
            Assert.Equal([one.Id], await Find(organization, query));
        }
        Assert.Single(await Find(organization, "assignedTo=none"));
        Assert.Equal(2, (await Find(organization, "unread=true")).Length);
        Assert.Empty(await Find(organization, "unread=false"));
    }

    [Fact]
    public async Task A_search_looks_into_names_numbers_and_messages_of_the_own_organization()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var anna = await SeededConversation.Create(organization, "Anna Kovács", "+15550007001", "When does the Sahara tour start?");
        var boris = await SeededConversation.Create(organization, "Борис", "+15550007002", "Сколько стоит экскурсия?");
        await SeededConversation.Create(other, "Anna", "+15550007003", "Sahara");
        var indexing = app.Services.GetRequiredService<SearchIndexing>();
        await Eventually.Holds(async () =>
        {
            await indexing.Index(CancellationToken.None);
            return (await Find(organization, "q=sahara")).Length > 0 && (await Find(organization, "q=экскурс")).Length > 0;
        });
        Assert.Equal([anna.Id], await Find(organization, "q=sahara tour"));
        Assert.Equal([anna.Id], await Find(organization, "q=kov%C3%A1"));
        Assert.Equal([anna.Id], await Find(organization, "q=7001"));
        Assert.Equal([boris.Id], await Find(organization, "q=экскурс"));
        Assert.Empty(await Find(organization, "q=nowhere"));
        Assert.Empty(await Find(organization, "q=%25"));
    }

    [Fact]
    public async Task Contacts_and_clients_are_found_by_any_part_of_name_or_number()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var conversation = await SeededConversation.Create(organization, "Anna Kovács", "+15550008001");
        await SeededConversation.Create(other, "Anna", "+15550008002");
        var client = await organization.Create("clients", new { companyName = "Dunes & Sons 100%", email = "dune@example.com" });
        async Task<Guid[]> Search(string path) => [.. (await (await organization.Owner.GetAsync($"/v1/{path}")).Json()).Items().Select(item => item.Id())];
        Assert.Equal([conversation.ContactId], await Search("contacts?q=kov"));
        Assert.Equal([conversation.ContactId], await Search("contacts?q=8001"));
        Assert.Equal([client.Id()], await Search("clients?q=DUNE%40"));
        Assert.Equal([client.Id()], await Search("clients?q=100%25"));
        Assert.Empty(await Search("clients?q=1_0"));
    }

    [Fact]
    public async Task Messages_are_read_in_both_directions()
    {
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001", "1", "2", "3", "4", "5");
        Assert.Equal(["1", "2", "3", "4", "5"], await Texts(organization, conversation, ""));
        Assert.Equal(["5", "4"], await Texts(organization, conversation, "?sort=-sequence&limit=2"));
        Assert.Equal(["3", "2"], await Texts(organization, conversation, "?sort=-sequence&limit=2&before=4"));
        Assert.Equal(["4", "5"], await Texts(organization, conversation, "?after=3"));
        var page = await (await organization.Owner.GetAsync($"/v1/conversations/{conversation.Id}/messages?limit=3")).Json();
        Assert.Equal(["4", "5"], await Texts(organization, conversation, $"?cursor={page.Text("nextCursor")}"));
        var message = page.Items()[0];
        Assert.Equal(("inbound", "user", "received"), (message.Text("direction"), message.Text("senderType"), message.Text("status")));
    }

    [Fact]
    public async Task A_conversation_of_another_organization_does_not_exist()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var conversation = await SeededConversation.Create(other, "Anna", "+15550000001", "secret");
        foreach (var path in new[] { "", "/messages", "/turns" })
        {
            await (await organization.Owner.GetAsync($"/v1/conversations/{conversation.Id}{path}")).Problem(ProblemType.NotFound);
        }
    }

    [Fact]
    public async Task A_turn_tells_what_the_agent_saw()
    {
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001", "Hello");
        var id = Guid.CreateVersion7();
        await organization.Execute(
            """
            INSERT INTO turns (id, organization_id, conversation_id, state, epoch, first_sequence, last_sequence, due_at, outcome, responder, prompt, cost)
            VALUES ($1, $2, $3, 'completed', 0, 1, 1, now(), 'replied', 'built_in', '[{"role": "user", "content": "Hello"}]', 0.0125)
            """,
            id, organization.Id, conversation.Id);
        var listed = Assert.Single((await (await organization.Owner.GetAsync($"/v1/conversations/{conversation.Id}/turns")).Json()).Items());
        Assert.False(listed.ContainsKey("prompt"));
        var turn = await (await organization.Owner.GetAsync($"/v1/turns/{id}")).Json();
        Assert.Equal("Hello", turn["prompt"]![0]!["content"]!.GetValue<string>());
        Assert.Equal(0.0125m, turn["cost"]!.GetValue<decimal>());
    }

    private static async Task<Guid[]> Find(TestOrganization organization, string query) =>
        [.. (await (await organization.Owner.GetAsync($"/v1/conversations?{query}")).Json()).Items().Select(item => item.Id())];

    private static async Task<string[]> Texts(TestOrganization organization, SeededConversation conversation, string query) =>
        [.. (await (await organization.Owner.GetAsync($"/v1/conversations/{conversation.Id}/messages{query}")).Json()).Items().Select(item => item.Text("textContent"))];
}
