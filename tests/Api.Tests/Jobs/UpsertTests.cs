using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Imports that change rows: a chunk's lines go in together, and leave what they would leave one by one.</summary>
public sealed class UpsertTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task Each_line_changes_what_it_gives_and_is_told_in_the_log()
    {
        var organization = await app.NewOrganization();
        var anna = await Client(organization, "a", new { firstName = "Anna", lastName = "Stays", leadScore = 1, tags = new[] { "old" } });
        var boris = await Client(organization, "b", new { firstName = "Boris", companyName = "Acme" });
        var clara = await Client(organization, "c", new { firstName = "Clara" });
        var untouched = await Client(organization, "x", new { firstName = "Xenia" });
        var job = await Upsert(organization, "clients", "ecommerceCustomerId", """
            ecommerceCustomerId,firstName,leadScore,tags,status,createdAt
            a,Anna,7,,,2001-01-01T00:00:00Z
            b,Bob,,vip;north,qualified,
            d,Dora,4,,,2001-01-01T00:00:00Z
            c,Clara,,,,
            """);

        Assert.Empty(await organization.Owner.Errors(job));
        Assert.Equal(4, job["result"]!["imported"]!.GetValue<int>());
        var clients = (await organization.Owner.All("clients")).ToDictionary(client => client.Text("ecommerceCustomerId"));
        Assert.Equal(["a", "b", "c", "d", "x"], clients.Keys.Order());
        Assert.Equal(
            ("Anna", "Stays", 7, "old", 2, anna.Text("createdAt")),
            (clients["a"].Text("firstName"), clients["a"].Text("lastName"), Score(clients["a"]), Tags(clients["a"]), Version(clients["a"]), clients["a"].Text("createdAt")));
        Assert.Equal(("Bob", "Acme", "qualified", "vip north", 2), (clients["b"].Text("firstName"), clients["b"].Text("companyName"), clients["b"].Text("status"), Tags(clients["b"]), Version(clients["b"])));
        Assert.Equal(("Clara", 2), (clients["c"].Text("firstName"), Version(clients["c"])));
        Assert.Equal(("Dora", 1, "2001-01-01T00:00:00.000000Z"), (clients["d"].Text("firstName"), Version(clients["d"]), clients["d"].Text("createdAt")));
        Assert.Equal(untouched.ToJsonString(), clients["x"].ToJsonString());
        Assert.Equal(["north", "old", "vip"], (await organization.Owner.All("tags")).Select(tag => tag.Text("name")).Order());

        foreach (var before in (JsonObject[])[anna, boris, clara])
        {
            var logged = Assert.Single((await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={before.Id()}&actionType=client.updated")).Json()).Items());
            Assert.True(JsonNode.DeepEquals(before, logged["before"]), $"{before} {logged}");
            Assert.True(JsonNode.DeepEquals(clients[before.Text("ecommerceCustomerId")], logged["after"]), $"{clients[before.Text("ecommerceCustomerId")]} {logged}");
        }
        Assert.Empty((await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={untouched.Id()}&actionType=client.updated")).Json()).Items());
        Assert.Equal(1L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM client_status_history WHERE client_id = '{boris.Id()}' AND new_status = 'qualified'"));
    }

    [Fact]
    public async Task A_line_that_is_refused_costs_no_other_line_anything()
    {
        var organization = await app.NewOrganization();
        var away = (await organization.Create("partners", new { name = "Away", isAvailable = false })).Id();
        await organization.Create("clients", new { phone = "+15550009999" });
        foreach (var key in (string[])["a", "b", "c", "d"])
        {
            await Client(organization, key, new { firstName = "Old" });
        }
        var job = await Upsert(organization, "clients", "ecommerceCustomerId", $"""
            ecommerceCustomerId,firstName,phone,assignedPartnerId
            a,New,,
            b,New,+15550009999,
            c,New,,{away}
            d,New,+15550000001,
            e,New,+15550000001,
            f,New,,
            """);

        Assert.Equal([(3L, (string?)"phone"), (4L, "assignedPartnerId"), (6L, "phone")], await organization.Owner.Errors(job));
        Assert.Equal((3, 3), (job["result"]!["imported"]!.GetValue<int>(), job["result"]!["failed"]!.GetValue<int>()));
        var clients = (await organization.Owner.All("clients")).Where(client => client["ecommerceCustomerId"] is not null).ToDictionary(client => client.Text("ecommerceCustomerId"));
        Assert.Equal(
            ["a New 2", "b Old 1", "c Old 1", "d New 2", "f New 1"],
            clients.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key} {entry.Value.Text("firstName")} {Version(entry.Value)}"));
        var logged = (await (await organization.Owner.GetAsync("/v1/activity-logs?actionType=client.updated")).Json()).Items();
        Assert.Equal(["a", "d"], logged.Select(row => row["after"]!["ecommerceCustomerId"]!.GetValue<string>()).Order());
    }

    [Fact]
    public async Task Lines_that_hand_on_what_is_unique_are_done_in_their_order()
    {
        var organization = await app.NewOrganization();
        await Client(organization, "a", new { phone = "+15550000001" });
        await Client(organization, "b", new { phone = "+15550000002" });
        // B takes what A has just left; A takes what B still has, and then B leaves it.
        var job = await Upsert(organization, "clients", "ecommerceCustomerId", "ecommerceCustomerId,phone\na,+15550000003\nb,+15550000001\n");
        Assert.Empty(await organization.Owner.Errors(job));
        job = await Upsert(organization, "clients", "ecommerceCustomerId", "ecommerceCustomerId,phone\na,+15550000001\nb,+15550000004\n");
        Assert.Equal([(2L, (string?)"phone")], await organization.Owner.Errors(job));
        Assert.Equal(["a +15550000003", "b +15550000004"], (await organization.Owner.All("clients")).Select(client => $"{client.Text("ecommerceCustomerId")} {client.Text("phone")}").Order());
    }

    [Fact]
    public async Task Of_two_lines_for_one_row_the_later_one_comes_later()
    {
        var organization = await app.NewOrganization();
        var anna = await Client(organization, "a", new { firstName = "Anna" });
        await Client(organization, "b", new { firstName = "Boris" });
        var job = await Upsert(organization, "clients", "ecommerceCustomerId", "ecommerceCustomerId,firstName,lastName\na,First,One\nb,Bob,\na,Second,\nn,New,\nn,Newer,\n");
        Assert.Empty(await organization.Owner.Errors(job));
        Assert.Equal(
            ["a Second One 3", "b Bob  2", "n Newer  2"],
            (await organization.Owner.All("clients")).Select(client => $"{client.Text("ecommerceCustomerId")} {client.Text("firstName")} {client["lastName"]?.GetValue<string>()} {Version(client)}").Order());
        var logged = (await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={anna.Id()}&actionType=client.updated")).Json()).Items();
        Assert.Equal(["Anna First", "First Second"], logged.Select(row => $"{row["before"]!["firstName"]} {row["after"]!["firstName"]}").Order());
    }

    [Fact]
    public async Task Rules_of_the_resource_hold_for_each_line()
    {
        var organization = await app.NewOrganization();
        var anna = (await Client(organization, "a", new { firstName = "Anna" })).Id();
        foreach (var number in (string[])["1", "2", "3"])
        {
            await organization.Create("orders", new { clientId = anna, orderNumber = number, subtotal = 10, status = "processing" });
        }
        var job = await Upsert(organization, "orders", "orderNumber", $"""
            orderNumber,clientId,subtotal,discount,status
            1,{anna},20,,shipped
            2,{anna},,500,
            3,{anna},,,pending
            4,{anna},30,,
            5,,30,,
            """);

        Assert.Equal([3L, 4L, 6L], (await organization.Owner.Errors(job)).Select(error => error.Line));
        Assert.Equal(
            ["1 20 shipped 2", "2 10 processing 1", "3 10 processing 1", "4 30 pending 1"],
            (await organization.Owner.All("orders")).Select(order => $"{order.Text("orderNumber")} {order["total"]!.GetValue<decimal>():0} {order.Text("status")} {Version(order)}").Order());
        Assert.Equal(70, (await (await organization.Owner.GetAsync($"/v1/clients/{anna}")).Json())["totalRevenue"]!.GetValue<decimal>());
    }

    [Fact]
    public async Task What_can_not_be_changed_may_be_repeated_but_not_differ()
    {
        var organization = await app.NewOrganization();
        var channel = (await organization.Create("channels", new { name = "Web", platform = "web" })).Id();
        foreach (var name in (string[])["anna", "boris"])
        {
            await organization.Create("contacts", new { channelId = channel, platformUserId = name, username = name });
        }
        var job = await Upsert(organization, "contacts", "platformUserId", $"channelId,platformUserId,username,name\n{channel},anna,anna,Anna\n{channel},boris,other,Boris\n");
        Assert.Equal([(3L, (string?)"username")], await organization.Owner.Errors(job));
        Assert.Equal(["anna Anna", "boris "], (await organization.Owner.All("contacts")).Select(contact => $"{contact.Text("username")} {contact["name"]?.GetValue<string>()}").Order());
    }

    private static async Task<JsonObject> Client(TestOrganization organization, string key, object values)
    {
        var body = System.Text.Json.JsonSerializer.SerializeToNode(values)!.AsObject();
        body["ecommerceCustomerId"] = key;
        return await organization.Create("clients", body);
    }

    private static async Task<JsonObject> Upsert(TestOrganization organization, string resource, string key, string file) =>
        await organization.Owner.Job("/v1/jobs/imports", new { resource, fileId = await organization.Owner.Upload(file), mode = "upsert", key });

    private static int Version(JsonObject row) => row["version"]!.GetValue<int>();

    private static int Score(JsonObject client) => client["leadScore"]!.GetValue<int>();

    private static string Tags(JsonObject client) => string.Join(' ', client["tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
}
