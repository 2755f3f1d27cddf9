using AgentPlatform.Api.Auth;
using AgentPlatform.Data.Connections;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Silo.Demo;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Api.Tests.Demo;

/// <summary>The demo has all that a tour operator's has: each kind of thing, in its numbers and differences.</summary>
public sealed class DemoSeedTests(DemoSeedTests.LoadedDemo demo) : IClassFixture<DemoSeedTests.LoadedDemo>
{
    [Fact]
    public async Task Its_organization_is_Soul_KG() => Assert.Equal("Soul KG", await demo.Read("select string_agg(name, ',') from organizations"));

    [Fact]
    public async Task It_has_one_admin() =>
        Assert.Equal("owner", await demo.Read("select string_agg(role, ',') from organization_members where role in ('admin', 'owner') and status = 'active'"));

    [Fact]
    public async Task Nobody_in_it_looks_after_the_installation() => Assert.Equal(0, await demo.Count("users where is_super_admin"));

    [Fact]
    public async Task It_has_one_or_two_sales_managers() => Assert.InRange(await demo.Count("organization_members where role = 'manager'"), 1, 2);

    [Fact]
    public async Task Its_clients_differ_in_status_language_and_culture()
    {
        Assert.InRange(await demo.Count("clients"), 10, 20);
        Assert.Equal("8", await demo.Read("select count(distinct status)::text from clients"));
        Assert.Equal("ar,de,en,es,fr,pl,ru", await demo.Read("select string_agg(distinct preferred_language, ',') from clients"));
        Assert.Equal(await demo.Count("clients"), await demo.Count("clients where cultural_context is not null and cultural_context <> '{}'"));
        Assert.True(await demo.Count("(select distinct cultural_context from clients) different") > 5);
    }

    [Fact]
    public async Task Its_products_differ_in_type_price_and_length()
    {
        Assert.InRange(await demo.Count("products"), 5, 10);
        Assert.Equal("3", await demo.Read("select count(*)::text from products where name in ('Weekend Getaway', 'Exploration & Connection', 'Private Escape')"));
        Assert.Equal("package,service,tour", await demo.Read("select string_agg(distinct type, ',') from products"));
        Assert.True(await demo.Count("(select distinct price from products) different") > 3);
        Assert.True(await demo.Count("(select distinct duration from products) different") > 3);
    }

    [Fact]
    public async Task Its_tours_are_over_under_way_and_to_come()
    {
        Assert.InRange(await demo.Count("tours"), 10, 15);
        Assert.Equal("available,completed,full", await demo.Read("select string_agg(distinct status, ',') from tours"));
        Assert.True(await demo.Count("tours where end_date < now()") > 0);
        Assert.True(await demo.Count("tours where start_date <= now() and end_date >= now()") > 0);
        Assert.True(await demo.Count("tours where start_date > now()") > 0);
    }

    [Fact]
    public async Task Its_partners_can_be_reached_in_every_way()
    {
        Assert.InRange(await demo.Count("partners"), 2, 3);
        Assert.Equal(0, await demo.Count("partners where num_nulls(contact_whatsapp, contact_telegram, contact_email) > 0"));
    }

    [Fact]
    public async Task Its_history_is_in_several_languages()
    {
        Assert.Equal("ar,de,en,es,fr,pl,ru", await demo.Read("select string_agg(distinct language, ',') from messages where direction = 'inbound'"));
        Assert.Equal(0, await demo.Count("conversations c where (select count(*) from messages m where m.conversation_id = c.id) < 2"));
    }

    [Fact]
    public async Task Its_deals_stand_at_every_stage_and_came_there_step_by_step()
    {
        Assert.Equal("6", await demo.Read("select count(distinct stage)::text from deals"));
        Assert.Equal(0, await demo.Count("deals d where d.stage <> (select h.to_stage from deal_stage_history h where h.deal_id = d.id order by h.created_at desc limit 1)"));
        Assert.Equal(0, await demo.Count("deals d where d.stage_changed_at > now() or d.created_at <> (select min(h.created_at) from deal_stage_history h where h.deal_id = d.id)"));
        Assert.Equal(0, await demo.Count("deals d where d.actual_close_date is null and d.expected_close_date <= now()"));
    }

    [Fact]
    public async Task Its_orders_are_what_its_clients_brought_in()
    {
        Assert.Equal("cancelled,delivered,pending,processing,refunded", await demo.Read("select string_agg(distinct status, ',') from orders"));
        Assert.Equal(0, await demo.Count("clients c where c.total_revenue <> calculate_client_ltv(c.id)"));
        Assert.Equal("2410.000", await demo.Read("select total_revenue::text from clients where first_name = 'James'"));
        Assert.True(await demo.Count("analytics_revenue_metrics") > 5);
    }

    [Fact]
    public async Task Somebody_has_something_to_do_and_is_late()
    {
        Assert.Equal("cancelled,completed,pending", await demo.Read("select string_agg(distinct status, ',') from activities"));
        Assert.Equal(1, await demo.Count("activities where status = 'pending' and due_date < now()"));
        Assert.True(await demo.Count("notes where is_pinned") > 0);
        Assert.Equal(0, await demo.Count("tags where category is null and name in ('agency', 'ski')"));
    }

    /// <summary>A database into which the demo was loaded.</summary>
    public sealed class LoadedDemo : IAsyncLifetime
    {
        private TestDatabase _database = null!;

        public async Task InitializeAsync()
        {
            _database = await TestDatabase.CreateAsync();
            await using var engine = new EngineDataSource(_database.DataOptions);
            using var passwords = new Passwords();
            var options = new DemoOptions { IsWanted = true, AdminEmail = "admin@soul.example", AdminPassword = "secret" };
            Assert.True(await new DemoData(engine, options, passwords, TimeProvider.System, NullLogger<DemoData>.Instance).EnsureLoaded(CancellationToken.None));
        }

        public async Task DisposeAsync() => await _database.DisposeAsync();

        public Task<string?> Read(string sql) => _database.ScalarAsAdminAsync<string>(sql);

        public Task<long> Count(string source) => _database.ScalarAsAdminAsync<long>($"select count(*) from {source}");
    }
}
