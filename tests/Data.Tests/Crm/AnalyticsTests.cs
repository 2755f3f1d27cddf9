using AgentPlatform.Data.Crm;
using Npgsql;

namespace AgentPlatform.Data.Tests.Crm;

public sealed class AnalyticsTests(CrmDatabase database) : IClassFixture<CrmDatabase>
{
    [Fact]
    public async Task Deals_are_counted_by_stage_owner_and_month()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        async Task Deal(string stage, decimal value, Guid? owner, string began, string? closed) => await tenant.Execute(
            "insert into deals (organization_id, client_id, name, stage, deal_value, owner_id, created_at, actual_close_date, won_reason, lost_reason) values ($1, $2, 'Deal', $3, $4, $5, $6::text::timestamptz, $7::text::date, 'w', 'l')",
            client, stage, value, new NpgsqlParameter { Value = (object?)owner ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid }, began,
            new NpgsqlParameter { Value = (object?)closed ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await Deal("closed_won", 300, tenant.UserId, "2026-02-01", "2026-02-11");
        await Deal("closed_won", 100, tenant.UserId, "2026-02-03", "2026-02-08");
        await Deal("closed_lost", 50, tenant.UserId, "2026-02-03", "2026-02-04");
        await Deal("proposal", 40, null, "2026-02-03", null);
        await Deal("proposal", 60, null, "2026-02-20", null);
        await Deal("proposal", 70, null, "2026-03-01", null);
        await Refresh();
        Assert.Equal(
            [
                "closed_lost|true|1|50.000|50.000|0|50.000|0.00|1.00|2026-02-01",
                "closed_won|true|2|400.000|200.000|400.000|0|100.00|7.50|2026-02-01",
                "proposal|false|2|100.000|50.000|0|0|50.00|-|2026-02-01",
                "proposal|false|1|70.000|70.000|0|0|50.00|-|2026-03-01",
            ],
            await Rows(tenant, $"stage, owner_id is not distinct from '{tenant.UserId}', deal_count, total_value, avg_deal_size, won_value, lost_value, avg_probability, avg_deal_cycle_days, period_month::date", "analytics_deal_metrics", "stage, period_month"));
    }

    [Fact]
    public async Task Clients_are_counted_by_where_they_stand_and_come_from()
    {
        var tenant = await database.NewOrganization();
        await tenant.Execute(
            """
            insert into clients (organization_id, lifecycle_stage, client_type, source, lead_score, created_at) values
                ($1, 'customer', 'customer', 'web', 10, '2026-02-01'), ($1, 'customer', 'customer', 'web', 20, '2026-02-28'), ($1, 'lead', 'lead', null, 5, '2026-02-01')
            """);
        var client = await tenant.Scalar<Guid>("select id from clients where organization_id = $1 and lead_score = 10");
        await tenant.Execute("insert into orders (organization_id, client_id, order_number, subtotal) values ($1, $2, '1', 100), ($1, $2, '2', 50), ($1, $2, '3', 150)", client);
        await Refresh();
        Assert.Equal(
            [
                "customer|customer|web|2|300.000|150.000|1.50|100.000|15.00|2026-02-01",
                "lead|lead|-|1|0.000|0.000|0.00|-|5.00|2026-02-01",
            ],
            await Rows(tenant, "lifecycle_stage, client_type, source, client_count, total_revenue, avg_revenue_per_client, avg_orders_per_client, avg_order_value, avg_lead_score, period_month::date", "analytics_client_metrics", "lifecycle_stage"));
    }

    [Fact]
    public async Task Revenue_is_summed_by_the_organizations_own_days()
    {
        var tenant = await database.NewOrganization("America/New_York");
        var (anna, boris) = (await tenant.NewClient(), await tenant.NewClient("Boris"));
        var number = 0;
        async Task Order(Guid client, decimal sum, string status, string at) => await tenant.Execute(
            "insert into orders (organization_id, client_id, order_number, subtotal, status, order_date) values ($1, $2, $3, $4, $5, $6::text::timestamptz)", client, $"{number++}", sum, status, at);
        await Order(anna, 100, "delivered", "2026-03-02 12:00Z");
        await Order(anna, 20, "pending", "2026-03-03 04:30Z"); // half past eleven in the evening of the 2nd
        await Order(boris, 30, "processing", "2026-03-02 20:00Z");
        await Order(boris, 500, "cancelled", "2026-03-02 20:00Z");
        await Order(boris, 7, "refunded", "2026-03-03 20:00Z");
        await Refresh();
        Assert.Equal(
            [
                "150.000|2|3|50.000|100.000|500.000|2026-03-02|2026-03-02|2026-03-01|2026-01-01",
                "0|0|0|0|0|7.000|2026-03-03|2026-03-02|2026-03-01|2026-01-01",
            ],
            await Rows(tenant, "total_revenue, unique_customers, order_count, avg_order_value, delivered_revenue, lost_revenue, (period_day at time zone 'America/New_York')::date d, (period_week at time zone 'America/New_York')::date w, (period_month at time zone 'America/New_York')::date m, (period_year at time zone 'America/New_York')::date y", "analytics_revenue_metrics", "d"));
    }

    [Fact]
    public async Task Rounds_of_agents_and_messages_of_channels_are_counted()
    {
        var tenant = await database.NewOrganization();
        var channel = await tenant.Scalar<Guid>("insert into channels (organization_id, name, platform) values ($1, 'Web', 'web') returning id");
        for (var visitor = 1; visitor <= 2; visitor++)
        {
            var contact = await tenant.Scalar<Guid>("insert into contacts (organization_id, channel_id, platform_user_id) values ($1, $2, $3) returning id", channel, $"visitor {visitor}");
            await tenant.Execute(
                """
                with v as (select * from conversations where contact_id = $3),
                t as (insert into turns (id, organization_id, conversation_id, state, outcome, epoch, first_sequence, last_sequence, due_at, created_at, finished_at)
                    select gen_random_uuid(), $1, v.id, s.state, s.outcome, 0, 1, 1, now(), '2026-05-04 10:00Z', '2026-05-04 10:03Z'
                    from v, (values ('completed', 'replied'), ('completed', 'escalated'), ('failed', null), ('cancelled', 'superseded')) s (state, outcome))
                insert into messages (organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content, sent_at)
                select $1, v.id, $2, v.contact_id, s.sequence, s.direction, s.sender, 'sent', 'Text', '2026-05-04'
                from v, (values (1, 'inbound', 'user'), (2, 'outbound', 'ai'), (3, 'outbound', 'ai'), (4, 'outbound', 'agent'), (5, 'internal', 'agent')) s (sequence, direction, sender)
                """, channel, contact);
        }
        await tenant.Execute("insert into activities (organization_id, activity_type, subject, status, created_at, completed_at) values ($1, 'chatbot_interaction', 'Kiosk', 'completed', '2026-05-05 10:00Z', '2026-05-05 10:10Z')");
        await Refresh();
        Assert.Equal(["2|6|2|3.00|2026-05-04", "0|1|1|10.00|2026-05-05"], await Rows(tenant, "unique_clients_engaged, total_chatbot_interactions, successful_interactions, avg_interaction_duration_minutes, period_day::date", "analytics_chatbot_effectiveness", "period_day"));
        Assert.Equal(["Web|web|2|8|2|2|4|2026-05-01"], await Rows(tenant, "channel_name, platform, total_contacts, total_messages, incoming_messages, agent_responses, ai_responses, period_month::date", "analytics_channel_performance", "period_month"));
    }

    [Fact]
    public async Task The_dashboard_says_how_things_stand()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        await tenant.Execute("insert into clients (organization_id, client_type, created_at) values ($1, 'customer', now() - interval '40 days')");
        await tenant.NewDeal(client, "proposal", 1000);
        await tenant.NewDeal(client, "prospecting", 500);
        await tenant.NewDeal(client, "closed_won", 300, won: "w");
        await tenant.NewDeal(client, "closed_lost", 900, lost: "l");
        await tenant.Execute("insert into orders (organization_id, client_id, order_number, subtotal, status, order_date) values ($1, $2, '1', 100, 'pending', now()), ($1, $2, '2', 50, 'delivered', now() - interval '40 days'), ($1, $2, '3', 8, 'refunded', now())", client);
        await tenant.Execute("insert into activities (organization_id, activity_type, subject, due_date) values ($1, 'task', 'Late', now() - interval '1 hour'), ($1, 'task', 'Soon', now() + interval '1 hour'), ($1, 'task', 'Whenever', null)");
        await tenant.Execute("update activities set status = 'completed' where organization_id = $1 and subject = 'Whenever'");
        const string Summary = "select s.* from get_crm_dashboard_summary($2) s where $1::uuid is not null";
        Assert.Equal("2|1|1|1|2|1500.000|550.000|1|300.000|50.00|2|150.000|100.000|75.000|2|1", await tenant.Row(Summary, tenant.Id));
        Assert.Null(await (await database.NewOrganization()).Row(Summary, tenant.Id));
    }

    [Fact]
    public async Task The_funnel_says_how_many_came_how_far()
    {
        var tenant = await database.NewOrganization();
        await tenant.Execute("insert into clients (organization_id, lifecycle_stage) select $1, s from unnest('{lead,lead,lead,lead,mql,mql,sql,customer,churned}'::text[]) s");
        const string Funnel = "select f.stage || ':' || client_count || ':' || reached_count || ':' || coalesce(conversion_rate::text, '-') from get_conversion_funnel($2) f where $1::uuid is not null";
        Assert.Equal("lead:4:8:100.00 mql:2:4:50.00 sql:1:2:50.00 opportunity:0:1:50.00 customer:1:1:100.00 evangelist:0:0:0.00 churned:1:1:-",
            await tenant.Scalar<string>($"select string_agg(line, ' ') from ({Funnel} order by stage_order) f (line)", tenant.Id));
        Assert.Equal(0L, await (await database.NewOrganization()).Scalar<long>("select count(*) from get_conversion_funnel($2) where $1::uuid is not null", tenant.Id));
    }

    [Theory]
    [InlineData("deal_metrics")]
    [InlineData("client_metrics")]
    [InlineData("revenue_metrics")]
    [InlineData("chatbot_effectiveness")]
    [InlineData("channel_performance")]
    public async Task Numbers_of_another_organization_are_out_of_reach(string metrics)
    {
        foreach (var forbidden in new[] { $"select count(*) from analytics_{metrics}_now", $"delete from analytics_{metrics}" })
        {
            await using var command = database.Api.CreateCommand(forbidden);
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync())).SqlState);
        }
        var (victim, stranger) = (await database.NewOrganization(), await database.NewOrganization());
        await victim.NewDeal(await victim.NewClient());
        await Refresh();
        Assert.Equal(0L, await stranger.Scalar<long>($"select count(*) from analytics_{metrics} where organization_id <> $1"));
        await using var unbound = database.Api.CreateCommand($"select count(*) from analytics_{metrics}");
        Assert.Equal(0L, await unbound.ExecuteScalarAsync());
        await using var refresh = database.Api.CreateCommand("select refresh_all_analytics()");
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => refresh.ExecuteNonQueryAsync())).SqlState);
    }

    [Fact]
    public async Task An_organization_that_breaks_a_report_is_left_out_and_named_and_comes_back()
    {
        var (broken, healthy) = (await database.NewOrganization(), await database.NewOrganization());
        var deal = await broken.NewDeal(await broken.NewClient());
        await healthy.NewDeal(await healthy.NewClient());
        await Refresh();
        await database.Database.ExecuteAsAdminAsync($"alter table deals drop constraint moments_are_possible; update deals set stage = 'closed_won', won_reason = 'w', probability = 100, actual_close_date = 'infinity' where id = '{deal}'");
        await healthy.NewDeal(await healthy.NewClient(), "closed_won", 300, won: "w");
        var store = new AnalyticsStore(database.Engine);
        for (var time = 0; time < 2; time++)
        {
            var failure = Assert.Single(await store.Refresh(TimeSpan.FromMinutes(1), default));
            Assert.Equal((broken.Id, "deal_metrics"), (failure.OrganizationId, failure.Report));
            Assert.Contains("infinite", failure.Reason, StringComparison.Ordinal);
            Assert.Equal(2L, await healthy.Scalar<long>("select sum(deal_count)::bigint from analytics_deal_metrics where organization_id = $1"));
            Assert.Equal("prospecting", await broken.Scalar<string>("select stage from analytics_deal_metrics where organization_id = $1"));
            Assert.Equal(1L, await broken.Scalar<long>("select count(*) from analytics_failures where organization_id = $1"));
            Assert.Equal(0L, await healthy.Scalar<long>("select count(*) from analytics_failures where $1::uuid is not null"));
        }
        await database.Database.ExecuteAsAdminAsync($"update deals set actual_close_date = '2026-01-01' where id = '{deal}'");
        Assert.Empty(await store.Refresh(TimeSpan.FromMinutes(1), default));
        Assert.Equal("closed_won", await broken.Scalar<string>("select stage from analytics_deal_metrics where organization_id = $1"));
    }

    [Fact]
    public async Task A_refresh_touches_only_what_changed()
    {
        var (one, other) = (await database.NewOrganization(), await database.NewOrganization());
        await one.NewDeal(await one.NewClient());
        await other.NewDeal(await other.NewClient());
        await Refresh();
        Task<string?> Place(CrmTenant tenant) => tenant.Scalar<string>("select string_agg(xmin::text, ',') from analytics_deal_metrics where organization_id = $1");
        var before = (await Place(one), await Place(other));
        await one.NewDeal(await one.NewClient());
        await Refresh();
        Assert.NotEqual(before.Item1, await Place(one));
        Assert.Equal(before.Item2, await Place(other));
    }

    [Fact]
    public async Task A_time_zone_that_nobody_knows_never_gets_in()
    {
        var tenant = await database.NewOrganization();
        var failure = await Assert.ThrowsAsync<PostgresException>(() => tenant.Execute("update organizations set time_zone = 'Mars/Olympus' where id = $1"));
        Assert.Equal(PostgresErrorCodes.InvalidParameterValue, failure.SqlState);
    }

    private Task Refresh() => database.ExecuteAsEngine("select refresh_all_analytics()");

    private static async Task<string[]> Rows(CrmTenant tenant, string columns, string view, string order) =>
        await tenant.Scalar<string[]>(
            $"select array(select array_to_string(array(select value from json_each_text(row_to_json(r))), '|', '-') from (select {columns} from {view} where organization_id = $1 order by {order}) r)") ?? [];
}
