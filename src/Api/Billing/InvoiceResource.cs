using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Billing;

/// <summary>Invoices, as records: made when a period begins, settled by a super admin or a payment provider.</summary>
internal static class InvoiceResource
{
    public static readonly Resource Invoices = new()
    {
        Path = "billing-invoices",
        Singular = "billingInvoice",
        Plural = "billingInvoices",
        Table = "billing_invoices",
        Description = "Invoices of your organization. One is made when a period begins; it is settled by whoever takes the money.",
        Read = Role.Admin,
        Fields =
        [
            Long("number").ReadOnly().Sorted(),
            Text("plan", 100).Nullable().ReadOnly().About("Code of the plan.") with { Expression = "(SELECT p.code FROM pricing_plans p WHERE p.id = t.plan_id)" },
            Text("description", 500).ReadOnly(),
            Money("amount").ReadOnly(),
            Analytics.AnalyticsReports.Sum("adjustment").ReadOnly().About("What changes of plan in the period before added to the amount, or took off it."),
            Currency("currency").ReadOnly(),
            Choice("status", "paid", "pending", "failed").ReadOnly().Filtered(),
            Timestamp("periodStart").ReadOnly().Ranged().Sorted(),
            Timestamp("periodEnd").ReadOnly(),
            Timestamp("dueAt").ReadOnly().Ranged(),
            Timestamp("paidAt").Nullable().ReadOnly(),
            Text("stripeInvoiceId", 200).Nullable().ReadOnly().About("The payment provider's id."),
            Text("invoiceUrl", 2048).Nullable().ReadOnly().About("Where the payment provider shows it."),
        ],
    };
}
