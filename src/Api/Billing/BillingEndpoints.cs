using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
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
        routes.MapOperation("GET", SubscriptionPath, OfSuperAdmin(ResourceOperations.Read(any)), request => ForAny(request, bound => ResourceReads.Read(any, bound)));
        routes.MapOperation("POST", SubscriptionPath, OfSuperAdmin(ResourceOperations.Create(any)), request => ForAny(request, bound => ResourceWrites.Create(any, bound)));
        routes.MapOperation("PATCH", SubscriptionPath, OfSuperAdmin(ResourceOperations.Update(any)), request => ForAny(request, bound => ResourceWrites.Update(any, bound)));
        routes.MapOperation("POST", "/v1/organizations/{id}/billing-invoices/{invoiceId}/settle", SettleOperation, request => ForAny(request, Settle));
    }

    private static Operation OfSuperAdmin(Operation operation) => operation with
    {
        Role = Role.Viewer,
        NeedsSuperAdmin = true,
        Tag = "subscription",
        Summary = operation.Summary.Replace("your organization subscription", "the subscription of any organization", StringComparison.Ordinal),
    };

    /// <summary>Runs a request of a super admin bound to the organization that the path names.</summary>
    private static async Task<IResult> ForAny(OperationRequest request, Func<OperationRequest, Task<IResult>> run)
    {
        if (request.PathId() is not { } organization)
        {
            return Problem.NotFound();
        }
        var caller = request.Caller;
        var bound = new OperationRequest
        {
            Http = request.Http,
            KnownCaller = new Caller(organization, caller.UserId, Role.Owner, caller.SessionId, caller.IpAddress) { IsSuperAdmin = true, UserAgent = caller.UserAgent },
            Body = request.Body,
            Fingerprint = request.Fingerprint,
            Query = request.Query,
            ExpectedVersion = request.ExpectedVersion,
            IdempotencyKey = request.IdempotencyKey,
        };
        await using (var row = await TenantSession.ReadAsync(request.Service<ApiDataSource>(), bound.Caller.Tenant, "SELECT 1 FROM organizations WHERE id = $1", request.Cancelled, organization))
        {
            if (!await row.ReadAsync(request.Cancelled))
            {
                return Problem.NotFound();
            }
        }
        return await run(bound);
    }

    private static async Task<IResult> Settle(OperationRequest request)
    {
        if (request.PathId("invoiceId") is not { } invoice)
        {
            return Problem.NotFound();
        }
        await using (var session = await TenantSession.OpenAsync(request.Service<ApiDataSource>(), request.Caller.Tenant, request.Cancelled))
        {
            var before = await session.ScalarAsync<string>("SELECT status FROM billing_invoices WHERE organization_id = $1 AND id = $2", request.Cancelled, request.Caller.OrganizationId, invoice);
            if (before is null)
            {
                return Problem.NotFound();
            }
            var after = request.Body.Text("status")!;
            await session.ExecuteAsync("SELECT settle_invoice($1, $2, $3)", request.Cancelled, invoice, after, request.Service<TimeProvider>().GetUtcNow());
            await request.Service<ActivityLog>().WriteAsync(
                session, request.Caller, $"billingInvoice.{after}", "billingInvoice", invoice, State(before), State(after), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
        }
        return await ResourceReads.Read(InvoiceResource.Invoices, request, invoice);

        static ReadOnlyMemory<byte> State(string status) => JsonAnswer.Of(json => json.WriteString("status", status)).Body;
    }
}
