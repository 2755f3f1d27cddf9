using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>A line of an order or a deal.</summary>
internal static class OrderItem
{
    /// <summary>Most lines.</summary>
    public const int Most = 500;

    public static readonly Shape Shape = new(
        Reference("productId", "products").Nullable(),
        Name("name").Required(),
        Text("sku", 100).Nullable().Named(),
        Number("quantity", 0.001m, 1_000_000, 3).Required(),
        Money("unitPrice").Required());
}
