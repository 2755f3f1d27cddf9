using System.Collections.Immutable;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Analytics;

/// <summary>What the numbers say: the five reports, and four questions that are answered from live rows.</summary>
internal static class AnalyticsEndpoints
{
    private const string Tag = "analytics";

    private static readonly ImmutableArray<Field> SummaryFields =
    [
        Long("totalClients"), Long("newClientsThisMonth"), Long("activeLeads"), Long("customers"),
        Long("openDeals"), AnalyticsReports.Sum("pipelineValue"), AnalyticsReports.Sum("weightedPipelineValue").About("Each open deal by its probability."),
        Long("wonDealsThisMonth"), AnalyticsReports.Sum("wonValueThisMonth"), AnalyticsReports.Sum("winRate").Nullable().About("Of a hundred closed deals; null where none is closed."),
        Long("totalOrders"), AnalyticsReports.Sum("totalRevenue"), AnalyticsReports.Sum("revenueThisMonth"), AnalyticsReports.Sum("averageOrderValue"),
        Long("pendingActivities"), Long("overdueActivities"),
        Timestamp("refreshedAt").About("When the reports were last refreshed; the numbers here are of this moment."),
        new("outdatedReports", new TextListType(AnalyticsReports.All.Length, new TextType(50, Example: "deals"))) { Description = "Reports that could not be refreshed then: something in the organization's rows breaks them. They say what they said before." },
    ];

    private static readonly string Summary = $"""
        SELECT s.*, (SELECT refreshed_at FROM analytics_refreshes),
            ARRAY(SELECT n.path FROM analytics_failures f JOIN (VALUES {string.Join(", ", AnalyticsReports.All.Select(report => $"('{report.Table}', '{report.Path}')"))}) n (view, path) ON n.view = 'analytics_' || f.report
                WHERE f.organization_id = $1 ORDER BY n.path)
        FROM get_crm_dashboard_summary($1) s
        """;

    private static readonly ImmutableArray<Field> StageFields =
    [
        Text("stage", 50), Integer("stageOrder"), Long("clientCount").About("Who stands there."), Long("reachedCount").About("Who has come at least so far."),
        AnalyticsReports.Sum("conversionRate").Nullable().About("Of a hundred who reached the stage before, how many came here; null for who left."), AnalyticsReports.Sum("totalRevenue"),
    ];

    private static readonly ImmutableArray<Field> WinRateFields = [AnalyticsReports.Sum("winRate").Nullable().About("Of a hundred closed deals; null where none was closed."), Long("won"), Long("lost")];

    private static readonly ImmutableArray<Field> LifetimeFields = [AnalyticsReports.Sum("lifetimeValue"), Integer("totalOrders"), AnalyticsReports.Sum("averageOrderValue")];

    public static void MapAnalytics(IEndpointRouteBuilder routes)
    {
        foreach (var report in AnalyticsReports.All)
        {
            report.Map(routes);
        }
        routes.MapOperation("GET", "/v1/analytics/summary", Question("getAnalyticsSummary", "How the organization stands", SummaryFields), request => One(
            request, SummaryFields, Summary, request.Caller.OrganizationId));
        routes.MapOperation("GET", "/v1/analytics/conversion-funnel", Question("getConversionFunnel", "How many clients came how far", [List("stages", new ObjectType(new Shape(StageFields)), StageFields.Length)]), Funnel);
        routes.MapOperation("GET", "/v1/analytics/win-rate", Question("getWinRate", "How many of a hundred closed deals were won", WinRateFields) with
        {
            Query = [new("from", new DateType(), "Only deals closed on this day or later."), new("to", new DateType(), "Only deals closed on this day or before.")],
        }, WinRate);
        routes.MapOperation("GET", "/v1/clients/{id}/lifetime-value", Question("getClientLifetimeValue", "What a client has brought in", LifetimeFields), LifetimeValue);
    }

    private static Operation Question(string id, string summary, ImmutableArray<Field> answer) => new() { Id = id, Tag = Tag, Summary = summary, Role = Role.Viewer, Answer = new Shape(answer) };

    private static async Task<IResult> Funnel(OperationRequest request)
    {
        await using var row = await Ask(request, "SELECT stage, stage_order, client_count, reached_count, conversion_rate, total_revenue FROM get_conversion_funnel($1)", request.Caller.OrganizationId);
        var stages = new List<ReadOnlyMemory<byte>>();
        while (await row.ReadAsync(request.Cancelled))
        {
            stages.Add(JsonAnswer.Write(json => FieldRows.Write(json, StageFields, row)));
        }
        return JsonAnswer.Of(json =>
        {
            json.WriteStartArray("stages");
            foreach (var stage in stages)
            {
                json.WriteRawValue(stage.Span, skipInputValidation: true);
            }
            json.WriteEndArray();
        });
    }

    private static Task<IResult> WinRate(OperationRequest request)
    {
        NpgsqlParameter Day(string name) => new() { Value = request.Query.TryGetValue(name, out var given) ? given[0] : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Date };
        return One(
            request, WinRateFields,
            """
            SELECT calculate_win_rate($1, $2, $3), count(*) FILTER (WHERE d.stage = 'closed_won'), count(*) FILTER (WHERE d.stage = 'closed_lost')
            FROM deals d
            WHERE d.organization_id = $1 AND d.actual_close_date IS NOT NULL
                AND d.actual_close_date >= coalesce($2, '1900-01-01') AND d.actual_close_date <= coalesce($3, '2200-12-31')
            """,
            request.Caller.OrganizationId, Day("from"), Day("to"));
    }

    private static async Task<IResult> LifetimeValue(OperationRequest request) => request.PathId() is { } client
        ? await One(
            request, LifetimeFields, "SELECT calculate_client_ltv(c.id), c.total_orders, c.average_order_value FROM clients c WHERE c.organization_id = $1 AND c.id = $2",
            request.Caller.OrganizationId, client)
        : Problem.NotFound();

    private static async Task<IResult> One(OperationRequest request, ImmutableArray<Field> fields, string sql, params object?[] values)
    {
        await using var row = await Ask(request, sql, values);
        return await row.ReadAsync(request.Cancelled) ? JsonAnswer.Of(json => FieldRows.WriteMembers(json, fields, row)) : Problem.NotFound();
    }

    private static Task<NpgsqlDataReader> Ask(OperationRequest request, string sql, params object?[] values) =>
        TenantSession.ReadAsync(request.Service<ApiDataSource>(), request.Caller.Tenant, sql, request.Cancelled, values);
}
