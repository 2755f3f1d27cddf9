using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>Files whose lines refer to other rows, by id or by what those are called, and what the database makes of the rows.</summary>
public sealed class ReferenceImportTests(JobApp app) : IClassFixture<JobApp>
{
    [Fact]
    public async Task A_row_is_named_by_its_id_or_by_what_it_is_called_and_a_wrong_name_is_an_error_of_its_line()
    {
        var (organization, stranger) = (await app.NewOrganization(), await app.NewOrganization());
        var anna = (await organization.Create("clients", new { phone = "+15550000001", email = "anna@example.com" })).Id();
        var boris = (await organization.Create("clients", new { phone = "+15550000002", email = "shared@example.com" })).Id();
        var carl = (await organization.Create("clients", new { phone = "+15550000003", email = "shared@example.com" })).Id();
        var foreign = (await stranger.Create("clients", new { phone = "+15550000009", email = "foreign@example.com" })).Id();
        string[] lines =
        [
            "name,clientId,client.phone,Client.Email,owner.email",
            $"by id,{anna},,,",
            "by phone,,+15550000001,,",
            $"by e-mail,,,anna@example.com,{organization.OwnerEmail}",
            "by both,,+15550000003,shared@example.com,",
            $"all agree,{boris},+15550000002,,",
            "ambiguous,,,shared@example.com,", // 7
            "unknown phone,,+15550000008,,", // 8
            "foreign phone,,+15550000009,,", // 9
            "foreign e-mail,,,foreign@example.com,", // 10
            $"unknown id,{Guid.NewGuid()},,,", // 11
            $"foreign id,{foreign},,,", // 12
            $"they differ,{anna},+15550000002,,", // 13
            "nobody has both,,+15550000001,shared@example.com,", // 14
            "nobody,,,,", // 15
            "malformed,,12345,,", // 16
            $"a stranger's,{anna},,,{stranger.OwnerEmail}", // 17
            "by phone again,,+15550000003,,",
        ];
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "deals", fileId = await organization.Owner.Upload(string.Join("\n", lines)) });

        Assert.Equal(
            [
                (7, "client.email"), (8, "client.phone"), (9, "client.phone"), (10, "client.email"), (11, "clientId"), (12, "clientId"), (13, "client.phone"), (14, "client.email"), (15, "clientId"),
                (16, "client.phone"), (17, "owner.email"),
            ],
            await organization.Owner.Errors(job));
        var details = (await (await organization.Owner.GetAsync($"/v1/jobs/{job.Id()}/job-errors?limit=200")).Json()).Items().ToDictionary(error => error["line"]!.GetValue<int>(), error => error.Text("detail"));
        Assert.Equal((details[8], details[11]), (details[9], details[12]));
        Assert.Contains("several clients", details[7], StringComparison.Ordinal);
        Assert.Equal(
            [("all agree", boris), ("by both", carl), ("by e-mail", anna), ("by id", anna), ("by phone", anna), ("by phone again", carl)],
            (await organization.Owner.All("deals")).Select(deal => (deal.Text("name"), deal["clientId"]!.GetValue<Guid>())).Order());
        Assert.Equal(organization.OwnerId, (await organization.Owner.All("deals")).Single(deal => deal.Text("name") == "by e-mail")["ownerId"]!.GetValue<Guid>());
        Assert.Empty(await stranger.Owner.All("deals"));
    }

    [Fact]
    public async Task References_of_references_and_within_lists_are_found_too()
    {
        var organization = await app.NewOrganization();
        foreach (var (phone, client) in new[] { ("+15550000001", "Anna"), ("+15550000002", "Boris") })
        {
            var id = (await organization.Create("clients", new { phone, firstName = client })).Id();
            await organization.Create("deals", new { clientId = id, name = "New deal" });
        }
        var tent = (await organization.Create("products", new { name = "Tent", sku = "T-2" })).Id();
        var content = """
            {"orderNumber":"1","client.phone":"+15550000001","deal.name":"New deal","deal.client.phone":"+15550000001","items":[{"product.sku":"T-2","name":"Tent","quantity":2,"unitPrice":100},{"name":"Rope","quantity":1,"unitPrice":5}]}
            {"orderNumber":"2","client.phone":"+15550000001","deal.name":"New deal"}
            {"orderNumber":"3","client.phone":"+15550000001","deal.name":"New deal","deal.client.phone":"+15550000002"}
            {"orderNumber":"4","client.phone":"+15550000001","items":[{"name":"Rope","quantity":1,"unitPrice":5},{"product.sku":"T-3","name":"Tent","quantity":2,"unitPrice":100}]}
            {"orderNumber":"5","client.phone":"+15550000002","items":[{"name":"Rope","quantity":1}]}
            {"orderNumber":"6","client.phone":"+15550000002","deal.name":null,"dealId":null}
            """;
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "orders", format = "json", fileId = await organization.Owner.Upload(content) });

        Assert.Equal([(2, "deal.name"), (3, "dealId"), (4, "items/1/product.sku"), (5, "items/0/unitPrice")], await organization.Owner.Errors(job));
        var orders = (await organization.Owner.All("orders")).OrderBy(order => order.Text("orderNumber")).ToArray();
        Assert.Equal(["1", "6"], orders.Select(order => order.Text("orderNumber")));
        Assert.Equal((tent, 205m), (orders[0]["items"]![0]!["productId"]!.GetValue<Guid>(), orders[0]["total"]!.GetValue<decimal>()));
        Assert.NotNull(orders[0]["dealId"]);
    }

    [Fact]
    public async Task A_tree_goes_in_whatever_the_order_of_its_lines()
    {
        var organization = await app.NewOrganization();
        var file = await organization.Owner.Upload("title,parent.title\nDunes,Sahara\nSahara,Tours\nLost,Nowhere\nTours,\nHidden,Lost\n");
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "knowledge-categories", fileId = file });

        Assert.Equal([(4L, (string?)"parent.title"), (6L, "parent.title")], await organization.Owner.Errors(job));
        var categories = (await organization.Owner.All("knowledge-categories")).ToDictionary(category => category.Text("title"));
        Assert.Equal(["Dunes", "Sahara", "Tours"], categories.Keys.Order());
        Assert.Equal((categories["Sahara"].Id(), categories["Tours"].Id()), (categories["Dunes"]["parentId"]!.GetValue<Guid>(), categories["Sahara"]["parentId"]!.GetValue<Guid>()));
    }

    [Fact]
    public async Task What_follows_from_a_row_follows_from_an_imported_one()
    {
        var organization = await app.NewOrganization();
        var (colleague, email) = await organization.AddUser(Api.Auth.Role.Member);
        var client = (await organization.Create("clients", new { phone = "+15550000001" })).Id();

        Assert.Empty(await Import("deals", """
            name,client.phone,stage,wonReason,dealValue,actualCloseDate,probability,createdAt,tags
            Open,+15550000001,proposal,,100,,,2020-01-01T00:00:00Z,big;old
            Won,+15550000001,closed_won,Price,200,2020-02-01,,,
            """));
        Assert.Equal([(2, "wonReason"), (3, "createdAt")], await Import("deals", "name,client.phone,stage,createdAt\nWon without a reason,+15550000001,closed_won,\nNot yet,+15550000001,prospecting,2100-01-01T00:00:00Z\n"));
        var deals = (await organization.Owner.All("deals")).ToDictionary(deal => deal.Text("name"));
        Assert.Equal((50, 100), (deals["Open"]["probability"]!.GetValue<int>(), deals["Won"]["probability"]!.GetValue<int>()));
        Assert.Equal("2020-01-01T00:00:00.000000Z", deals["Open"].Text("createdAt"));
        Assert.Equal(["closed_won", "proposal"], (await organization.Owner.All("deal-stage-changes")).Select(change => change.Text("toStage")).Order());
        Assert.Equal(["big", "old"], (await organization.Owner.All("tags")).Select(tag => tag.Text("name")));

        Assert.Empty(await Import("orders", """
            orderNumber,client.phone,items,tax,status,orderDate
            1,+15550000001,"[{""name"":""Tent"",""quantity"":2,""unitPrice"":100}]",10,delivered,2020-03-01T00:00:00Z
            2,+15550000001,,5,cancelled,2020-03-02T00:00:00Z
            3,+15550000001,"[{""name"":""Rope"",""quantity"":1,""unitPrice"":90}]",,pending,2020-03-03T00:00:00Z
            """));
        Assert.Equal([(2, "discount"), (3, "orderNumber"), (4, "items/0/quantity")], await Import("orders", """
            orderNumber,client.phone,items,discount
            4,+15550000001,,5
            1,+15550000001,,
            5,+15550000001,"[{""name"":""Rope"",""quantity"":0,""unitPrice"":90}]",
            """));
        var bought = await (await organization.Owner.GetAsync($"/v1/clients/{client}")).Json();
        Assert.Equal((2, 300m, 150m), (bought["totalOrders"]!.GetValue<int>(), bought["totalRevenue"]!.GetValue<decimal>(), bought["averageOrderValue"]!.GetValue<decimal>()));

        Assert.Empty(await Import("activities", $"""
            activityType,subject,client.phone,status,completedAt,createdAt,assignedTo.email,callOutcome
            call,Old call,+15550000001,completed,2020-04-02T10:00:00Z,2020-04-02T09:00:00Z,,answered
            task,Offer,+15550000001,pending,,2020-04-01T09:00:00Z,{email},
            """));
        Assert.Equal([(2, "activityType")], await Import("activities", "activityType,subject,callOutcome\ntask,Not a call,answered\n"));
        Assert.Equal("2020-04-02T09:00:00.000000Z", (await (await organization.Owner.GetAsync($"/v1/clients/{client}")).Json()).Text("lastContactDate"));
        Assert.Equal("2020-04-02T10:00:00.000000Z", (await organization.Owner.All("activities")).Single(activity => activity.Text("subject") == "Old call").Text("completedAt"));

        Assert.Equal([(3, "clientId")], await Import("notes", $"content,client.phone,deal.name,isPinned,mentions\nEats no meat,,Open,true,\"[\"\"{colleague}\"\"]\"\nAbout nobody,,,,\n"));
        Assert.Equal((client, true), ((await organization.Owner.All("notes"))[0]["clientId"]!.GetValue<Guid>(), (await organization.Owner.All("notes"))[0]["isPinned"]!.GetValue<bool>()));
        Assert.Equal(0, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM notifications WHERE user_id = '{colleague}'"));

        async Task<(long, string?)[]> Import(string resource, string csv) =>
            await organization.Owner.Errors(await organization.Owner.Job("/v1/jobs/imports", new { resource, fileId = await organization.Owner.Upload(csv) }));
    }

    [Fact]
    public async Task Imported_bookings_take_the_places_that_there_are()
    {
        var organization = await app.NewOrganization();
        var product = (await organization.Create("products", new { name = "Sahara", sku = "S" })).Id();
        await organization.Create("tours", new { productId = product, startDate = "2030-01-01T00:00:00Z", endDate = "2030-01-05T00:00:00Z", maxParticipants = 3 });
        var called = (await organization.Create("tours", new { productId = product, startDate = "2030-02-01T00:00:00Z", endDate = "2030-02-05T00:00:00Z" })).Id();
        await (await organization.Owner.PostAsJsonAsync($"/v1/tours/{called}/cancel", new { })).Json();
        for (var index = 1; index <= 5; index++)
        {
            await organization.Create("clients", new { phone = $"+1555000000{index}" });
        }
        var file = await organization.Owner.Upload("""
            client.phone,tour.product.sku,tour.startDate,status,participants
            +15550000001,S,2030-01-01T00:00:00Z,booked,2
            +15550000002,S,2030-01-01T00:00:00Z,confirmed,2
            +15550000003,S,2030-01-01T00:00:00Z,booked,
            +15550000004,S,2030-01-01T00:00:00Z,interested,7
            +15550000005,S,2030-02-01T00:00:00Z,booked,
            +15550000001,S,2030-01-01T00:00:00Z,interested,
            +15550000001,S,2030-03-01T00:00:00Z,interested,
            """);
        var job = await organization.Owner.Job("/v1/jobs/imports", new { resource = "client-tours", fileId = file });

        Assert.Equal([(3, "participants"), (6, "tourId"), (7, "tourId"), (8, "tour.product.sku")], await organization.Owner.Errors(job));
        var tour = (await organization.Owner.All("tours")).Single(tour => tour.Id() != called);
        Assert.Equal((3, "full"), (tour["currentParticipants"]!.GetValue<int>(), tour.Text("status")));
        Assert.Equal(3, (await organization.Owner.All("client-tours")).Length);
    }

    [Fact]
    public async Task An_upsert_finds_rows_by_the_keys_of_each_resource()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { phone = "+15550000001" });
        var (a, b) = ((await organization.Create("channels", new { name = "A", platform = "web" })).Id(), (await organization.Create("channels", new { name = "B", platform = "web" })).Id());
        foreach (var channel in new[] { a, b })
        {
            await organization.Create("keyword-actions", new { channelId = channel, keyword = "human", actionType = "ENABLE_AI" });
        }
        await Upsert("deals", "externalId", "externalId,name,client.phone,createdAt\nx1,First,+15550000001,2020-01-01T00:00:00Z\nx2,Second,+15550000001,\nx1,First again,+15550000001,2019-01-01T00:00:00Z\n");
        Assert.Equal([("First again", "2020-01-01T00:00:00.000000Z")], (await organization.Owner.All("deals")).Where(deal => deal.Text("externalId") == "x1").Select(deal => (deal.Text("name"), deal.Text("createdAt"))));
        await Upsert("tags", "name", "name,color\nvip,#000000\nnew,#111111\nvip,#222222\n");
        Assert.Equal(["#111111", "#222222"], (await organization.Owner.All("tags")).Select(tag => tag.Text("color")).Order());
        await Upsert("keyword-actions", "keyword", "keyword,channel.name,actionType\nhuman,B,DISABLE_AI\nrobot,B,ENABLE_AI\n");
        Assert.Equal(
            [("human", a, "ENABLE_AI"), ("human", b, "DISABLE_AI"), ("robot", b, "ENABLE_AI")],
            (await organization.Owner.All("keyword-actions")).Select(action => (action.Text("keyword"), action["channelId"]!.GetValue<Guid>(), action.Text("actionType"))).OrderBy(action => action.Item1).ThenBy(action => action.Item2 != a));

        async Task Upsert(string resource, string key, string csv)
        {
            var job = await organization.Owner.Job("/v1/jobs/imports", new { resource, fileId = await organization.Owner.Upload(csv), mode = "upsert", key });
            Assert.Empty(await organization.Owner.Errors(job));
        }
    }

    [Fact]
    public async Task A_list_under_something_is_exported_for_it()
    {
        var (populated, stranger) = (await EveryRoute.PopulatedOrganization.Create(app), await app.NewOrganization());
        var owner = populated.Organization.Owner;
        var under = ResourceCatalog.All.Where(resource => resource.Parent is not null).ToArray();
        Assert.Equal(["executions", "job-errors", "messages", "turns"], under.Select(resource => resource.Path).Order());
        foreach (var (path, list) in under.Select(resource => (resource.Path, resource.Parent!.Path)))
        {
            var (id, filter) = (populated.Ids[list], $"{list[..^1]}Id");
            var listed = (await (await owner.GetAsync($"/v1/{list}/{id}/{path}?limit=200")).Json()).Items();
            Assert.NotEmpty(listed);
            var job = await owner.Job("/v1/jobs/exports", new { resource = path, format = "jsonl", filters = new JsonObject { [filter] = id.ToString() } });
            var lines = System.Text.Encoding.UTF8.GetString(await owner.Download(job)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!.AsObject()).ToArray();
            Assert.Equal(listed.Select(row => row.Id()).Order(), lines.Select(line => line.Id()).Order());
            Assert.All(lines, line => Assert.Equal(id, line[filter]!.GetValue<Guid>()));

            Assert.Equal([$"/filters/{filter}"], (await (await owner.PostAsJsonAsync("/v1/jobs/exports", new { resource = path })).Problem(ProblemType.Validation)).Fields());
            var unknown = await (await stranger.Owner.PostAsJsonAsync("/v1/jobs/exports", new { resource = path, filters = new JsonObject { [filter] = Guid.NewGuid().ToString() } })).Problem(ProblemType.Validation);
            var foreign = await (await stranger.Owner.PostAsJsonAsync("/v1/jobs/exports", new { resource = path, filters = new JsonObject { [filter] = id.ToString() } })).Problem(ProblemType.Validation);
            Assert.Equal(unknown["errors"]!.ToJsonString(), foreign["errors"]!.ToJsonString());
        }
    }
}
