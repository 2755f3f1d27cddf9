namespace AgentPlatform.Data.Tests.Crm;

public sealed class DealRulesTests(CrmDatabase database) : IClassFixture<CrmDatabase>
{
    private static readonly string[] Open = ["prospecting", "qualification", "proposal", "negotiation"];

    [Fact]
    public async Task A_deal_takes_the_probability_of_its_stage_unless_one_is_given_with_it()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        foreach (var (stage, probability) in new[] { ("prospecting", 10), ("qualification", 25), ("proposal", 50), ("negotiation", 75) })
        {
            Assert.Equal(probability, await tenant.Scalar<int>("select probability from deals where organization_id = $1 and id = $2", await tenant.NewDeal(client, stage)));
        }
        var deal = await tenant.NewDeal(client);
        Assert.Equal(50, await tenant.Scalar<int>("update deals set stage = 'proposal' where organization_id = $1 and id = $2 returning probability", deal));
        Assert.Equal(90, await tenant.Scalar<int>("update deals set stage = 'negotiation', probability = 90 where organization_id = $1 and id = $2 returning probability", deal));
        Assert.Equal(60, await tenant.Scalar<int>("update deals set probability = 60 where organization_id = $1 and id = $2 returning probability", deal));
        Assert.Equal(100, await tenant.Scalar<int>("update deals set stage = 'closed_won', won_reason = 'price', probability = 5 where organization_id = $1 and id = $2 returning probability", deal));
        await tenant.Refused("closed_deal_is_certain", "update deals set probability = 99 where organization_id = $1 and id = $2", deal);
        await tenant.Refused("deal_probability_is_between_0_and_100", "insert into deals (organization_id, client_id, name, probability) values ($1, $2, 'Deal', 101)", client);
    }

    [Fact]
    public async Task An_open_deal_goes_to_any_stage_and_a_closed_one_only_back_to_an_open_stage()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        foreach (var from in Open)
        {
            foreach (var to in Open)
            {
                await tenant.Execute("update deals set stage = $3 where organization_id = $1 and id = $2", await tenant.NewDeal(client, from), to);
            }
            await tenant.Execute("update deals set stage = 'closed_won', won_reason = 'w' where organization_id = $1 and id = $2", await tenant.NewDeal(client, from));
            await tenant.Execute("update deals set stage = 'closed_lost', lost_reason = 'l' where organization_id = $1 and id = $2", await tenant.NewDeal(client, from));
        }
        foreach (var to in Open)
        {
            var won = await tenant.NewDeal(client, "closed_won", won: "price");
            Assert.Equal("-|-|true", await tenant.Row("update deals set stage = $3 where organization_id = $1 and id = $2 returning won_reason, actual_close_date, probability < 100", won, to));
            var lost = await tenant.NewDeal(client, "closed_lost", lost: "price");
            Assert.Equal("-|-", await tenant.Row("update deals set stage = $3 where organization_id = $1 and id = $2 returning lost_reason, actual_close_date", lost, to));
        }
        await tenant.Refused("closed_deal_is_reopened_first", "update deals set stage = 'closed_lost', lost_reason = 'l' where organization_id = $1 and id = $2", await tenant.NewDeal(client, "closed_won", won: "w"));
        await tenant.Refused("closed_deal_is_reopened_first", "update deals set stage = 'closed_won', won_reason = 'w' where organization_id = $1 and id = $2", await tenant.NewDeal(client, "closed_lost", lost: "l"));
        await tenant.Refused("deal_stage_is_known", "update deals set stage = 'hope' where organization_id = $1 and id = $2", await tenant.NewDeal(client));
    }

    [Fact]
    public async Task A_deal_is_won_and_lost_for_a_reason()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        foreach (var blank in new[] { null, "", "  " })
        {
            var deal = await tenant.NewDeal(client);
            await tenant.Refused("won_deal_has_a_reason", $"update deals set stage = 'closed_won', won_reason = {Quote(blank)} where organization_id = $1 and id = $2", deal);
            await tenant.Refused("lost_deal_has_a_reason", $"update deals set stage = 'closed_lost', lost_reason = {Quote(blank)} where organization_id = $1 and id = $2", deal);
        }

        static string Quote(string? text) => text is null ? "null" : $"'{text}'";
    }

    [Fact]
    public async Task Closing_sets_the_day_where_the_organization_is()
    {
        foreach (var zone in new[] { "Pacific/Kiritimati", "Pacific/Midway" })
        {
            var tenant = await database.NewOrganization(zone);
            var deal = await tenant.NewDeal(await tenant.NewClient());
            Assert.Equal("true|true", await tenant.Row(
                $"update deals set stage = 'closed_won', won_reason = 'w' where organization_id = $1 and id = $2 returning actual_close_date = (now() at time zone '{zone}')::date, stage_changed_at = now()", deal));
        }
    }

    [Fact]
    public async Task Each_change_of_stage_is_in_the_history_with_who_made_it_and_why()
    {
        var tenant = await database.NewOrganization();
        var deal = await tenant.NewDeal(await tenant.NewClient());
        await using (var session = await tenant.Open())
        {
            await session.ExecuteAsync("select set_config('app.change_reason', 'They asked for an offer.', true)", default);
            await session.ExecuteAsync("update deals set stage = 'proposal' where id = $1", default, deal);
            await session.CommitAsync();
        }
        await tenant.Execute("update deals set name = 'Another name', stage = 'proposal' where organization_id = $1 and id = $2", deal);
        await tenant.Execute("update deals set stage = 'closed_lost', lost_reason = 'budget' where organization_id = $1 and id = $2", deal);

        Assert.Equal("(none)>prospecting (none), prospecting>proposal They asked for an offer., proposal>closed_lost (none)", await tenant.Scalar<string>(
            "select string_agg(coalesce(from_stage, '(none)') || '>' || to_stage || ' ' || coalesce(notes, '(none)'), ', ' order by created_at) from deal_stage_history where organization_id = $1 and deal_id = $2", deal));
        Assert.Equal(3L, await tenant.Scalar<long>("select count(*) from deal_stage_history where organization_id = $1 and changed_by = $2", tenant.UserId));
    }

    [Fact]
    public async Task The_history_is_written_by_the_database_alone()
    {
        var tenant = await database.NewOrganization();
        await tenant.NewDeal(await tenant.NewClient());
        foreach (var sql in new[] { "update deal_stage_history set to_stage = 'proposal' where organization_id = $1", "delete from deal_stage_history where organization_id = $1", "delete from client_status_history where organization_id = $1" })
        {
            var failure = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => tenant.Execute(sql));
            Assert.Equal(Npgsql.PostgresErrorCodes.InsufficientPrivilege, failure.SqlState);
        }
    }

    [Fact]
    public async Task The_win_rate_counts_the_deals_closed_in_its_days()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        async Task Close(string stage, string day) => await tenant.Execute(
            "insert into deals (organization_id, client_id, name, stage, won_reason, lost_reason, actual_close_date) values ($1, $2, 'Deal', $3, 'w', 'l', $4::date)", client, stage, DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture));
        await Close("closed_won", "2026-03-01");
        await Close("closed_won", "2026-03-31");
        await Close("closed_lost", "2026-03-15");
        await Close("closed_lost", "2026-04-01");
        await tenant.NewDeal(client);
        Assert.Equal(50.00m, await tenant.Scalar<decimal>("select calculate_win_rate($1)"));
        Assert.Equal(66.67m, await tenant.Scalar<decimal>("select calculate_win_rate($1, '2026-03-01', '2026-03-31')"));
        Assert.Equal(0m, await tenant.Scalar<decimal>("select calculate_win_rate($1, '2026-04-01')"));
        Assert.True(await tenant.Scalar<bool>("select calculate_win_rate($1, '2027-01-01') is null"));
        Assert.True(await (await database.NewOrganization()).Scalar<bool>("select calculate_win_rate($2) is null and $1::uuid is not null", tenant.Id));
    }
}
