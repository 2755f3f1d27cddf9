using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Billing;

public sealed class BillingTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task Plans_are_read_by_all_and_written_by_super_admins()
    {
        var organization = await app.NewOrganization();
        var root = await SuperAdmin();
        var code = Code();
        await (await organization.Owner.PostAsJsonAsync("/v1/pricing-plans", Plan(code))).Problem(ProblemType.Forbidden);
        var plan = await (await root.PostAsJsonAsync("/v1/pricing-plans", Plan(code, tokenQuota: 1000))).Json(HttpStatusCode.Created);
        var path = $"/v1/pricing-plans/{plan.Id()}";
        var viewer = await organization.Member(Role.Viewer);
        Assert.Equal(1000, (await (await viewer.GetAsync(path)).Json())["tokenQuota"]!.GetValue<long>());
        Assert.Equal(code, Assert.Single((await (await viewer.GetAsync($"/v1/pricing-plans?code={code}")).Json()).Items()).Text("code"));
        await (await organization.Owner.Patch(path, new { name = "Mine" }, "*")).Problem(ProblemType.Forbidden);
        await (await organization.Owner.DeleteAsync(path)).Problem(ProblemType.Forbidden);
        Assert.Equal("Larger", (await (await root.Patch(path, new { name = "Larger" }, "\"1\"")).Json()).Text("name"));
        await (await root.PostAsJsonAsync("/v1/pricing-plans", Plan(code))).Problem(ProblemType.Conflict);
        Assert.Equal(HttpStatusCode.NoContent, (await root.DeleteAsync(path)).StatusCode);
    }

    [Fact]
    public async Task Admins_choose_among_the_plans_that_are_offered()
    {
        var organization = await app.NewOrganization();
        var (small, large, secret) = (await NewPlan(tokenQuota: 10), await NewPlan(), await NewPlan(isPublic: false));
        await (await organization.Owner.GetAsync("/v1/subscription")).Problem(ProblemType.NotFound);
        Assert.Equal(["/plan"], (await (await organization.Owner.PostAsJsonAsync("/v1/subscription", new { plan = secret })).Problem(ProblemType.Validation)).Fields());
        var made = await organization.Owner.PostAsJsonAsync("/v1/subscription", new { plan = small });
        var subscription = await made.Json(HttpStatusCode.Created);
        Assert.Equal("/v1/subscription", made.Headers.Location?.ToString());
        Assert.Equal(("trialing", small, organization.Id), (subscription.Text("status"), subscription.Text("plan"), subscription.Id()));
        await (await organization.Owner.PostAsJsonAsync("/v1/subscription", new { plan = large })).Problem(ProblemType.Conflict);

        await (await (await organization.Member(Role.Manager)).GetAsync("/v1/subscription")).Problem(ProblemType.Forbidden);
        await (await organization.Owner.Patch("/v1/subscription", new { status = "active" }, "*")).Problem(ProblemType.Validation);
        Assert.Equal(["/limitMessage"], (await (await organization.Owner.Patch("/v1/subscription", new { limitResponse = "message" }, "*")).Problem(ProblemType.Validation)).Fields());
        var changed = await (await (await organization.Member(Role.Admin)).Patch("/v1/subscription", new { plan = large, limitResponse = "message", limitMessage = "Later." }, "\"1\"")).Json();
        Assert.Equal((large, "message"), (changed.Text("plan"), changed.Text("limitResponse")));
        Assert.Equal("subscription.updated", (await (await organization.Owner.GetAsync("/v1/activity-logs?entityType=subscription")).Json()).Items()[0].Text("actionType"));
    }

    [Fact]
    public async Task A_super_admin_changes_the_subscription_of_any_organization_and_nobody_else_does()
    {
        var (mine, other) = (await app.NewOrganization(), await app.NewOrganization());
        var root = await SuperAdmin();
        var path = $"/v1/organizations/{other.Id}/subscription";
        await (await other.Owner.GetAsync(path)).Problem(ProblemType.Forbidden);
        await (await root.GetAsync($"/v1/organizations/{Guid.NewGuid()}/subscription")).Problem(ProblemType.NotFound);
        await (await root.PostAsJsonAsync(path, new { plan = await NewPlan(isPublic: false), status = "active", tokenQuota = 5000 })).Json(HttpStatusCode.Created);
        Assert.Equal(5000, (await (await other.Owner.GetAsync("/v1/subscription")).Json())["tokenQuota"]!.GetValue<long>());
        await (await mine.Owner.GetAsync("/v1/subscription")).Problem(ProblemType.NotFound);

        var late = await (await root.Patch(path, new { status = "past_due" }, "\"1\"")).Json();
        Assert.NotNull(late["graceEndsAt"]);
        var ended = await (await root.Patch(path, new { status = "canceled" }, "*")).Json();
        Assert.Null(ended["graceEndsAt"]);
        await (await other.Owner.Patch("/v1/subscription", new { cancelAtPeriodEnd = false }, "*")).Problem(ProblemType.Conflict);
        var state = await (await other.Owner.GetAsync("/v1/usage")).Json();
        Assert.Equal((false, "canceled"), (state["mayRun"]!.GetValue<bool>(), state.Text("stopReason")));
        var again = await (await root.Patch(path, new { status = "active" }, "*")).Json();
        Assert.Null(again["canceledAt"]);
        Assert.True((await (await other.Owner.GetAsync("/v1/usage")).Json())["mayRun"]!.GetValue<bool>());
    }

    [Fact]
    public async Task An_invoice_that_failed_makes_the_subscription_past_due_and_one_that_is_paid_makes_it_active_again()
    {
        var organization = await app.NewOrganization();
        var root = await SuperAdmin();
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/subscription", new { plan = await NewPlan(price: 99), status = "active" })).Json(HttpStatusCode.Created);
        var invoice = Assert.Single((await (await organization.Owner.GetAsync("/v1/billing-invoices?status=pending")).Json()).Items());
        Assert.Equal(99m, invoice["amount"]!.GetValue<decimal>());
        var path = $"/v1/organizations/{organization.Id}/billing-invoices/{invoice.Id()}/settle";
        await (await organization.Owner.PostAsJsonAsync(path, new { status = "paid" })).Problem(ProblemType.Forbidden);

        Assert.Equal("failed", (await (await root.PostAsJsonAsync(path, new { status = "failed" })).Json()).Text("status"));
        Assert.Equal("past_due", (await (await organization.Owner.GetAsync("/v1/subscription")).Json()).Text("status"));
        Assert.Equal("past_due", Assert.Single((await (await organization.Owner.GetAsync("/v1/usage-alerts")).Json()).Items()).Text("level"));
        var paid = await (await root.PostAsJsonAsync(path, new { status = "paid" })).Json();
        Assert.NotNull(paid["paidAt"]);
        Assert.Equal("active", (await (await organization.Owner.GetAsync("/v1/subscription")).Json()).Text("status"));
        Assert.Equal(["billingInvoice.failed", "billingInvoice.paid"], (await (await organization.Owner.GetAsync("/v1/activity-logs?entityType=billingInvoice")).Json()).Items().Select(row => row.Text("actionType")).Order());
        await (await root.PostAsJsonAsync($"/v1/organizations/{(await app.NewOrganization()).Id}/billing-invoices/{invoice.Id()}/settle", new { status = "paid" })).Problem(ProblemType.NotFound);
    }

    [Fact]
    public async Task Usage_is_told_by_day_by_month_and_by_what_used_it()
    {
        var organization = await app.NewOrganization();
        var agent = (await organization.Create("agents", new { name = "Guide" })).Id();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001", "Hello");
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        await organization.Execute("INSERT INTO usage_daily (organization_id, usage_date, conversations, messages, tokens_consumed, agent_responses, interactions) VALUES ($1, $2, 1, 2, 42, 1, 1)", organization.Id, today);
        await organization.Execute("INSERT INTO usage_daily (organization_id, usage_date, conversations, tokens_consumed) VALUES ($1, $2, 3, 100)", organization.Id, today.AddMonths(-1));
        await organization.Execute(
            """
            INSERT INTO turns (id, organization_id, conversation_id, agent_id, state, epoch, first_sequence, last_sequence, due_at, finished_at, provider, model, input_tokens, output_tokens, cost)
            VALUES (gen_random_uuid(), $1, $2, $3, 'completed', 0, 1, 1, now(), now(), 'openai', 'gpt', 30, 12, 0.5)
            """, organization.Id, conversation.Id, agent);
        var stranger = await app.NewOrganization();

        var day = Assert.Single((await (await organization.Owner.GetAsync($"/v1/usage/daily?from={today:yyyy-MM-dd}&to={today:yyyy-MM-dd}")).Json()).Items());
        Assert.Equal(($"{today:yyyy-MM-dd}", 42L, 1), (day.Text("date"), day["tokens"]!.GetValue<long>(), day["conversations"]!.GetValue<int>()));
        var months = (await (await organization.Owner.GetAsync("/v1/usage/monthly?months=2")).Json()).Items();
        Assert.Equal([42L, 100L], months.Select(month => month["tokens"]!.GetValue<long>()));
        Assert.Single((await (await organization.Owner.GetAsync("/v1/usage/monthly?months=1")).Json()).Items());
        foreach (var (by, key) in new[] { ("agent", agent.ToString()), ("channel", conversation.ChannelId.ToString()), ("model", "openai/gpt") })
        {
            var row = Assert.Single((await (await organization.Owner.GetAsync($"/v1/usage/breakdown?by={by}")).Json()).Items());
            Assert.Equal((key, 30L, 12L, 0.5m), (row.Text("key"), row["inputTokens"]!.GetValue<long>(), row["outputTokens"]!.GetValue<long>(), row["cost"]!.GetValue<decimal>()));
            Assert.Empty((await (await stranger.Owner.GetAsync($"/v1/usage/breakdown?by={by}")).Json()).Items());
        }
        Assert.Equal(42, (await (await organization.Owner.GetAsync("/v1/usage")).Json())["tokens"]!["used"]!.GetValue<int>());
        Assert.Equal(0, (await (await stranger.Owner.GetAsync("/v1/usage")).Json())["tokens"]!["used"]!.GetValue<int>());
        Assert.Empty((await (await stranger.Owner.GetAsync("/v1/usage/monthly")).Json()).Items());
        Assert.Equal(["to"], (await (await organization.Owner.GetAsync("/v1/usage/daily?from=2020-01-01&to=2026-01-01")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task The_last_place_that_a_plan_allows_is_given_once()
    {
        var organization = await app.NewOrganization();
        await organization.Create("subscription", new { plan = await NewPlan(features: new { maxAgents = 3 }) });
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(number => organization.Owner.PostAsJsonAsync("/v1/agents", new { name = $"Agent {number}" })));
        Assert.Equal(3, answers.Count(answer => answer.StatusCode == HttpStatusCode.Created));
        foreach (var refused in answers.Where(answer => answer.StatusCode != HttpStatusCode.Created))
        {
            Assert.Contains("maxAgents", (await refused.Problem(ProblemType.Conflict)).Text("detail"), StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.Created, (await (await app.NewOrganization()).Owner.PostAsJsonAsync("/v1/agents", new { name = "Elsewhere" })).StatusCode);
    }

    [Fact]
    public async Task What_is_counted_and_billed_can_not_be_written_by_the_role_of_the_API()
    {
        var organization = await app.NewOrganization();
        foreach (var sql in new[]
        {
            "INSERT INTO usage_daily (organization_id, usage_date) VALUES ($1, '2030-01-01')", "UPDATE usage_daily SET tokens_consumed = 0 WHERE organization_id = $1", "SELECT increment_conversation_count($1)",
            "DELETE FROM billing_invoices WHERE organization_id = $1", "DELETE FROM subscriptions WHERE organization_id = $1", "UPDATE usage_alerts SET used = 0 WHERE organization_id = $1",
            "INSERT INTO pricing_plans (code, tier, name) SELECT $1::uuid::text, 'scale', 'Mine'", "SELECT record_usage_alert($1, 'tokens', 'limit', '2030-01-01', 1, 1)",
        })
        {
            await using var session = await AgentPlatform.Data.Tenancy.TenantSession.OpenAsync(
                (AgentPlatform.Data.Connections.ApiDataSource)app.Services.GetService(typeof(AgentPlatform.Data.Connections.ApiDataSource))!, new(organization.Id, organization.OwnerId, "owner"));
            var failure = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => session.ExecuteAsync(sql, CancellationToken.None, organization.Id));
            Assert.Equal(Npgsql.PostgresErrorCodes.InsufficientPrivilege, failure.SqlState);
        }
    }

    private static string Code() => $"plan-{Guid.NewGuid():N}";

    private static object Plan(string code, long? tokenQuota = null, bool isPublic = true, decimal price = 0, object? features = null) =>
        new { code, tier = "scale", name = "Scale", tokenQuota, isPublic, priceMonthly = price, features = features ?? new { } };

    private async Task<string> NewPlan(long? tokenQuota = null, bool isPublic = true, decimal price = 0, object? features = null)
    {
        var code = Code();
        await (await (await SuperAdmin()).PostAsJsonAsync("/v1/pricing-plans", Plan(code, tokenQuota, isPublic, price, features))).Json(HttpStatusCode.Created);
        return code;
    }

    private async Task<HttpClient> SuperAdmin()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Viewer);
        await organization.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", id);
        return await organization.SignIn(email);
    }
}
