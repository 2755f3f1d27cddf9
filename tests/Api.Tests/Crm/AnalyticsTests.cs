using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm;

public sealed class AnalyticsTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task The_reports_say_what_was_refreshed_last_page_by_page()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        foreach (var tenant in new[] { organization, other })
        {
            var client = (await tenant.Create("clients", new { firstName = "Anna", source = "web" })).Id();
            await tenant.Create("deals", new { clientId = client, name = "One", dealValue = 100, stage = "proposal" });
            await tenant.Create("deals", new { clientId = client, name = "Two", dealValue = 50.5, stage = "proposal" });
            await tenant.Create("deals", new { clientId = client, name = "Three", dealValue = 7, ownerId = tenant.OwnerId });
            await tenant.Create("deals", new { clientId = client, name = "Four", dealValue = 30, stage = "closed_won", wonReason = "Price" });
            await tenant.Create("orders", new { clientId = client, orderNumber = "1", subtotal = 80, orderDate = "2026-03-01T12:00:00Z" });
            await tenant.Create("orders", new { clientId = client, orderNumber = "2", subtotal = 20, orderDate = "2026-03-02T12:00:00Z" });
            await SeededConversation.Create(tenant, "Boris", $"+1555{Random.Shared.Next(1_000_000, 9_999_999)}", "Hello", "Anybody there?");
        }
        await organization.Execute("SELECT refresh_all_analytics()");

        var lines = new List<System.Text.Json.Nodes.JsonObject>();
        string? cursor = null;
        do
        {
            var page = await (await organization.Owner.GetAsync($"/v1/analytics/deals?limit=1{(cursor is null ? "" : $"&cursor={cursor}")}")).Json();
            lines.AddRange(page.Items());
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal([("closed_won", 1L, 30m), ("proposal", 2L, 150.5m), ("prospecting", 1L, 7m)], lines.Select(line => (line.Text("stage"), line["dealCount"]!.GetValue<long>(), line["totalValue"]!.GetValue<decimal>())));
        Assert.Equal([null, null, organization.OwnerId], lines.Select(line => line["ownerId"]?.GetValue<Guid>()));

        var clients = (await (await organization.Owner.GetAsync("/v1/analytics/clients")).Json()).Items();
        Assert.Equal([("lead", "web", 2L, 100m)], clients.Select(line => (line.Text("lifecycleStage"), line.Text("source"), line["clientCount"]!.GetValue<long>(), line["totalRevenue"]!.GetValue<decimal>())));
        var revenue = (await (await organization.Owner.GetAsync("/v1/analytics/revenue?from=2026-03-02T00:00:00Z&to=2026-04-01T00:00:00Z")).Json()).Items();
        Assert.Equal([("2026-03-02T00:00:00.000000Z", 20m)], revenue.Select(line => (line.Text("periodDay"), line["totalRevenue"]!.GetValue<decimal>())));
        var channel = Assert.Single((await (await organization.Owner.GetAsync("/v1/analytics/channels")).Json()).Items());
        Assert.Equal((2L, 2L, 1L), (channel["totalMessages"]!.GetValue<long>(), channel["incomingMessages"]!.GetValue<long>(), channel["totalContacts"]!.GetValue<long>()));
        Assert.Empty((await (await organization.Owner.GetAsync("/v1/analytics/chatbot")).Json()).Items());
        Assert.Equal(["cursor"], (await (await organization.Owner.GetAsync("/v1/analytics/deals?cursor=x")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task The_dashboard_is_of_this_moment()
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        await organization.Create("deals", new { clientId = client, name = "One", dealValue = 1000, stage = "proposal" });
        await organization.Create("deals", new { clientId = client, name = "Two", dealValue = 300, stage = "closed_won", wonReason = "Price", actualCloseDate = "2026-03-05" });
        await organization.Create("deals", new { clientId = client, name = "Three", dealValue = 300, stage = "closed_lost", lostReason = "Price", actualCloseDate = "2026-04-05" });
        await organization.Create("orders", new { clientId = client, orderNumber = "1", subtotal = 80 });
        await organization.Create("activities", new { activityType = "task", subject = "Late", dueDate = "2026-01-01T00:00:00Z" });
        var summary = await (await organization.Owner.GetAsync("/v1/analytics/summary")).Json();
        Assert.Equal((1L, 1L, 1000m, 500m, 50m, 80m, 1L), (
            summary["totalClients"]!.GetValue<long>(), summary["openDeals"]!.GetValue<long>(), summary["pipelineValue"]!.GetValue<decimal>(), summary["weightedPipelineValue"]!.GetValue<decimal>(),
            summary["winRate"]!.GetValue<decimal>(), summary["revenueThisMonth"]!.GetValue<decimal>(), summary["overdueActivities"]!.GetValue<long>()));
        Assert.NotNull(summary["refreshedAt"]);

        var march = await (await organization.Owner.GetAsync("/v1/analytics/win-rate?from=2026-03-01&to=2026-03-31")).Json();
        Assert.Equal((100m, 1L, 0L), (march["winRate"]!.GetValue<decimal>(), march["won"]!.GetValue<long>(), march["lost"]!.GetValue<long>()));
        Assert.Null((await (await organization.Owner.GetAsync("/v1/analytics/win-rate?from=2027-01-01")).Json())["winRate"]);
        Assert.Equal(["from"], (await (await organization.Owner.GetAsync("/v1/analytics/win-rate?from=2027-02-30")).Problem(ProblemType.Validation)).Fields());
        var value = await (await organization.Owner.GetAsync($"/v1/clients/{client}/lifetime-value")).Json();
        Assert.Equal((80m, 1), (value["lifetimeValue"]!.GetValue<decimal>(), value["totalOrders"]!.GetValue<int>()));
        await (await (await app.NewOrganization()).Owner.GetAsync($"/v1/clients/{client}/lifetime-value")).Problem(ProblemType.NotFound);
    }

    [Fact]
    public async Task The_dashboard_is_as_fine_as_the_finest_currency()
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        foreach (var total in new[] { 0.001m, 0.002m, 0.006m })
        {
            await organization.Create("orders", new { clientId = client, orderNumber = $"{total}", subtotal = total, currency = "KWD" });
        }
        await organization.Create("deals", new { clientId = client, name = "One", dealValue = 0.006m, currency = "KWD", probability = 50 });
        var summary = await (await organization.Owner.GetAsync("/v1/analytics/summary")).Json();
        Assert.Equal((0.003m, 0.003m), (summary["averageOrderValue"]!.GetValue<decimal>(), summary["weightedPipelineValue"]!.GetValue<decimal>()));
    }

    [Fact]
    public async Task The_funnel_counts_who_came_how_far()
    {
        var organization = await app.NewOrganization();
        foreach (var stage in new[] { "lead", "lead", "mql", "customer" })
        {
            await organization.Create("clients", new { firstName = stage, lifecycleStage = stage });
        }
        var stages = (await (await organization.Owner.GetAsync("/v1/analytics/conversion-funnel")).Json())["stages"]!.AsArray();
        Assert.Equal(
            [("lead", 2L, 4L), ("mql", 1L, 2L), ("sql", 0L, 1L), ("opportunity", 0L, 1L), ("customer", 1L, 1L), ("evangelist", 0L, 0L), ("churned", 0L, 0L)],
            stages.Select(stage => (stage!["stage"]!.GetValue<string>(), stage["clientCount"]!.GetValue<long>(), stage["reachedCount"]!.GetValue<long>())));
        Assert.Equal(50m, stages[1]!["conversionRate"]!.GetValue<decimal>());
    }
}
