using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Contacts that are there before their first message.</summary>
public sealed class ContactImportTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task An_imported_contact_is_the_one_who_writes_later()
    {
        var organization = await app.NewOrganization();
        var agent = (await organization.Create("agents", new { name = "Agent", status = "active" })).Id();
        var line = await app.NewLine(organization, agent);
        var client = (await organization.Create("clients", new { firstName = "Anna", phone = "+15550001111" })).Id();
        var job = await organization.Owner.Job("/v1/jobs/imports", new
        {
            resource = "contacts",
            fileId = await organization.Owner.Upload("""
                channel.name,platformUserId,name,language,createdAt,lastInteractionAt
                WhatsApp,+15550001111,Anna,en,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z
                WhatsApp,15550002222,Boris,,,
                WhatsApp,anna@example.com,Not a number,,,
                WhatsApp,15550001111,Anna again,,,
                Nowhere,15550003333,Nobody,,,
                """),
        });

        Assert.Equal([(4, "platformUserId"), (5, "platformUserId"), (6, "channel.name")], await organization.Owner.Errors(job));
        var contacts = (await organization.Owner.All("contacts")).ToDictionary(contact => contact.Text("name"));
        Assert.Equal(2, contacts.Count);
        Assert.Equal(
            ("whatsapp", "15550001111", "+15550001111", "2020-01-01T00:00:00.000000Z", client),
            (contacts["Anna"].Text("platform"), contacts["Anna"].Text("platformUserId"), contacts["Anna"].Text("phone"), contacts["Anna"].Text("createdAt"), contacts["Anna"]["clientId"]!.GetValue<Guid>()));
        Assert.Equal(["Anna", "Boris"], (await organization.Owner.All("clients")).Select(known => known.Text("firstName")).Order());
        var before = Assert.Single(await organization.Owner.All("conversations"), conversation => conversation["contactId"]!.GetValue<Guid>() == contacts["Anna"].Id());
        Assert.Equal(("archived", "2021-01-01T00:00:00.000000Z"), (before.Text("status"), before.Text("lastMessageAt")));

        await line.Write("15550001111", "Hello");
        Assert.Equal("15550001111", (await line.NextSent()).Recipient);
        var after = Assert.Single(await organization.Owner.All("conversations"), conversation => conversation["contactId"]!.GetValue<Guid>() == contacts["Anna"].Id());
        Assert.Equal((before.Id(), "archived"), (after.Id(), before.Text("status")));
        Assert.NotEqual("archived", after.Text("status"));
        Assert.Equal(2, (await organization.Owner.All("contacts")).Length);
    }

    [Fact]
    public async Task A_contact_is_made_by_hand_once_and_can_be_written_to()
    {
        var organization = await app.NewOrganization();
        var line = await app.NewLine(organization);
        var contact = await organization.Create("contacts", new { channelId = line.ChannelId, platformUserId = "+15550001111", name = "Anna" });
        Assert.Equal("Anna", (await (await organization.Owner.GetAsync($"/v1/clients/{contact["clientId"]!.GetValue<Guid>()}")).Json()).Text("firstName"));
        Assert.Equal(["/platformUserId"], (await (await organization.Owner.PostAsJsonAsync("/v1/contacts", new { channelId = line.ChannelId, platformUserId = "15550001111" })).Problem(ProblemType.Conflict)).Fields());
        Assert.Equal(["/platformUserId"], (await (await organization.Owner.PostAsJsonAsync("/v1/contacts", new { channelId = line.ChannelId, platformUserId = "Anna" })).Problem(ProblemType.Validation)).Fields());
        var foreign = (await (await app.NewOrganization()).Create("channels", new { name = "Web", platform = "web" })).Id();
        Assert.Equal(["/channelId"], (await (await organization.Owner.PostAsJsonAsync("/v1/contacts", new { channelId = foreign, platformUserId = "15550001111" })).Problem(ProblemType.Validation)).Fields());

        await line.Write("15550001111", "Hello");
        var conversation = Assert.Single(await organization.Owner.All("conversations"));
        Assert.Equal((contact.Id(), "active", 1), (conversation["contactId"]!.GetValue<Guid>(), conversation.Text("status"), conversation["lastSequence"]!.GetValue<int>()));
    }

    [Fact]
    public async Task An_upsert_of_contacts_knows_them_by_their_channel()
    {
        var organization = await app.NewOrganization();
        var (first, second) = ((await organization.Create("channels", new { name = "First", platform = "web" })).Id(), (await organization.Create("channels", new { name = "Second", platform = "web" })).Id());
        await organization.Create("contacts", new { channelId = first, platformUserId = "anna", name = "Old" });
        var file = await organization.Owner.Upload("channel.name,platformUserId,name\nFirst,anna,New\nSecond,anna,Other\n");
        for (var turn = 0; turn < 2; turn++)
        {
            Assert.Empty(await organization.Owner.Errors(await organization.Owner.Job("/v1/jobs/imports", new { resource = "contacts", fileId = file, mode = "upsert", key = "platformUserId" })));
        }
        Assert.Equal(
            [("New", first), ("Other", second)], (await organization.Owner.All("contacts")).Select(contact => (contact.Text("name"), contact["channelId"]!.GetValue<Guid>())).Order());
    }
}
