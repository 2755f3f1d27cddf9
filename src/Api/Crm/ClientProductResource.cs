using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>What products clients are interested in.</summary>
internal static class ClientProductResource
{
    public static readonly Resource ClientProducts = new()
    {
        Path = "client-products",
        Singular = "clientProduct",
        Plural = "clientProducts",
        Table = "client_products",
        Description = "What products clients are interested in, and how far that has come: interested, proposed, selected, booked. It moves forward only.",
        Import = new() { Kept = ["createdAt"] },
        Create = Role.Member,
        Update = Role.Member,
        Delete = Role.Member,
        Fields =
        [
            Reference("clientId", "clients").Required().Fixed().Filtered(),
            Reference("productId", "products").Required().Fixed().Filtered(),
            Choice("status", "interested", "proposed", "selected", "booked").WithDefault("interested").Filtered(),
            Text("notes", 10_000).Nullable(),
        ],
        Uniques = [new("one_interest_per_client_and_product", "productId", "The client's interest in this product is known: change it.")],
        Checks = [new("interest_moves_forward", "status", IsAboutState: true)],
    };
}
