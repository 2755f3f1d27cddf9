using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>People as the business knows them. A lead is a client at the start of its life.</summary>
internal static class ClientResource
{
    public static readonly Resource Clients = new()
    {
        Path = "clients",
        Singular = "client",
        Plural = "clients",
        Table = "clients",
        Description = "People as the business knows them. A lead is a client at the start of its life; a contact's first message makes one.",
        Import = new("phone", "email", "ecommerceCustomerId") { Kept = ["createdAt", "firstContactDate", "lastContactDate", "convertedAt"] },
        KnownBy = ["phone", "email", "ecommerceCustomerId"],
        Create = Role.Member,
        Update = Role.Member,
        AllowsBulkUpdate = true,
        Delete = Role.Manager,
        SearchCondition = "t.id IN (SELECT search_clients({0}))",
        Fields =
        [
            Choice("clientType", "lead", "prospect", "customer", "partner", "inactive").WithDefault("lead").Filtered(),
            Choice("status", "new_lead", "qualified", "warmed", "proposal_sent", "negotiation", "sold", "service", "closed").WithDefault("new_lead").Filtered(),
            Choice("lifecycleStage", "lead", "mql", "sql", "opportunity", "customer", "evangelist", "churned").WithDefault("lead").Filtered(),
            Text("firstName", 200).Nullable().AsWords().Searched().Sorted(),
            Text("lastName", 200).Nullable().AsWords().Searched().Sorted(),
            Text("companyName", 200).Nullable().AsWords().Searched(),
            Email("email").Nullable().Searched().Filtered().FoundBy("compared_email"),
            Phone("phone").Nullable().Searched().Filtered(),
            Text("secondaryPhone", 50).Nullable(),
            Json("address").Nullable(),
            Language("preferredLanguage").Nullable().Filtered(),
            Json("culturalContext").Nullable(),
            Text("source", 200).Nullable().AsWords().Filtered(),
            Json("sourceDetails").Nullable(),
            Json("utmData").Nullable(),
            Integer("leadScore", -1_000_000, 1_000_000).WithDefault(0).Ranged(),
            Choice("leadQuality", "hot", "warm", "cold").Nullable().Filtered(),
            Text("ecommerceCustomerId", 200).Nullable().Named(),
            Integer("totalOrders").ReadOnly(),
            Money("totalRevenue").ReadOnly(),
            Money("averageOrderValue").ReadOnly(),
            Reference("assignedTo", "users").Nullable().Filtered(),
            Reference("assignedPartnerId", "partners").Nullable().Filtered(),
            Reference("promptVariantId", "prompt_variants").Nullable(),
            Reference("contactId", "contacts").Nullable().ReadOnly().Filtered().About("The contact that it was first met as."),
            Reference("agentId", "agents").Nullable().Filtered().About("The agent that captured the lead."),
            Reference("conversationId", "conversations").Nullable().ReadOnly().About("The conversation with the contact that it was first met as, unless the contact is another client's now.")
                with { Expression = "(SELECT v.id FROM conversations v WHERE v.contact_id = t.contact_id AND v.client_id = t.id)" },
            BulkTagging.Own(),
            Json("customFields"),
            Json("metadata"),
            Timestamp("convertedAt").Nullable().ReadOnly().Ranged().About("When the lead became a client."),
            Timestamp("firstContactDate").ReadOnly(),
            Timestamp("lastContactDate").Nullable().ReadOnly().Ranged(),
            Timestamp("nextFollowUpDate").Nullable().Ranged(),
        ],
        Uniques =
        [
            new("one_client_per_phone", "phone", "Another client has this phone number."),
            new("clients_one_per_ecommerce_customer", "ecommerceCustomerId", "Another client has this e-commerce id."),
        ],
        Checks =
        [
            new("partner_is_available", "assignedPartnerId", "/assignedPartnerId names a partner who is not available.", IsAboutState: true),
            new("assignee_is_a_member", "assignedTo", "/assignedTo names nothing in this organization."),
        ],
        Actions = [ClientActions.Convert, ClientActions.SetStatus, ClientActions.Assign],
    };
}
