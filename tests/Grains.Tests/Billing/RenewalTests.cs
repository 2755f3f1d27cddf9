using AgentPlatform.Data.Billing;
using AgentPlatform.Data.Connections;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.Time;
using AgentPlatform.Grains.Billing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Grains.Tests.Billing;

/// <summary>A subscription's life on a clock that a test moves.</summary>
public sealed class RenewalTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 1, 31, 10, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _clock = new(Start);
    private TestDatabase _database = null!;
    private EngineDataSource _engine = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _engine = new EngineDataSource(_database.DataOptions);
        await _database.ExecuteAsAdminAsync("""
            INSERT INTO organizations (id, name, slug) VALUES ('00000000-0000-0000-0000-00000000000a', 'Acme', 'acme');
            INSERT INTO pricing_plans (code, tier, name, price_monthly, payment_days, grace_days) VALUES ('scale', 'scale', 'Scale', 99, 10, 5);
            INSERT INTO subscriptions (organization_id, plan_id, status, billing_anchor, current_period_start, current_period_end, renews_at)
            SELECT '00000000-0000-0000-0000-00000000000a', id, 'trialing', '2026-01-31Z', '2026-01-17Z', '2026-01-31Z', '2026-01-31Z' FROM pricing_plans;
            """);
    }

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task A_period_that_ends_is_billed_once_however_many_silos_move_it_on()
    {
        Assert.Equal(1, (await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Advance()))).Sum());
        Assert.Equal("active 2026-01-31 2026-02-28", await State());
        Assert.Equal("2026-01-31 99.000 pending", await Invoices());
        Assert.Equal(0, await Advance());
    }

    [Fact]
    public async Task A_change_of_plan_within_a_period_is_billed_or_credited_with_the_next_invoice_day_by_day()
    {
        await _database.ExecuteAsAdminAsync("""
            INSERT INTO pricing_plans (code, tier, name, price_monthly) VALUES ('large', 'enterprise', 'Large', 199), ('small', 'starter', 'Small', 9);
            INSERT INTO pricing_plans (code, tier, name, price_monthly, currency) VALUES ('euro', 'starter', 'Euro', 500, 'EUR');
            UPDATE subscriptions SET status = 'active', billing_anchor = d.today - interval '10 days', current_period_start = d.today - interval '10 days', current_period_end = d.today + interval '20 days',
                renews_at = d.today + interval '20 days' FROM (SELECT date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS today) d;
            """);
        // 20 of 30 days are left: two thirds of the difference.
        await ChangePlan("large");
        Assert.Equal(66.67m, await Adjustment());
        await ChangePlan("scale");
        Assert.Equal(0m, await Adjustment());
        await ChangePlan("large");
        _clock.Advance(await _database.ScalarAsAdminAsync<DateTime>("SELECT current_period_end FROM subscriptions") - _clock.GetUtcNow().UtcDateTime);
        await Advance();
        Assert.Equal(0, await Advance());
        Assert.Equal("265.670 66.670 pending", await LastInvoice());
        Assert.Equal(0m, await Adjustment());

        // A credit that is more than an invoice goes on to the next one.
        await _database.ExecuteAsAdminAsync("UPDATE subscriptions SET adjustment = -210");
        await NextPeriod();
        Assert.Equal("0.000 -199.000 paid", await LastInvoice());
        Assert.Equal(-11m, await Adjustment());
        await NextPeriod();
        Assert.Equal("188.000 -11.000 pending", await LastInvoice());

        // Neither a trial nor another currency is prorated.
        await ChangePlan("euro");
        Assert.Equal(0m, await Adjustment());
        await _database.ExecuteAsAdminAsync("UPDATE subscriptions SET status = 'trialing', grace_ends_at = NULL");
        await ChangePlan("small");
        Assert.Equal(0m, await Adjustment());

        Task ChangePlan(string code) => _database.ExecuteAsAdminAsync($"UPDATE subscriptions SET plan_id = (SELECT id FROM pricing_plans WHERE code = '{code}')");
        Task<decimal> Adjustment() => _database.ScalarAsAdminAsync<decimal>("SELECT adjustment FROM subscriptions");
        Task<string?> LastInvoice() => _database.ScalarAsAdminAsync<string>("SELECT amount || ' ' || adjustment || ' ' || status FROM billing_invoices ORDER BY period_start DESC LIMIT 1");
        async Task NextPeriod()
        {
            await _database.ExecuteAsAdminAsync("UPDATE billing_invoices SET status = 'paid', paid_at = now(); UPDATE subscriptions SET status = 'active', grace_ends_at = NULL");
            _clock.Advance(await _database.ScalarAsAdminAsync<DateTime>("SELECT current_period_end FROM subscriptions") - _clock.GetUtcNow().UtcDateTime);
            await Advance();
        }
    }

    [Fact]
    public async Task An_invoice_that_nobody_pays_leads_to_past_due_then_to_unpaid_and_paying_leads_back()
    {
        await Advance();
        _clock.Advance(TimeSpan.FromDays(9));
        Assert.Equal(0, await Advance());
        _clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await Advance());
        Assert.Equal("past_due 2026-01-31 2026-02-28", await State());
        Assert.Null(await StopReason());
        _clock.Advance(TimeSpan.FromDays(5));
        // Right at once, whether or not anything has moved it on.
        Assert.Equal("unpaid", await StopReason());
        Assert.Equal(1, await Advance());
        Assert.Equal("unpaid 2026-01-31 2026-02-28", await State());
        Assert.Equal("past_due,unpaid", await _database.ScalarAsAdminAsync<string>("SELECT string_agg(level, ',' ORDER BY created_at) FROM usage_alerts"));

        await using var settle = _engine.CreateCommand("SELECT settle_invoice((SELECT id FROM billing_invoices), 'paid', $1)");
        settle.Parameters.Add(new() { Value = _clock.GetUtcNow() });
        await settle.ExecuteNonQueryAsync();
        Assert.Equal("active 2026-01-31 2026-02-28", await State());
        Assert.Null(await StopReason());
    }

    [Fact]
    public async Task After_a_long_sleep_every_period_is_billed_and_the_31st_comes_back_after_february()
    {
        _clock.Advance(TimeSpan.FromDays(60));
        await Advance();
        Assert.Equal("2026-01-31 99.000 pending,2026-02-28 99.000 pending,2026-03-31 99.000 pending", await Invoices());
    }

    [Fact]
    public async Task A_subscription_that_was_to_end_with_its_period_ends_and_is_not_billed()
    {
        await _database.ExecuteAsAdminAsync("UPDATE subscriptions SET cancel_at_period_end = true");
        Assert.Equal("canceled", await StopReason());
        await Advance();
        Assert.Equal("canceled 2026-01-17 2026-01-31", await State());
        Assert.Null(await Invoices());
    }

    private Task<int> Advance() =>
        new BillingGrain(new UsageStore(_engine), Options.Create(new UsageOptions()), _clock, NullLogger<BillingGrain>.Instance).Advance();

    private async Task<string?> StopReason() =>
        (await new UsageStore(_engine).Read(Guid.Parse("00000000-0000-0000-0000-00000000000a"), _clock.GetUtcNow(), CancellationToken.None))!.StopReason;

    private Task<string?> State() => _database.ScalarAsAdminAsync<string>("SELECT status || ' ' || (current_period_start AT TIME ZONE 'UTC')::date || ' ' || (current_period_end AT TIME ZONE 'UTC')::date FROM subscriptions");

    private Task<string?> Invoices() => _database.ScalarAsAdminAsync<string>("SELECT string_agg((period_start AT TIME ZONE 'UTC')::date || ' ' || amount || ' ' || status, ',' ORDER BY period_start) FROM billing_invoices");
}
