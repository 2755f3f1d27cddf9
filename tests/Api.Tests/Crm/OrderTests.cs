using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm;

public sealed class OrderTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task An_orders_sums_follow_from_its_items_and_its_clients_revenue_from_the_order()
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        var order = await organization.Create("orders", new
        {
            clientId = client,
            orderNumber = "1",
            items = new[] { new { name = "Tent", quantity = 2, unitPrice = 119.5 }, new { name = "Rope", quantity = 1, unitPrice = 11.0 } },
            subtotal = 3,
            tax = 25,
            shipping = 5,
            discount = 30,
        });
        Assert.Equal((250m, 250m), (order["subtotal"]!.GetValue<decimal>(), order["total"]!.GetValue<decimal>()));
        await organization.Create("orders", new { clientId = client, orderNumber = "2", subtotal = 50 });
        Assert.Equal((2, 300m, 150m), await Revenue(organization, client));
        await (await organization.Owner.Patch($"/v1/orders/{order.Id()}", new { tax = 0 }, "\"1\"")).Json();
        Assert.Equal((2, 275m, 137.5m), await Revenue(organization, client));
        Assert.Equal("cancelled", (await (await organization.Owner.PostAsync($"/v1/orders/{order.Id()}/cancel", null)).Json()).Text("status"));
        Assert.Equal((1, 50m, 50m), await Revenue(organization, client));
    }

    [Fact]
    public async Task What_does_not_fit_is_named()
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        var other = (await organization.Create("clients", new { firstName = "Boris" })).Id();
        var deal = (await organization.Create("deals", new { clientId = other, name = "Deal" })).Id();
        await organization.Create("orders", new { clientId = client, orderNumber = "1" });
        async Task<string[]> Refused(object body, ProblemType type) => (await (await organization.Owner.PostAsJsonAsync("/v1/orders", body)).Problem(type)).Fields();
        Assert.Equal(["/orderNumber"], await Refused(new { clientId = client, orderNumber = "1" }, ProblemType.Conflict));
        Assert.Equal(["/dealId"], await Refused(new { clientId = client, orderNumber = "2", dealId = deal }, ProblemType.Validation));
        Assert.Equal(["/discount"], await Refused(new { clientId = client, orderNumber = "2", subtotal = 5, discount = 6 }, ProblemType.Validation));
        Assert.Equal(["/total"], await Refused(new { clientId = client, orderNumber = "2", total = 6 }, ProblemType.Validation));
        Assert.Equal(["/total"], await Refused(new { clientId = client, orderNumber = "2", subtotal = 9_999_999_999.99m, tax = 0.01m }, ProblemType.Validation));
        Assert.Equal(["/items"], await Refused(new { clientId = client, orderNumber = "2", items = new[] { new { name = "Tent", quantity = 1_000_000, unitPrice = 9_999_999_999.99m } } }, ProblemType.Validation));
        Assert.Equal(["/items/0/unitPrice"], await Refused(new { clientId = client, orderNumber = "2", items = new[] { new { name = "Tent", quantity = 1 } } }, ProblemType.Validation));
    }

    [Fact]
    public async Task An_order_is_shipped_delivered_and_refunded_in_this_order_only()
    {
        var organization = await app.NewOrganization();
        var order = (await organization.Create("orders", new { clientId = (await organization.Create("clients", new { firstName = "Anna" })).Id(), orderNumber = "1" })).Id();
        async Task<HttpResponseMessage> Act(string action, object? body = null) => await organization.Owner.PostAsJsonAsync($"/v1/orders/{order}/{action}", body ?? new { });
        Assert.Equal(["/status"], (await (await Act("refund")).Problem(ProblemType.Conflict)).Fields());
        var shipped = await (await Act("ship", new { trackingNumber = "T-1" })).Json();
        Assert.Equal("T-1", shipped.Text("trackingNumber"));
        Assert.NotNull(shipped["shippedDate"]);
        Assert.Equal(["/status"], (await (await Act("cancel")).Problem(ProblemType.Conflict)).Fields());
        Assert.NotNull((await (await Act("deliver")).Json())["deliveredDate"]);
        Assert.Equal("refunded", (await (await Act("refund")).Json()).Text("status"));
        Assert.Equal(["/status"], (await (await Act("ship")).Problem(ProblemType.Conflict)).Fields());
    }

    private static async Task<(int Orders, decimal Revenue, decimal Average)> Revenue(TestOrganization organization, Guid client)
    {
        var read = await (await organization.Owner.GetAsync($"/v1/clients/{client}")).Json();
        return (read["totalOrders"]!.GetValue<int>(), read["totalRevenue"]!.GetValue<decimal>(), read["averageOrderValue"]!.GetValue<decimal>());
    }
}
