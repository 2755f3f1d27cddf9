using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>What is sold.</summary>
internal static class ProductResource
{
    public static readonly Resource Products = new()
    {
        Path = "products",
        Singular = "product",
        Plural = "products",
        Table = "products",
        Description = "What is sold: tours, services, packages. Dated tours are made from a product.",
        Import = new("ecommerceProductId"),
        KnownBy = ["ecommerceProductId", "sku", "name"],
        Create = Role.Manager,
        Update = Role.Manager,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        Fields =
        [
            Name("name").Required().Sorted().Searched().FoundBy("compared_name"),
            Text("description", 10_000).Nullable().Searched(),
            Choice("type", "tour", "service", "package").WithDefault("service").Filtered(),
            Text("sku", 100).Nullable().Named().Searched(),
            Text("category", 100).Nullable().AsWords().Filtered(),
            Integer("duration", 1, 3650).Nullable().About("Days."),
            Money("price").WithDefault(0),
            Money("cost").Nullable(),
            Currency("currency").WithDefault("USD"),
            Reference("partnerId", "partners").Nullable().Filtered(),
            AnyJson("inclusions").Nullable(),
            AnyJson("exclusions").Nullable(),
            AnyJson("options").Nullable(),
            Text("ecommerceProductId", 200).Nullable().Named(),
            Flag("isActive").WithDefault(true).Filtered(),
            Json("customFields"),
        ],
        Checks = [new("partner_is_available", "partnerId", "/partnerId names a partner who is not available.", IsAboutState: true)],
        Uniques = [new("products_one_per_ecommerce_product", "ecommerceProductId", "Another product has this e-commerce id.")],
    };
}
