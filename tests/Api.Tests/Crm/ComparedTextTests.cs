using System.Net;
using System.Net.Http.Json;
using System.Text;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm;

/// <summary>Texts that people take for the same are the same: where they are stored, named, filtered by and searched for.</summary>
public sealed class ComparedTextTests(JobApp app) : IClassFixture<JobApp>
{
    [Theory]
    [InlineData("Cafe\u0301", "CAFÉ")]
    [InlineData("VIP\u200f", "ｖｉｐ")]
    [InlineData("Straße 5", "STRASSE\u00a05")]
    public async Task One_tag_however_it_is_typed(string first, string second)
    {
        var organization = await app.NewOrganization();
        var one = await organization.Create("clients", new { firstName = "One", tags = new[] { first } });
        var other = await organization.Create("clients", new { firstName = "Other", tags = new[] { second, first, "more" } });
        var tags = await organization.Owner.All("tags?sort=name");
        Assert.Equal(2, tags.Length);
        var name = one["tags"]![0]!.GetValue<string>();
        Assert.Contains(tags, tag => tag.Text("name") == name);
        Assert.Equal([name, "more"], other["tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
        foreach (var wanted in new[] { first, second })
        {
            Assert.Equal(2, (await organization.Owner.All($"clients?tags={Uri.EscapeDataString(wanted)}")).Length);
            Assert.Single(await organization.Owner.All($"tags?name={Uri.EscapeDataString(wanted)}"));
        }
        Assert.Equal(["/name"], (await (await organization.Owner.PostAsJsonAsync("/v1/tags", new { name = second })).Problem(ProblemType.Conflict)).Fields());
        await (await organization.Owner.PostAsJsonAsync("/v1/clients/bulk-tag", new { ids = new[] { other.Id() }, remove = new[] { second } })).Json();
        Assert.Equal(["more"], (await (await organization.Owner.GetAsync($"/v1/clients/{other.Id()}")).Json())["tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
    }

    [Fact]
    public async Task Tags_that_come_at_once_in_many_spellings_become_one()
    {
        var organization = await app.NewOrganization();
        string[] spellings = ["Zürich", "Zu\u0308rich", "ZÜRICH", "zürich\u200b", "Ｚürich"];
        await Task.WhenAll(Enumerable.Range(0, 20).Select(index => organization.Create("clients", new { firstName = $"C{index}", tags = new[] { spellings[index % spellings.Length] } })));
        var file = new StringBuilder("firstName,tags\n");
        for (var line = 0; line < 50; line++)
        {
            file.Append("F,").Append(spellings[line % spellings.Length]).Append('\n');
        }
        await organization.Owner.Job("/v1/jobs/imports", new { resource = "clients", fileId = await organization.Owner.Upload(file.ToString()) });
        var tag = Assert.Single(await organization.Owner.All("tags"));
        Assert.Equal(70, await organization.Query<long>("SELECT count(*) FROM clients WHERE organization_id = $1 AND tags = ARRAY[$2]", organization.Id, tag.Text("name")));
    }

    [Theory]
    [InlineData("Müller", "Mu\u0308ller")]
    [InlineData("ΟΔΥΣΣΕΥΣ", "οδυσσευς")]
    [InlineData("İpek", "ipek")]
    [InlineData("O\u200bNeill", "oneill")]
    public async Task A_search_finds_what_is_meant(string stored, string typed)
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { firstName = "A", lastName = stored });
        await organization.Create("partners", new { name = $"Firma {stored}" });
        Assert.Single(await organization.Owner.All($"clients?q={Uri.EscapeDataString(typed)}"));
        Assert.Single(await organization.Owner.All($"partners?q={Uri.EscapeDataString(typed)}"));
    }

    [Theory]
    [InlineData("Café-Tour", "Cafe\u0301-tour")]
    [InlineData("Wüste\u00a07 Tage", "\ufeffWüste 7 Tage ")]
    [InlineData("Оазис", "\u200fОАЗИС")]
    public async Task A_file_names_what_is_meant(string stored, string named)
    {
        var organization = await app.NewOrganization();
        var product = await organization.Create("products", new { name = stored });
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "tours", fileId = await organization.Owner.Upload($"\u200eproduct.name,startDate ,endDate\n{named},2027-05-20T09:00:00Z,2027-05-20T12:00:00Z\n") });
        Assert.Equal(1, job["result"]!["imported"]!.GetValue<int>());
        Assert.Equal(product.Id(), Assert.Single(await organization.Owner.All("tours"))["productId"]!.GetValue<Guid>());
    }

    [Theory]
    [InlineData("Ann@Example.com", " ann@EXAMPLE.com\u200b")]
    [InlineData("jürgen@example.com", "ju\u0308rgen@example.com")]
    [InlineData("info@münchen.de", "info@xn--mnchen-3ya.de")]
    public async Task An_address_finds_whoever_has_it(string stored, string given)
    {
        var organization = await app.NewOrganization();
        var client = await organization.Create("clients", new { firstName = "A", email = stored });
        Assert.Equal(client.Id(), Assert.Single(await organization.Owner.All($"clients?email={Uri.EscapeDataString(given)}")).Id());
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "clients", mode = "upsert", key = "email", fileId = await organization.Owner.Upload($"email,firstName\n{given},B\n") });
        Assert.Equal(1, job["result"]!["imported"]!.GetValue<int>());
        Assert.Equal("B", Assert.Single(await organization.Owner.All("clients")).Text("firstName"));
    }

    [Theory]
    [InlineData("\u202a+49 151\u00a01234567\u202c", "+491511234567")]
    [InlineData("＋４９１５１１２３４５６７", "+491511234567")]
    [InlineData("+٤٩١٥١١٢٣٤٥٦٧", "+491511234567")]
    public async Task A_number_is_one_however_an_address_book_writes_it(string given, string number)
    {
        var organization = await app.NewOrganization();
        Assert.Equal(number, (await organization.Create("clients", new { firstName = "A", phone = given })).Text("phone"));
    }

    [Theory]
    [InlineData("channels", "name", "\u200f\u2063")]
    [InlineData("products", "name", "\u3164")]
    [InlineData("tags", "name", "\u2800\u00a0")]
    [InlineData("agents", "name", "\ufeff\u200d")]
    public async Task A_name_of_which_nothing_can_be_seen_is_none(string path, string field, string blank)
    {
        var organization = await app.NewOrganization();
        var body = new Dictionary<string, object> { [field] = blank };
        if (path == "channels")
        {
            body["platform"] = "web";
        }
        Assert.Equal([$"/{field}"], (await (await organization.Owner.PostAsJsonAsync($"/v1/{path}", body)).Problem(ProblemType.Validation)).Fields());
        Assert.Equal("", (await organization.Create("clients", new { firstName = blank })).Text("firstName"));
    }

    [Fact]
    public async Task A_keyword_is_there_once_however_it_is_written()
    {
        var organization = await app.NewOrganization();
        var channel = (await organization.Create("channels", new { name = "Web", platform = "web" })).Id();
        await organization.Create("keyword-actions", new { channelId = channel, keyword = " Stop! ", actionType = "DISABLE_AI" });
        foreach (var again in new[] { "STOP", "ｓｔｏｐ", "\u200fstop.", "*stop*" })
        {
            Assert.Equal(["/keyword"], (await (await organization.Owner.PostAsJsonAsync("/v1/keyword-actions", new { channelId = channel, keyword = again, actionType = "ENABLE_AI" })).Problem(ProblemType.Conflict)).Fields());
        }
        await organization.Owner.Job("/v1/jobs/imports", new { resource = "keyword-actions", mode = "upsert", key = "keyword", fileId = await organization.Owner.Upload("keyword,channel.name,actionType\nstop,\u200eWEB,ENABLE_AI\nSTOP!,Web,DISABLE_AI\n") });
        Assert.Equal("DISABLE_AI", Assert.Single(await organization.Owner.All("keyword-actions")).Text("actionType"));
    }

    [Fact]
    public async Task Ids_of_other_systems_are_compared_letter_by_letter_but_for_what_nobody_sees()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { firstName = "A", ecommerceCustomerId = "aB1" });
        await organization.Create("clients", new { firstName = "B", ecommerceCustomerId = "ab1" });
        Assert.Equal(HttpStatusCode.Conflict, (await organization.Owner.PostAsJsonAsync("/v1/clients", new { firstName = "C", ecommerceCustomerId = "a\u200bb1\u200f" })).StatusCode);
    }
}
