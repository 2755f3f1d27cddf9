using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>Who provides products.</summary>
internal static class PartnerResource
{
    public static readonly Resource Partners = new()
    {
        Path = "partners",
        Singular = "partner",
        Plural = "partners",
        Table = "partners",
        Description = "Who provides products and tours.",
        Import = new(),
        KnownBy = ["name", "contactEmail"],
        Create = Role.Manager,
        Update = Role.Manager,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        Fields =
        [
            Name("name").Required().Sorted().Searched().FoundBy("compared_name"),
            Text("contactPhone", 50).Nullable(),
            Email("contactEmail").Nullable().Searched().FoundBy("compared_contact_email"),
            Text("contactWhatsapp", 50).Nullable(),
            Text("contactTelegram", 100).Nullable(),
            Text("conditions", 10_000).Nullable(),
            Number("rating", 0, 5, 2).Nullable(),
            Flag("isAvailable").WithDefault(true).Filtered(),
        ],
    };
}
