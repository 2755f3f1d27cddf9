using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>What people do to a client.</summary>
internal static class ClientActions
{
    public static readonly ResourceAction Convert = new("convert", "Turn a lead into a prospect or a customer", ConvertLead)
    {
        Past = "converted",
        Description = "A prospect stands at `opportunity` at least, a customer at `customer`; a status before `qualified` becomes that. With `deal`, a deal for the client begins in the same breath.",
        Body = new(
            Choice("clientType", "prospect", "customer").WithDefault("customer"),
            Text("companyName", 200).Nullable(),
            Reference("assignedTo", "users").Nullable(),
            Object("deal", Name("name").Required(), Money("dealValue"), Currency("currency"), Date("expectedCloseDate").Nullable()),
            Text("reason", 2000).Nullable().About("For the history of its statuses.")),
    };

    public static readonly ResourceAction SetStatus = new("status", "Change the client's status, and say why", async change =>
    {
        change.Take("status");
        await change.Because(change.Given.Text("reason"));
        return null;
    })
    {
        Past = "status_changed",
        Body = new(
            Choice("status", "new_lead", "qualified", "warmed", "proposal_sent", "negotiation", "sold", "service", "closed").Required(),
            Text("reason", 2000).Nullable().About("For the history of its statuses.")),
    };

    public static readonly ResourceAction Assign = new("assign", "Say who looks after the client, or nobody", change => change.Take("assignedTo"))
    {
        Past = "assigned",
        Body = new(Reference("assignedTo", "users").Nullable().Required()),
    };

    private static async Task<Problem?> ConvertLead(ResourceChange change)
    {
        if (change.Before!.Get<string>("clientType") != "lead")
        {
            return new Problem(ProblemType.Conflict, "The client is no lead any more.") { Errors = [new("/clientType", "The client is no lead any more.")] };
        }
        // What goes with it (the time, the stage of life, the status) follows in the database, as for a lead that is converted by another change.
        change.Set("clientType", change.Given.Text("clientType") ?? "customer");
        change.Take("companyName", "assignedTo");
        await change.Because(change.Given.Text("reason") ?? "Converted from a lead");
        await BeginDeal(change);
        return null;
    }

    private static async Task BeginDeal(ResourceChange change)
    {
        if (change.Given.Object("deal") is not { } deal)
        {
            return;
        }
        await change.Session.ExecuteAsync(
            """
            INSERT INTO deals (id, organization_id, client_id, name, deal_value, currency, expected_close_date, owner_id)
            VALUES ($1, $2, $3, $4, coalesce($5, 0), coalesce($6, 'USD'), $7, (SELECT m.user_id FROM organization_members m WHERE m.user_id = $8))
            """,
            change.Request.Cancelled,
            Data.Uuid.New(change.Request.Service<TimeProvider>()), change.Caller.OrganizationId, change.Id, deal.Text("name"),
            Given(deal.Has("dealValue") ? deal.Get<decimal>("dealValue") : null, NpgsqlDbType.Numeric), Given(deal.Text("currency"), NpgsqlDbType.Text),
            Given(deal.Get<object>("expectedCloseDate"), NpgsqlDbType.Date), Given(change.Given.Has("assignedTo") ? change.Given.Id("assignedTo") : change.Before!.Raw("assignedTo"), NpgsqlDbType.Uuid));
    }

    private static NpgsqlParameter Given(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
