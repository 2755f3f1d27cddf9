using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>Rules that count, and those that let one through, while many try at once. A hundred book the last place in <see cref="BookingTests"/>.</summary>
public sealed class AtOnceTests(RuleApp app) : IClassFixture<RuleApp>
{
    private const int Many = 50;

    public static TheoryData<string> Uniques => [.. UniqueRules.Keys];

    /// <summary>What only one of many may make.</summary>
    private static readonly Dictionary<string, (string Path, Func<RuleWorld, Scene, Task<object>> Body)> UniqueRules = new(StringComparer.Ordinal)
    {
        ["one client for a phone number"] = ("clients", (_, scene) => Task.FromResult<object>(new { phone = scene.Phone })),
        ["one client for a shop's customer"] = ("clients", (_, scene) => Task.FromResult<object>(new { ecommerceCustomerId = scene.Mark })),
        ["one tag of a name"] = ("tags", (_, scene) => Task.FromResult<object>(new { name = scene.Mark })),
        ["one order of a number"] = ("orders", async (world, scene) => new { clientId = await world.NewClient(), orderNumber = scene.Mark }),
        ["one booking of a client and a tour"] = ("client-tours", async (world, _) => new { clientId = await world.NewClient(), tourId = await world.NewTour(), status = "booked" }),
        ["one interest of a client in a product"] = ("client-products", async (world, _) => new { clientId = await world.NewClient(), productId = await world.New("products", new { name = "Tent" }) }),
        ["one deal of another CRM's"] = ("deals", async (world, scene) => new { clientId = await world.NewClient(), name = "Deal", externalId = scene.Mark }),
    };

    [Theory]
    [MemberData(nameof(Uniques))]
    public async Task Of_many_who_make_the_same_at_once_one_does(string rule)
    {
        var world = await app.World();
        var (path, make) = UniqueRules[rule];
        var body = await make(world, new Scene());
        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => world.Organization.Owner.PostAsJsonAsync($"/v1/{path}", body)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        foreach (var refused in answers.Where(answer => answer.StatusCode != HttpStatusCode.Created))
        {
            Assert.NotEmpty((await refused.Problem(Problems.ProblemType.Conflict)).Fields());
        }
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    public async Task Of_many_lines_that_book_the_last_place_one_does(string format)
    {
        var world = await app.World();
        var tour = await world.NewTour(new { maxParticipants = 1 });
        var clients = await Task.WhenAll(Enumerable.Range(0, Many).Select(_ => world.NewClient()));
        var file = format == "csv"
            ? $"clientId,tourId,status\n{string.Concat(clients.Select(client => $"{client},{tour},booked\n"))}"
            : JsonSerializer.Serialize(clients.Select(client => new { clientId = client, tourId = tour, status = "booked" }));
        var owner = world.Organization.Owner;
        var job = await owner.Job("/v1/jobs/imports", new { resource = "client-tours", fileId = await owner.Upload(file), format });
        Assert.Equal((1, Many - 1), (job["result"]!["imported"]!.GetValue<int>(), job["result"]!["failed"]!.GetValue<int>()));
        Assert.Equal("1 full", await world.Read<string>("SELECT current_participants || ' ' || status FROM tours WHERE organization_id = $1 AND id = $2", tour));
    }

    [Fact]
    public async Task Of_many_default_prompts_made_at_once_one_stays_the_default()
    {
        var world = await app.World();
        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(number =>
            world.Organization.Owner.PostAsJsonAsync("/v1/prompt-variants", new { agentType = "warming", name = $"Variant {number}", prompt = "Warm.", isDefault = true })));
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.Created or HttpStatusCode.Conflict, $"{answer.StatusCode}"));
        Assert.Equal(1, await world.Read<long>("SELECT count(*) FROM prompt_variants WHERE organization_id = $1 AND agent_type = 'warming' AND is_default"));
    }

    [Fact]
    public async Task A_lead_that_many_convert_at_once_is_converted_once()
    {
        var world = await app.World();
        var lead = await world.NewClient();
        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(number => world.Organization.Owner.PostAsJsonAsync($"/v1/clients/{lead}/convert", new { deal = new { name = $"Deal {number}" } })));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.Equal(Many - 1, answers.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
        Assert.Equal(1, await world.Read<long>("SELECT count(*) FROM deals WHERE organization_id = $1 AND client_id = $2", lead));
        Assert.Equal(1, await world.Read<long>("SELECT count(*) FROM client_status_history WHERE organization_id = $1 AND client_id = $2", lead));
    }

    [Fact]
    public async Task A_deal_that_many_win_and_lose_at_once_ends_once_and_its_history_hangs_together()
    {
        var world = await app.World();
        var deal = await world.NewDeal(await world.NewClient());
        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(number => number % 2 == 0
            ? world.Organization.Owner.PostAsJsonAsync($"/v1/deals/{deal}/win", new { wonReason = "price" })
            : world.Organization.Owner.PostAsJsonAsync($"/v1/deals/{deal}/lose", new { lostReason = "price" })));
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict, $"{answer.StatusCode}"));
        Assert.Equal(2, await world.Read<long>("SELECT count(*) FROM deal_stage_history WHERE organization_id = $1 AND deal_id = $2", deal));
        Assert.True(await world.Read<bool>("SELECT num_nonnulls(won_reason, lost_reason) = 1 AND probability = CASE stage WHEN 'closed_won' THEN 100 ELSE 0 END FROM deals WHERE organization_id = $1 AND id = $2", deal));
    }

    [Fact]
    public async Task A_task_that_many_do_and_give_up_at_once_ends_in_one_way()
    {
        var world = await app.World();
        var task = await world.New("activities", new { activityType = "task", subject = "Call" });
        var answers = await Task.WhenAll(Enumerable.Range(0, Many).Select(number => world.Organization.Owner.PostAsJsonAsync($"/v1/activities/{task}/{(number % 2 == 0 ? "complete" : "cancel")}", new { })));
        Assert.Equal(Many / 2, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        Assert.Equal(Many / 2, answers.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
    }

    [Fact]
    public async Task Orders_of_a_client_that_come_change_and_go_at_once_all_count()
    {
        var world = await app.World();
        var (client, other) = (await world.NewClient(), await world.NewClient());
        var orders = new List<Guid>();
        var mark = new Scene().Mark;
        for (var number = 0; number < 20; number++)
        {
            orders.Add(await world.New("orders", new { clientId = client, orderNumber = $"{mark} {number}", subtotal = 10 }));
        }
        var owner = world.Organization.Owner;
        var answers = await Task.WhenAll(
            orders.Take(5).Select(order => owner.PostAsJsonAsync($"/v1/orders/{order}/cancel", new { }))
                .Concat(orders.Skip(5).Take(5).Select(order => owner.Patch($"/v1/orders/{order}", new { clientId = other }, "*")))
                .Concat(orders.Skip(10).Take(5).Select(order => owner.DeleteAsync($"/v1/orders/{order}")))
                .Concat(orders.Skip(15).Select(order => owner.Patch($"/v1/orders/{order}", new { tax = 5 }, "*")))
                .Concat(Enumerable.Range(0, 20).Select(number => owner.PostAsJsonAsync("/v1/orders", new { clientId = number % 2 == 0 ? client : other, orderNumber = $"{mark} new {number}", subtotal = 1 }))));
        Assert.All(answers, answer => Assert.True(answer.IsSuccessStatusCode, $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri}: {answer.StatusCode}"));
        const string Revenue = "SELECT total_orders || ' ' || total_revenue FROM clients WHERE organization_id = $1 AND id = $2";
        Assert.Equal("15 85.000", await world.Read<string>(Revenue, client));
        Assert.Equal("15 60.000", await world.Read<string>(Revenue, other));
    }

    [Fact]
    public async Task A_phone_number_that_calls_and_is_written_down_at_once_is_one_client()
    {
        var world = await app.World();
        var channels = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.NewChannel()));
        var mark = new Scene().Mark;
        await Task.WhenAll(channels.SelectMany(channel => new Task[]
        {
            world.New("contacts", new { channelId = channel, platformUserId = $"1{mark}" }),
            world.Organization.Owner.PostAsJsonAsync("/v1/clients", new { phone = $"+1{mark}" }),
        }));
        Assert.Equal(1, await world.Read<long>("SELECT count(*) FROM clients WHERE organization_id = $1 AND phone = '+1' || $2", mark));
        Assert.Equal(20, await world.Read<long>("SELECT count(*) FROM contacts k JOIN clients c ON c.id = k.client_id AND c.phone = '+1' || $2 WHERE k.organization_id = $1", mark));
    }

    [Fact]
    public async Task A_tag_that_is_renamed_and_taken_away_while_many_put_it_on_is_borne_only_where_it_is_in_the_list()
    {
        var world = await app.World();
        var owner = world.Organization.Owner;
        for (var round = 0; round < 5; round++)
        {
            var mark = new Scene().Mark;
            var tag = await world.New("tags", new { name = mark });
            var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.NewClient()));
            var answers = await Task.WhenAll(clients.SelectMany((client, index) => new[]
            {
                owner.Patch($"/v1/clients/{client}", new { tags = new[] { mark, $"also {mark}" } }, "*"),
                owner.PostAsJsonAsync("/v1/clients", new { tags = new[] { mark } }),
                index == 7 ? owner.Patch($"/v1/tags/{tag}", new { name = $"new {mark}" }, "*")
                    : index == 13 ? owner.DeleteAsync($"/v1/tags/{tag}")
                    : owner.PostAsJsonAsync("/v1/clients/bulk-tag", new { ids = new[] { client }, add = new[] { mark } }),
            }));
            Assert.All(answers, answer => Assert.True(answer.IsSuccessStatusCode || answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.NotFound, $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri}: {answer.StatusCode}"));
            Assert.Equal(0, await world.Read<long>("SELECT count(*) FROM clients c, unnest(c.tags) used WHERE c.organization_id = $1 AND NOT EXISTS (SELECT FROM tags g WHERE g.organization_id = $1 AND g.name = used)"));
        }
    }

    [Fact]
    public async Task A_partner_who_becomes_unavailable_while_many_assign_him_fails_nobody_and_gets_nothing_after()
    {
        var world = await app.World();
        var partner = await world.New("partners", new { name = "Guide" });
        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.NewClient()));
        var owner = world.Organization.Owner;
        Task<HttpResponseMessage> Assign(Guid client) => owner.Patch($"/v1/clients/{client}", new { assignedPartnerId = partner }, "*");
        var answers = await Task.WhenAll(clients.Select(Assign).Append(owner.Patch($"/v1/partners/{partner}", new { isAvailable = false }, "*")));
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict, $"{answer.StatusCode}"));
        await (await Assign(await world.NewClient())).Problem(Problems.ProblemType.Conflict);
    }
}
