using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Analytics;

/// <summary>A list of numbers by period: one of the analytics tables, of which the caller's organization sees its rows.</summary>
/// <param name="Path">Last part of the path.</param>
/// <param name="Singular">One line of it, for the schema's name.</param>
/// <param name="Summary">What it says, for people.</param>
/// <param name="Table">The table, whose rows the engine brings up to date.</param>
/// <param name="Period">The field of the period.</param>
/// <param name="Keys">The other columns that tell one line from another.</param>
/// <param name="Fields">What a line says.</param>
internal sealed record AnalyticsReport(string Path, string Singular, string Summary, string Table, Field Period, ImmutableArray<string> Keys, ImmutableArray<Field> Fields)
{
    private const string Sort = "period";

    private ImmutableArray<Field> All => [Period, .. Fields];

    /// <summary>One text for each column of the key: their order is the order of the lines, and null comes first.</summary>
    private string Position => $"ARRAY[to_char(t.{Period.Column} AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS'){string.Concat(Keys.Select(key => $", coalesce('=' || t.{key}, '')"))}] COLLATE \"C\"";

    public void Map(IEndpointRouteBuilder routes) => routes.MapOperation("GET", $"/v1/analytics/{Path}", new()
    {
        Id = $"list{Singular}Metrics",
        Tag = "analytics",
        Summary = Summary,
        Description = "Refreshed on a schedule; `GET /v1/analytics/summary` says when it last was. Periods begin at midnight where the organization is.",
        Role = Role.Viewer,
        Query =
        [
            new("from", new TimestampType(), "Only periods that begin at or after this."),
            new("to", new TimestampType(), "Only periods that begin before this."),
            new("limit", new IntegerType(1, ApiOptions.MaxPageSize), $"Page size. Default {ApiOptions.DefaultPageSize}."),
            new("cursor", new TextType(PageCursor.MaxLength, 1, Example: "cursor"), "`nextCursor` of the page before."),
        ],
        Answer = new Shape(All),
        AnswerName = $"{Singular}Metrics",
        AnswersPage = true,
    }, List);

    private async Task<IResult> List(OperationRequest request)
    {
        var query = new ListQuery(request.Caller.OrganizationId);
        foreach (var (parameter, comparison) in new[] { ("from", ">="), ("to", "<") })
        {
            if (request.Has(parameter))
            {
                query.Where($"t.{Period.Column} {comparison} {query.Add(Period.Type.Parameter(request.Query[parameter][0]))}");
            }
        }
        if (request.Parameter<string>("cursor") is { } text)
        {
            if (ReadCursor(text) is not { } last)
            {
                return Problem.Invalid("cursor", "cursor is not one that this list gave.");
            }
            query.Where($"{Position} > {query.Add(last)}");
        }
        var limit = request.Has("limit") ? request.Parameter<int>("limit") : ApiOptions.DefaultPageSize;
        var lines = new List<(ReadOnlyMemory<byte> Json, string[] Position)>();
        await using var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant,
            $"SELECT {string.Join(", ", All.Select(field => $"t.{field.Column}"))}, {Position} FROM {Table} t WHERE t.organization_id = $1{query.Conditions} ORDER BY {Position} LIMIT {query.Add(limit + 1)}",
            request.Cancelled, query.Values);
        while (await row.ReadAsync(request.Cancelled))
        {
            lines.Add((JsonAnswer.Write(json => FieldRows.Write(json, All, row)), row.GetFieldValue<string[]>(All.Length)));
        }
        var next = lines.Count > limit ? new PageCursor(Sort, JsonSerializer.Serialize(lines[limit - 1].Position), Guid.Empty).ToString() : null;
        return Page.Of(lines.Take(limit).Select(line => line.Json), next);
    }

    private string[]? ReadCursor(string text)
    {
        if (PageCursor.Parse(text) is not { Sort: Sort, Value: { } position })
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize<string[]>(position) is { } keys && keys.Length == Keys.Length + 1 && keys.All(key => key is not null && !key.Contains('\0', StringComparison.Ordinal)) ? keys : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
