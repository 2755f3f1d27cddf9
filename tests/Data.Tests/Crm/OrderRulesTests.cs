namespace AgentPlatform.Data.Tests.Crm;

public sealed class OrderRulesTests(CrmDatabase database) : IClassFixture<CrmDatabase>
{
    private static readonly string[] Statuses = ["pending", "processing", "shipped", "delivered", "cancelled", "refunded"];

    private static readonly (string From, string To)[] Legal =
    [
        ("pending", "processing"), ("pending", "shipped"), ("pending", "delivered"), ("pending", "cancelled"),
        ("processing", "shipped"), ("processing", "delivered"), ("processing", "cancelled"), ("processing", "refunded"),
        ("shipped", "delivered"), ("shipped", "refunded"), ("delivered", "refunded"), ("cancelled", "refunded"),
    ];

    [Fact]
    public async Task The_sums_follow_from_the_parts()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        const string Items = """[{"name": "Tent", "quantity": 2, "unitPrice": 19.99}, {"name": "Rope", "quantity": 3, "unitPrice": 5}]""";
        Assert.Equal("54.980|61.480", await tenant.Row(
            $"insert into orders (organization_id, client_id, order_number, items, tax, shipping, discount, subtotal, total) values ($1, $2, 'A1', '{Items}', 10.5, 6, 10, 1, 1) returning subtotal, total", client));
        Assert.Equal("54.980|59.980", await tenant.Row("update orders set discount = 11.5, total = 7 where organization_id = $1 and order_number = 'A1' returning subtotal, total"));
        Assert.Equal("5.000|10.000", await tenant.Row("""update orders set items = '[{"quantity": 1, "unitPrice": 5}]' where organization_id = $1 and order_number = 'A1' returning subtotal, total"""));
        Assert.Equal("80.000|84.000", await tenant.Row("insert into orders (organization_id, client_id, order_number, subtotal, shipping) values ($1, $2, 'A2', 80, 4) returning subtotal, total", client));
        await tenant.Refused("order_discount_is_not_above_the_price", "update orders set discount = 85 where organization_id = $1 and order_number = 'A2'");
        await tenant.Refused("order_tax_is_not_negative", "update orders set tax = -1 where organization_id = $1 and order_number = 'A2'");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[{}]")]
    [InlineData("""[{"quantity": 0, "unitPrice": 1}]""")]
    [InlineData("""[{"quantity": 1, "unitPrice": -1}]""")]
    [InlineData("""[{"quantity": "1", "unitPrice": 1}]""")]
    public async Task Items_without_quantity_and_price_are_refused(string items)
    {
        var tenant = await database.NewOrganization();
        await tenant.Refused("order_items_have_quantity_and_price", $"insert into orders (organization_id, client_id, order_number, items) values ($1, $2, 'A1', '{items}')", await tenant.NewClient());
    }

    [Fact]
    public async Task An_order_moves_forward_and_ends_cancelled_or_refunded()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        foreach (var from in Statuses)
        {
            foreach (var to in Statuses.Where(to => to != from))
            {
                await tenant.Execute("insert into orders (organization_id, client_id, order_number, status) values ($1, $2, $3, $4)", client, $"{from}-{to}", from);
                const string Move = "update orders set status = $2 where organization_id = $1 and order_number = $3";
                if (Legal.Contains((from, to)))
                {
                    await tenant.Execute(Move, to, $"{from}-{to}");
                }
                else
                {
                    await tenant.Refused("order_status_moves_forward", Move, to, $"{from}-{to}");
                }
            }
        }
        Assert.Equal("true|true", await tenant.Row("select shipped_date is not null, delivered_date is null from orders where organization_id = $1 and order_number = 'pending-shipped'"));
        Assert.Equal("true|true", await tenant.Row("select shipped_date is not null, delivered_date is not null from orders where organization_id = $1 and order_number = 'pending-delivered'"));
    }

    [Fact]
    public async Task A_client_has_brought_in_what_its_orders_say()
    {
        var tenant = await database.NewOrganization();
        var (anna, boris) = (await tenant.NewClient(), await tenant.NewClient("Boris"));
        async Task<string?> Revenue(Guid client) => await tenant.Row("select total_orders, total_revenue, average_order_value, calculate_client_ltv(id) ltv from clients where organization_id = $1 and id = $2", client);
        async Task Order(string number, decimal sum, string status = "pending") =>
            await tenant.Execute("insert into orders (organization_id, client_id, order_number, subtotal, status) values ($1, $2, $3, $4, $5)", anna, number, sum, status);
        await Order("1", 100);
        await Order("2", 50.01m);
        await Order("3", 900, "cancelled");
        Assert.Equal("2|150.010|75.005|150.010", await Revenue(anna));
        await tenant.Execute("update orders set tax = 10 where organization_id = $1 and order_number = '1'");
        Assert.Equal("2|160.010|80.005|160.010", await Revenue(anna));
        await tenant.Execute("update orders set status = 'cancelled' where organization_id = $1 and order_number = '2'");
        Assert.Equal("1|110.000|110.000|110.000", await Revenue(anna));
        await tenant.Execute("update orders set client_id = $2 where organization_id = $1 and order_number = '1'", boris);
        Assert.Equal("0|0.000|0.000|0", await Revenue(anna));
        Assert.Equal("1|110.000|110.000|110.000", await Revenue(boris));
        await tenant.Execute("delete from orders where organization_id = $1 and order_number = '1'");
        Assert.Equal("0|0.000|0.000|0", await Revenue(boris));
    }

    [Fact]
    public async Task Orders_at_the_same_moment_all_count()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(number =>
            tenant.Execute("insert into orders (organization_id, client_id, order_number, subtotal) values ($1, $2, $3, 2.5)", client, $"{number}")));
        Assert.Equal("40|100.000|2.500", await tenant.Row("select total_orders, total_revenue, average_order_value from clients where organization_id = $1 and id = $2", client));
    }

    [Fact]
    public async Task An_order_of_a_deal_is_one_of_the_deals_client()
    {
        var tenant = await database.NewOrganization();
        var (anna, boris) = (await tenant.NewClient(), await tenant.NewClient("Boris"));
        var deal = await tenant.NewDeal(anna);
        await tenant.Execute("insert into orders (organization_id, client_id, order_number, deal_id) values ($1, $2, '1', $3)", anna, deal);
        await tenant.Refused("deal_belongs_to_the_client", "insert into orders (organization_id, client_id, order_number, deal_id) values ($1, $2, '2', $3)", boris, deal);
        await tenant.Refused("deal_belongs_to_the_client", "update orders set client_id = $2 where organization_id = $1", boris);
        await tenant.Execute("delete from deals where organization_id = $1");
        Assert.True(await tenant.Scalar<bool>("select deal_id is null from orders where organization_id = $1"));
    }
}
