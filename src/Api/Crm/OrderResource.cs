using System.Collections.Immutable;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>What clients bought.</summary>
internal static class OrderResource
{
    public static readonly Resource Orders = new()
    {
        Path = "orders",
        Singular = "order",
        Plural = "orders",
        Table = "orders",
        Description = "What clients bought. The subtotal is that of the items, the total adds tax and shipping and takes the discount off; the product computes both. An order moves forward, is cancelled before it is shipped, or refunded once it is being worked on.",
        Import = new("orderNumber", "ecommerceOrderId") { Kept = ["createdAt"] },
        Create = Role.Member,
        Update = Role.Member,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        DefaultSort = "-orderDate",
        Fields =
        [
            Reference("clientId", "clients").Required().Filtered(),
            Reference("dealId", "deals").Nullable().Filtered().About("A deal of the same client."),
            Identifier("orderNumber", 100).Required().Filtered().Searched(),
            Text("ecommerceOrderId", 200).Nullable().Named().Filtered(),
            List("items", new ObjectType(OrderItem.Shape, IsAsGiven: true), OrderItem.Most).Nullable(),
            Money("subtotal").WithDefault(0).About("That of the items, where there are any."),
            Money("tax").WithDefault(0),
            Money("shipping").WithDefault(0),
            Money("discount").WithDefault(0),
            Money("total").ReadOnly().Ranged().Sorted(),
            Currency("currency").WithDefault("USD").Filtered(),
            Choice("status", "pending", "processing", "shipped", "delivered", "cancelled", "refunded").WithDefault("pending").Filtered(),
            Json("shippingAddress").Nullable(),
            Text("trackingNumber", 200).Nullable().Named().Searched(),
            Timestamp("orderDate").Ranged().Sorted().About("Now, unless it is given."),
            Timestamp("shippedDate").Nullable(),
            Timestamp("deliveredDate").Nullable(),
        ],
        Example = new()
        {
            ["clientId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e",
            ["orderNumber"] = "2026-0042",
            ["items"] = new JsonArray(new JsonObject { ["name"] = "Tent", ["quantity"] = 2, ["unitPrice"] = 119.5 }),
            ["tax"] = 23.9,
            ["shipping"] = 12,
        },
        Uniques =
        [
            new("one_order_per_number", "orderNumber", "Another order has this number."),
            new("orders_one_per_ecommerce_order", "ecommerceOrderId", "Another order has this e-commerce id."),
        ],
        Checks =
        [
            new("order_discount_is_not_above_the_price", "discount", "/discount must not be above what the order costs."),
            new("order_status_moves_forward", "status", IsAboutState: true),
            new("deal_belongs_to_the_client", "dealId", "/dealId must name a deal of the client."),
        ],
        Actions =
        [
            new("ship", "Mark the order as shipped", change =>
            {
                change.Set("status", "shipped");
                change.Take("trackingNumber");
            })
            { Past = "shipped", Body = new(Text("trackingNumber", 200)) },
            new("deliver", "Mark the order as delivered", change => change.Set("status", "delivered")) { Past = "delivered" },
            new("cancel", "Cancel the order", change => change.Set("status", "cancelled")) { Past = "cancelled", Description = "It no longer counts as the client's revenue." },
            new("refund", "Refund the order", change => change.Set("status", "refunded")) { Past = "refunded", Role = Role.Manager, Description = "It no longer counts as the client's revenue." },
        ],
        BeforeWrite = change => Task.FromResult(change.IsDeletion ? null : Check(change)),
    };

    /// <summary>Whoever may refund by the action may refund by any other change, and nobody else. The database computes the sums; here they are only looked at for size.</summary>
    private static Problem? Check(ResourceChange change)
    {
        if (change.Before is { } before && change.Values.Text("status") == "refunded" && before.Get<string>("status") != "refunded" && change.Caller.Role < Role.Manager)
        {
            return new Problem(ProblemType.Forbidden, $"To refund an order needs the role {Role.Manager.Name()}; yours is {change.Caller.Role.Name()}.") { Errors = [new("/status", "/status: an order is refunded by managers.")] };
        }
        decimal Amount(string field) => change.Values.Has(field) ? change.Values.Get<decimal>(field) : change.Before?.Get<decimal>(field) ?? 0;
        var subtotal = change.Values.Get<object>("items") is ImmutableArray<object> items
            ? items.Cast<ShapeValues>().Sum(item => item.Get<decimal>("quantity") * item.Get<decimal>("unitPrice"))
            : Amount("subtotal");
        if (subtotal > Currencies.MostMoney)
        {
            return Problem.Invalid("/items", $"/items must not come to more than {Currencies.MostMoney}.");
        }
        return subtotal + Amount("tax") + Amount("shipping") - Amount("discount") > Currencies.MostMoney
            ? Problem.Invalid("/total", $"/total must not come to more than {Currencies.MostMoney}.")
            : null;
    }
}
