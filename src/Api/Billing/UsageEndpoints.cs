using System.Globalization;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Organizations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Billing;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Billing;

/// <summary>What the organization uses: where it stands now, by day, by month, and by agent, channel or model.</summary>
internal static class UsageEndpoints
{
    /// <summary>Longest time that days, or a breakdown, may be asked for.</summary>
    private const int MaxDays = 400;

    private const string Tag = "usage";

    private static readonly Field[] Counts =
    [
        Integer("conversations").About("In which the AI completed a turn; each counts once a calendar month."),
        Integer("messages").About("Taken in and written by turns."),
        Long("tokens").About("Model tokens, in and out."),
        Integer("agentResponses").About("Messages that the AI wrote."),
        Integer("interactions").About("Turns that ended."),
        Integer("errors").About("Turns that ended with an error."),
    ];

    private static readonly QueryParameter[] Range =
    [
        new("from", new DateType(), "First day (UTC). Default: the first of this month."),
        new("to", new DateType(), $"Last day (UTC), at most {MaxDays} days after the first. Default: today."),
    ];

    private static readonly Operation StateOperation = new()
    {
        Id = "getUsage",
        Tag = Tag,
        Role = Role.Viewer,
        Summary = "Where the organization stands",
        Description = "What the subscription allows, what is used of it, and whether the AI may answer. Without a subscription nothing is limited, and tokens are those of the calendar month.",
        Answer = new(
            Text("plan", 100).Nullable(), Text("planName", 200).Nullable(), Text("status", 100).Nullable().About("Of the subscription."),
            Flag("mayRun").About("The AI may answer."), Text("stopReason", 100).Nullable().About("`token_quota`, the subscription's status, or `suspended`; null while the AI may answer."),
            Flag("takesNewConversations").About("False: conversations that are not counted yet in this month wait for people."),
            Timestamp("graceEndsAt").Nullable(),
            Integer("warnPercent").Nullable(), Integer("stopPercent").Nullable(),
            Object("tokens", Long("used"), Long("limit").Nullable(), Number("percent", 0, decimal.MaxValue, 2).Nullable(), Timestamp("from"), Timestamp("to")),
            Object("conversations", Long("used"), Long("limit").Nullable(), Number("percent", 0, decimal.MaxValue, 2).Nullable(), Timestamp("from"), Timestamp("to"))),
        AnswerName = "Usage",
    };

    private static readonly Operation DailyOperation = new()
    {
        Id = "listDailyUsage",
        Tag = Tag,
        Role = Role.Viewer,
        Summary = "Usage by day",
        Description = "Days on which something was used, oldest first.",
        Query = [.. Range],
        Answer = new([Date("date"), .. Counts]),
        AnswerName = "DailyUsage",
        AnswersPage = true,
    };

    private static readonly Operation MonthlyOperation = new()
    {
        Id = "listMonthlyUsage",
        Tag = Tag,
        Role = Role.Viewer,
        Summary = "Usage by calendar month",
        Description = "Months in which something was used, newest first.",
        Query = [new("months", new IntegerType(1, 120), "How many months back, this one included. Default 12.")],
        Answer = new([Date("month").About("Its first day."), .. Counts]),
        AnswerName = "MonthlyUsage",
        AnswersPage = true,
    };

    private static readonly Operation BreakdownOperation = new()
    {
        Id = "listUsageBreakdown",
        Tag = Tag,
        Role = Role.Manager,
        Summary = "Usage by agent, channel or model",
        Description = "Read from the turns that ended in the time. The largest first.",
        Query = [new("by", new ChoiceType("agent", "channel", "model"), "What to tell apart. Default `agent`."), .. Range],
        Answer = new(
            Text("key", 300).Nullable().About("Id of the agent or channel, or provider and model; null where a turn had none."), Text("name", 300).Nullable(),
            Integer("turns"), Integer("conversations"), Long("inputTokens"), Long("outputTokens"), Number("cost", 0, 999_999_999, 6).About("US dollars."), Integer("errors")),
        AnswerName = "UsageBreakdown",
        AnswersPage = true,
    };

    public static void MapUsage(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("GET", "/v1/usage", StateOperation, State);
        routes.MapOperation("GET", "/v1/usage/daily", DailyOperation, request => InRange(request, Daily));
        routes.MapOperation("GET", "/v1/usage/monthly", MonthlyOperation, Monthly);
        routes.MapOperation("GET", "/v1/usage/breakdown", BreakdownOperation, request => InRange(request, Breakdown));
        MapOfAny(routes, "", StateOperation, "getUsageOfOrganization", "Where any organization stands", State);
        MapOfAny(routes, "/daily", DailyOperation, "listDailyUsageOfOrganization", "Usage of any organization by day", request => InRange(request, Daily));
        MapOfAny(routes, "/monthly", MonthlyOperation, "listMonthlyUsageOfOrganization", "Usage of any organization by calendar month", Monthly);
    }

    private static void MapOfAny(IEndpointRouteBuilder routes, string path, Operation own, string id, string summary, Func<OperationRequest, Task<IResult>> run) => routes.MapOperation(
        "GET", $"{AnyOrganization.Path}/{{id}}/usage{path}", AnyOrganization.Operation(own, id, summary), request => AnyOrganization.Run(request, run));

    private static Task<IResult> State(OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var now = request.Service<TimeProvider>().GetUtcNow();
        UsageState? state = null;
        await using (var row = await session.QueryAsync($"SELECT {UsageStore.Columns} FROM usage_state($1, $2)", request.Cancelled, request.Caller.OrganizationId, now))
        {
            state = await row.ReadAsync(request.Cancelled) ? UsageStore.Read(row) : null;
        }
        var month = new DateTimeOffset(now.UtcDateTime.Year, now.UtcDateTime.Month, 1, 0, 0, 0, TimeSpan.Zero);
        var (tokens, conversations) = (state?.TokensUsed ?? 0, (long)(state?.ConversationsUsed ?? 0));
        if (state is null)
        {
            await using var row = await session.QueryAsync(
                "SELECT tokens_used, conversations FROM usage_monthly WHERE organization_id = $1 AND month = $2", request.Cancelled, request.Caller.OrganizationId, DateOnly.FromDateTime(month.UtcDateTime));
            (tokens, conversations) = await row.ReadAsync(request.Cancelled) ? (row.GetInt64(0), row.GetInt32(1)) : (0, 0);
        }
        return JsonAnswer.Of(json =>
        {
            json.WriteString("plan", state?.PlanCode);
            json.WriteString("planName", state?.PlanName);
            json.WriteString("status", state?.Status);
            json.WriteBoolean("mayRun", state?.StopReason is null);
            json.WriteString("stopReason", state?.StopReason);
            json.WriteBoolean("takesNewConversations", state?.TakesNewConversations ?? true);
            Time("graceEndsAt", state?.GraceEndsAt);
            Number("warnPercent", state?.WarnPercent);
            Number("stopPercent", state?.StopPercent);
            Part("tokens", tokens, state?.TokenQuota, state?.PeriodStart ?? month, state?.PeriodEnd ?? month.AddMonths(1));
            Part("conversations", conversations, state?.ConversationLimit, state?.MonthStart ?? month, state?.MonthEnd ?? month.AddMonths(1));

            void Part(string name, long used, long? limit, DateTimeOffset from, DateTimeOffset to)
            {
                json.WriteStartObject(name);
                json.WriteNumber("used", used);
                Number("limit", limit);
                Number("percent", limit is > 0 and var whole ? Math.Round(used * 100m / whole, 2) : null);
                Time("from", from);
                Time("to", to);
                json.WriteEndObject();
            }

            void Number(string name, decimal? value)
            {
                if (value is { } known)
                {
                    json.WriteNumber(name, known);
                }
                else
                {
                    json.WriteNull(name);
                }
            }

            void Time(string name, DateTimeOffset? at) => json.WriteString(name, at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        });
    });

    private static Task<IResult> Daily(OperationRequest request, DateOnly from, DateOnly to) => Rows(
        request,
        """
        SELECT to_char(usage_date, 'YYYY-MM-DD') AS date, conversations, messages, tokens_consumed AS tokens, agent_responses AS "agentResponses", interactions, errors
        FROM usage_daily WHERE organization_id = $1 AND usage_date BETWEEN $2 AND $3 ORDER BY usage_date
        """,
        from, to);

    private static Task<IResult> Monthly(OperationRequest request)
    {
        var now = request.Service<TimeProvider>().GetUtcNow().UtcDateTime;
        var months = request.Has("months") ? request.Parameter<int>("months") : 12;
        return Rows(
            request,
            """
            SELECT to_char(month, 'YYYY-MM-DD') AS month, conversations, messages, tokens_used AS tokens, agent_responses AS "agentResponses", interactions, errors
            FROM usage_monthly WHERE organization_id = $1 AND month >= $2 ORDER BY usage_monthly.month DESC
            """,
            new DateOnly(now.Year, now.Month, 1).AddMonths(1 - months));
    }

    /// <summary>Turns are found by when they began, which has an index; one that ended in the time began at most a day before it.</summary>
    private static Task<IResult> Breakdown(OperationRequest request, DateOnly from, DateOnly to)
    {
        var (key, name, joins) = request.Parameter<string>("by") switch
        {
            "channel" => ("c.channel_id::text", "(SELECT h.name FROM channels h WHERE h.id = c.channel_id)", "JOIN conversations c ON c.id = t.conversation_id"),
            "model" => ("t.provider || '/' || t.model", "t.model", ""),
            _ => ("t.agent_id::text", "(SELECT a.name FROM agents a WHERE a.id = t.agent_id)", ""),
        };
        var group = request.Parameter<string>("by") switch { "channel" => "c.channel_id", "model" => "t.provider, t.model", _ => "t.agent_id" };
        return Rows(
            request,
            $"""
            SELECT {key} AS key, {name} AS name, count(*)::integer AS turns, count(DISTINCT t.conversation_id)::integer AS conversations, sum(t.input_tokens)::bigint AS "inputTokens",
                sum(t.output_tokens)::bigint AS "outputTokens", sum(t.cost) AS cost, count(t.error)::integer AS errors
            FROM turns t {joins}
            WHERE t.organization_id = $1 AND t.created_at >= $2::timestamp AT TIME ZONE 'UTC' - interval '1 day' AND t.created_at < ($3 + 1)::timestamp AT TIME ZONE 'UTC' + interval '1 day'
              AND t.finished_at >= $2::timestamp AT TIME ZONE 'UTC' AND t.finished_at < ($3 + 1)::timestamp AT TIME ZONE 'UTC'
            GROUP BY {group} ORDER BY sum(t.input_tokens::bigint + t.output_tokens) DESC, count(*) DESC, 1 LIMIT {ApiOptions.MaxPageSize}
            """,
            from, to);
    }

    private static Task<IResult> InRange(OperationRequest request, Func<OperationRequest, DateOnly, DateOnly, Task<IResult>> read)
    {
        var today = DateOnly.FromDateTime(request.Service<TimeProvider>().GetUtcNow().UtcDateTime);
        var to = request.Has("to") ? request.Parameter<DateOnly>("to") : today;
        var from = request.Has("from") ? request.Parameter<DateOnly>("from") : new DateOnly(to.Year, to.Month, 1);
        return to < from || to.DayNumber - from.DayNumber > MaxDays
            ? Task.FromResult<IResult>(Problem.Invalid("to", $"to must be on or after from, and at most {MaxDays} days later."))
            : read(request, from, to);
    }

    private static async Task<IResult> Rows(OperationRequest request, string sql, params object[] values)
    {
        await using var rows = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant, $"SELECT to_jsonb(r)::text FROM ({sql}) r", request.Cancelled, [request.Caller.OrganizationId, .. values]);
        var items = new List<ReadOnlyMemory<byte>>();
        while (await rows.ReadAsync(request.Cancelled))
        {
            items.Add(System.Text.Encoding.UTF8.GetBytes(rows.GetString(0)));
        }
        return Page.Of(items, null);
    }
}
