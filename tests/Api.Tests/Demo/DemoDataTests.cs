using AgentPlatform.Api.Auth;
using AgentPlatform.Api.WebChat;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Silo.Demo;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Api.Tests.Demo;

public sealed class DemoDataTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private EngineDataSource _engine = null!;
    private readonly Passwords _passwords = new();

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _engine = new EngineDataSource(_database.DataOptions);
    }

    public async Task DisposeAsync()
    {
        _passwords.Dispose();
        await _engine.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task It_holds_what_a_newcomer_should_see()
    {
        Assert.True(await Load());

        Assert.Equal("manager,manager,owner", await Read("select string_agg(role, ',' order by role) from organization_members"));
        Assert.Equal("ar,de,en,es,fr,pl,ru", await Read("select string_agg(distinct preferred_language, ',') from clients"));
        Assert.Equal("closed,negotiation,new_lead,proposal_sent,qualified,service,sold,warmed", await Read("select string_agg(distinct status, ',') from clients"));
        Assert.InRange(await Count("clients"), 10, 20);
        Assert.InRange(await Count("products"), 5, 10);
        Assert.InRange(await Count("tours"), 10, 15);
        Assert.InRange(await Count("partners"), 2, 3);
        Assert.Equal("available,completed,full", await Read("select string_agg(distinct status, ',') from tours"));
        Assert.Equal("7", await Read("select count(distinct language)::text from knowledge_articles"));
        Assert.Equal("7", await Read("select count(distinct language)::text from messages where direction = 'inbound'"));
        Assert.Equal("1", await Read($"select count(*)::text from channels where id = '{DemoIds.WebChannel}' and platform = 'web' and is_active and agent_id = '{DemoIds.Agent}'"));
        Assert.Equal("true", await Read($"select (status = 'active' and persona_id is not null)::text from agents where id = '{DemoIds.Agent}'"));
    }

    [Fact]
    public async Task Its_subscription_is_in_force_with_paid_invoices_and_a_quarter_of_usage()
    {
        await Load();

        Assert.Equal("enterprise,scale,starter", await Read("select string_agg(code, ',' order by code) from pricing_plans"));
        Assert.Equal("scale active", await Read("select plan || ' ' || status from subscription_usage where stop_reason is null and takes_new_conversations and token_used < token_quota"));
        Assert.Equal("3 paid", await Read("select count(*) || ' ' || min(status) from billing_invoices where amount = 99 and paid_at <= now()"));
        Assert.Equal("0", await Read("select count(*)::text from advance_subscriptions(now(), 100)"));
        Assert.Equal(90, await Count("usage_daily where tokens_consumed > 0 and conversations <= interactions and usage_date < current_date"));
    }

    [Fact]
    public async Task Its_conversations_look_as_if_the_engine_had_written_them()
    {
        await Load();

        Assert.Equal("0", await Read("""
            select count(*)::text from conversations c where c.last_sequence <> (select max(m.sequence) from messages m where m.conversation_id = c.id)
                or c.last_sequence <> (select count(*) from messages m where m.conversation_id = c.id)
                or c.last_inbound_at is distinct from (select max(m.sent_at) from messages m where m.conversation_id = c.id and m.direction = 'inbound')
            """));
        Assert.Equal("0", await Read("""
            select count(*)::text from contacts k join conversations c on c.contact_id = k.id
            where k.unread_count <> (select count(*) from messages m where m.conversation_id = c.id and m.direction = 'inbound' and not m.is_read_by_agent)
                or not exists (select from contact_identities i where i.contact_id = k.id and i.identity = k.platform_user_id)
                or (select l.contact_id from clients l where l.id = k.client_id) is distinct from k.id
            """));
        Assert.Equal("0", await Read("select count(*)::text from messages where sent_at > now() or status in ('pending', 'sending')"));
        Assert.Equal("0", await Read("select count(*)::text from clients l where l.status <> (select h.new_status from client_status_history h where h.client_id = l.id order by h.created_at desc limit 1)"));
        Assert.Equal("0", await Read("select count(*)::text from tours t join products p on p.id = t.product_id where t.status = 'completed' and t.end_date > now() or t.status = 'available' and t.start_date < now()"));
        Assert.Equal("0", await Read("""
            select count(*)::text from tours t
            where t.current_participants <> (select coalesce(sum(b.participants), 0) from client_tours b where b.tour_id = t.id and b.status in ('booked', 'confirmed'))
            """));
        Assert.Equal("0", await Read("select count(*)::text from (select product_id, start_date from tours group by 1, 2 having count(*) > 1) twice"));
    }

    [Fact]
    public async Task It_loads_once_and_takes_a_new_sign_in_over()
    {
        Assert.All(await Task.WhenAll(Load(), Load(), Load()), Assert.True);
        Assert.Equal("1", await Read("select count(*)::text from organizations"));

        Assert.True(await Load("owner@example.com", "another"));

        var hash = await Read("select password_hash from users where email = 'owner@example.com'");
        Assert.Equal(PasswordOutcome.Right, (await _passwords.Check("network", hash, "another", CancellationToken.None)).Outcome);
        Assert.Equal("3", await Read("select count(*)::text from users"));
    }

    [Fact]
    public async Task It_leaves_a_database_alone_that_is_in_use()
    {
        await _database.ExecuteAsAdminAsync("insert into organizations (id, name, slug) values (gen_random_uuid(), 'Ours', 'ours')");

        Assert.False(await Load());
        Assert.Equal(0, await Count("users"));
    }

    [Fact]
    public void The_start_page_links_to_its_web_channel() => Assert.Equal(DemoIds.WebChannel, WebChatOptions.DemoChannelId);

    [Fact]
    public void It_needs_a_password()
    {
        var failure = Assert.Throws<SettingException>(() => DemoOptions.From(new ConfigurationBuilder().Build(), ["--demo"]));

        Assert.Contains("DEMO_ADMIN_PASSWORD", failure.Message, StringComparison.Ordinal);
        Assert.False(DemoOptions.From(new ConfigurationBuilder().Build(), []).IsWanted);
    }

    private Task<bool> Load(string email = "admin@soul.example", string password = "secret") =>
        new DemoData(_engine, new DemoOptions { IsWanted = true, AdminEmail = email, AdminPassword = password }, _passwords, TimeProvider.System, NullLogger<DemoData>.Instance)
            .EnsureLoaded(CancellationToken.None);

    private Task<string?> Read(string sql) => _database.ScalarAsAdminAsync<string>(sql);

    private async Task<long> Count(string table) => await _database.ScalarAsAdminAsync<long>($"select count(*) from {table}");
}
