using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>By what rows are recognised: e-mail addresses without regard to case, phone numbers however they are written, and never one of several.</summary>
public sealed class RecognitionTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task Clients_are_recognised_by_their_address_whatever_its_case()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { email = "anna@example.com", firstName = "Old" });
        await organization.Create("clients", new { email = "Boris@Example.com", firstName = "Old" });
        foreach (var (name, email) in ((string, string)[])[("One", "clara@example.com"), ("Two", "Clara@example.com")])
        {
            await organization.Create("clients", new { email, firstName = name });
        }
        var job = await Import(organization, "clients", "email", "email,firstName\nAnna@Example.com,Anna\nboris@example.com,Boris\nCLARA@example.com,Clara\nNew@Example.com,First\nnew@example.com,Second\n,Nobody\n\" \",Blank\n");

        Assert.Equal([(4L, (string?)"email"), (7L, "email"), (8L, "email")], await organization.Owner.Errors(job));
        var told = (await (await organization.Owner.GetAsync($"/v1/jobs/{job.Id()}/job-errors")).Json()).Items();
        Assert.Equal("email is that of several clients: it doesn't say which of them to change.", told[0].AsObject().Text("detail"));
        Assert.Equal(
            ["Boris@Example.com Boris 2", "Clara@example.com Two 1", "New@Example.com Second 2", "anna@example.com Anna 2", "clara@example.com One 1"],
            (await organization.Owner.All("clients")).Select(client => $"{client.Text("email")} {client.Text("firstName")} {client["version"]}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_reference_names_people_by_their_address_whatever_its_case()
    {
        var organization = await app.NewOrganization();
        var anna = (await organization.Create("clients", new { email = "anna@example.com" })).Id();
        var partner = (await organization.Create("partners", new { name = "Ours", contactEmail = "Office@Ours.example" })).Id();
        await organization.Create("clients", new { email = "twice@example.com" });
        await organization.Create("clients", new { email = "Twice@example.com" });
        var owner = (await (await organization.Owner.GetAsync("/v1/me")).Json())["email"]!.GetValue<string>();
        var notes = await Import(organization, "notes", null, "content,client.email\nGood,Anna@EXAMPLE.com\nWhich,twice@Example.com\n");
        Assert.Equal([(3L, (string?)"client.email")], await organization.Owner.Errors(notes));
        Assert.Equal(anna, Assert.Single(await organization.Owner.All("notes"))["clientId"]!.GetValue<Guid>());

        Assert.Empty(await organization.Owner.Errors(await Import(organization, "products", null, "name,partner.contactEmail\nTent,office@ours.example\n")));
        Assert.Equal(partner, Assert.Single(await organization.Owner.All("products"))["partnerId"]!.GetValue<Guid>());
        Assert.Empty(await organization.Owner.Errors(await Import(organization, "deals", null, $"name,client.email,owner.email\nDeal,ANNA@example.com,{owner.ToUpperInvariant()}\n")));
        Assert.Equal(organization.OwnerId, Assert.Single(await organization.Owner.All("deals"))["ownerId"]!.GetValue<Guid>());
    }

    [Fact]
    public async Task Lists_are_filtered_by_addresses_and_numbers_as_imports_recognise_them()
    {
        var organization = await app.NewOrganization();
        var anna = (await organization.Create("clients", new { email = "Anna@Example.com", phone = "+49 170 123-4567" }));
        Assert.Equal(("Anna@Example.com", "+491701234567"), (anna.Text("email"), anna.Text("phone")));
        await organization.Create("clients", new { email = "other@example.com" });
        foreach (var filter in (string[])["email=anna%40example.com", "email=nobody@example.com&email=ANNA@EXAMPLE.COM", "phone=%2B49%20170%201234567", "phone=%2B491701234567"])
        {
            Assert.Equal(anna.Id(), Assert.Single(await organization.Owner.All($"clients?{filter}")).Id());
        }
        Assert.Equal("Other@Example.com".ToLowerInvariant(), (await organization.Create("invitations", new { email = "Other@Example.com", role = "member" })).Text("email"));
        Assert.Single(await organization.Owner.All("invitations?email=OTHER@example.com"));
    }

    [Fact]
    public async Task Contacts_are_recognised_by_what_their_platform_makes_of_their_names()
    {
        var organization = await app.NewOrganization();
        var channels = new Dictionary<string, Guid>();
        foreach (var platform in (string[])["email", "whatsapp", "web"])
        {
            channels[platform] = Guid.CreateVersion7();
            await organization.Execute("INSERT INTO channels (id, organization_id, name, platform) VALUES ($1, $2, $3, $3)", channels[platform], organization.Id, platform);
        }
        await organization.Create("contacts", new { channelId = channels["email"], platformUserId = "anna@example.com" });
        await organization.Create("contacts", new { channelId = channels["whatsapp"], platformUserId = "15550001111" });
        await organization.Create("contacts", new { channelId = channels["web"], platformUserId = "anna" });
        var job = await Import(organization, "contacts", "platformUserId", """
            channel.name,platformUserId,name
            email,Anna@Example.com,Anna
            whatsapp,+15550001111,Anna
            web,anna,Anna
            web,Anna,Another
            email,New@example.com,First
            email,new@example.com,Second
            whatsapp,+15550002222,First
            whatsapp,15550002222,Second
            """);

        Assert.Empty(await organization.Owner.Errors(job));
        Assert.Equal(
            ["15550001111 Anna", "15550002222 Second", "Anna Another", "anna Anna", "anna@example.com Anna", "new@example.com Second"],
            (await organization.Owner.All("contacts")).Select(contact => $"{contact.Text("platformUserId")} {contact.Text("name")}").Order(StringComparer.Ordinal));
        Assert.Equal(["anna@example.com", "new@example.com"], await Found("Anna@Example.com", "NEW@example.com"));
        Assert.Equal(["15550001111"], await Found("%2B15550001111"));
        Assert.Equal(["anna"], await Found("anna"));

        async Task<string[]> Found(params string[] names) =>
            [.. (await organization.Owner.All($"contacts?{string.Join('&', names.Select(name => $"platformUserId={name}"))}")).Select(contact => contact.Text("platformUserId")).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task Phone_numbers_may_be_written_as_people_write_them()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { phone = "+491701234567", firstName = "Old" });
        var job = await Import(organization, "clients", "phone", "phone,firstName\n+49 170 1234567,Anna\n+1 (555) 000-1111,First\n+1.555.000.1111,Second\n+49 (0)170 7654321,Which\n0170 1234567,Where\n");
        Assert.Equal([(5L, (string?)"phone"), (6L, "phone")], await organization.Owner.Errors(job));
        Assert.Equal(["+15550001111 Second 2", "+491701234567 Anna 2"], (await organization.Owner.All("clients")).Select(client => $"{client.Text("phone")} {client.Text("firstName")} {client["version"]}").Order(StringComparer.Ordinal));
        Assert.Empty(await organization.Owner.Errors(await Import(organization, "notes", null, "content,client.phone\nGood,+49-170-1234567\n")));
        await (await organization.Owner.PostAsJsonAsync("/v1/clients", new { phone = "+1 (555) 000 1111" })).Problem(ProblemType.Conflict);
        await (await organization.Owner.PostAsJsonAsync("/v1/clients", new { phone = "+49 (0)170 7654321" })).Problem(ProblemType.Validation);
    }

    [Fact]
    public async Task Blanks_around_what_something_is_called_never_count()
    {
        var organization = await app.NewOrganization();
        var product = (await organization.Create("products", new { name = "Tent", sku = "T-2" })).Id();
        await organization.Create("tags", new { name = "vip" });
        Assert.Empty(await organization.Owner.Errors(await Import(organization, "tags", "name", "name , color\n vip , #000000 \n\" vip\",#111111\n")));
        Assert.Equal(["vip #111111"], (await organization.Owner.All("tags")).Select(tag => $"{tag.Text("name")} {tag.Text("color")}"));
        var tours = await Import(organization, "tours", null, "product.sku,startDate,endDate,maxParticipants\n T-2 , 2030-01-01T00:00:00Z ,2030-01-02T00:00:00Z, 7\n\"T-2 \",2030-01-01T00:00:00Z,2030-01-02T00:00:00Z,  \n");
        Assert.Empty(await organization.Owner.Errors(tours));
        Assert.Equal([product, product], (await organization.Owner.All("tours")).Select(tour => tour["productId"]!.GetValue<Guid>()));
        await Import(organization, "partners", null, "name,conditions\nA,\" twice a year \"\nB, once \n");
        Assert.Equal([" twice a year ", "once"], (await organization.Owner.All("partners?sort=name")).Select(partner => partner.Text("conditions")));
    }

    [Fact]
    public async Task A_key_that_is_null_recognises_nothing()
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, "clients", "phone", "{\"phone\": null, \"firstName\": \"Anna\"}\n{\"firstName\": \"Boris\"}\n", "json");
        Assert.Equal([(1L, (string?)"phone"), (2L, "phone")], await organization.Owner.Errors(job));
        Assert.Empty(await organization.Owner.All("clients"));
    }

    private static async Task<JsonObject> Import(TestOrganization organization, string resource, string? key, string file, string format = "csv") =>
        await organization.Owner.Job("/v1/jobs/imports", new { resource, format, fileId = await organization.Owner.Upload(file), mode = key is null ? "create" : "upsert", key });
}
