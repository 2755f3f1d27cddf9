using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Organizations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Billing;

/// <summary>What super admins do for any organization: its subscription, and what became of its invoices.</summary>
internal static class BillingEndpoints
{
    private const string SubscriptionPath = "/v1/organizations/{id}/subscription";

    private static readonly Operation SettleOperation = new()
    {
        Id = "settleBillingInvoice",
        Tag = "billing invoices",
        Role = Role.Viewer,
        NeedsSuperAdmin = true,
        Summary = "Say that an invoice is paid, or that its payment failed",
        Description = "Paid: a subscription that was past due or unpaid is active again when nothing else is overdue. Failed: it becomes past due.",
        Body = new(Choice("status", "paid", "failed").Required()),
        Answer = InvoiceResource.Invoices.Shape,
        AnswerName = InvoiceResource.Invoices.SchemaName,
        AnswersEntityTag = true,
    };

    public static void MapBilling(IEndpointRouteBuilder routes)
    {
        var any = SubscriptionResource.Any;
        routes.MapOperation("GET", SubscriptionPath, OfSuperAdmin(ResourceOperations.Read(any)), request => AnyOrganization.Run(request, bound => ResourceReads.Read(any, bound)));
        routes.MapOperation("POST", SubscriptionPath, OfSuperAdmin(ResourceOperations.Create(any)), request => AnyOrganization.Run(request, bound => ResourceWrites.Create(any, bound)));
        routes.MapOperation("PATCH", SubscriptionPath, OfSuperAdmin(ResourceOperations.Update(any)), request => AnyOrganization.Run(request, bound => ResourceWrites.Update(any, bound)));
        routes.MapOperation("POST", "/v1/organizations/{id}/billing-invoices/{invoiceId}/settle", SettleOperation, request => AnyOrganization.Run(request, Settle));
        MapList(routes, InvoiceResource.Invoices, "listBillingInvoicesOfOrganization", "List the invoices of any organization");
        MapList(routes, UsageAlertResource.UsageAlerts, "listUsageAlertsOfOrganization", "List what any organization was told about its limits");
    }

    private static Operation OfSuperAdmin(Operation operation) => AnyOrganization.Operation(
        operation, operation.Id, operation.Summary.Replace("your organization subscription", "the subscription of any organization", StringComparison.Ordinal)) with
    {
        Tag = "subscription",
    };

    private static void MapList(IEndpointRouteBuilder routes, Resource resource, string id, string summary) => routes.MapOperation(
        "GET", $"{AnyOrganization.Path}/{{id}}/{resource.Path}", AnyOrganization.Operation(ResourceOperations.List(resource), id, summary),
        request => AnyOrganization.Run(request, bound => ResourceReads.List(resource, bound)));

    private static async Task<IResult> Settle(OperationRequest request)
    {
        if (request.PathId("invoiceId") is not { } invoice)
        {
            return Problem.NotFound();
        }
        var isThere = await request.InTransaction(async session =>
        {
            var before = await session.ScalarAsync<string>("SELECT status FROM billing_invoices WHERE organization_id = $1 AND id = $2", request.Cancelled, request.Caller.OrganizationId, invoice);
            if (before is null)
            {
                return false;
            }
            var after = request.Body.Text("status")!;
            await session.ExecuteAsync("SELECT settle_invoice($1, $2, $3)", request.Cancelled, invoice, after, request.Service<TimeProvider>().GetUtcNow());
            await request.Service<ActivityLog>().WriteAsync(
                session, request.Caller, $"billingInvoice.{after}", "billingInvoice", invoice, State(before), State(after), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
            return true;
        });
        return isThere ? await ResourceReads.Read(InvoiceResource.Invoices, request, invoice) : Problem.NotFound();

        static ReadOnlyMemory<byte> State(string status) => JsonAnswer.Of(json => json.WriteString("status", status)).Body;
    }
}
