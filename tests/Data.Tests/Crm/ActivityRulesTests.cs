using Npgsql;

namespace AgentPlatform.Data.Tests.Crm;

public sealed class ActivityRulesTests(CrmDatabase database) : IClassFixture<CrmDatabase>
{
    private const string NewActivity = "insert into activities (organization_id, client_id, activity_type, subject, status) values ($1, $2, 'task', 'Call back', $3) returning id";

    [Fact]
    public async Task A_finished_activity_has_its_time_and_is_reopened_before_it_ends_otherwise()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        const string Move = "update activities set status = $3 where organization_id = $1 and id = $2";
        foreach (var (from, to, isLegal) in new[] { ("pending", "completed", true), ("pending", "cancelled", true), ("completed", "pending", true), ("cancelled", "pending", true), ("completed", "cancelled", false), ("cancelled", "completed", false) })
        {
            var activity = await tenant.Scalar<Guid>(NewActivity, client, from);
            if (isLegal)
            {
                await tenant.Execute(Move, activity, to);
                Assert.Equal(to == "completed", await tenant.Scalar<bool>("select completed_at is not null from activities where organization_id = $1 and id = $2", activity));
            }
            else
            {
                await tenant.Refused("finished_activity_is_reopened_first", Move, activity, to);
            }
        }
        Assert.Equal(tenant.UserId, await tenant.Scalar<Guid>("select created_by from activities where organization_id = $1 limit 1"));
    }

    [Fact]
    public async Task An_activity_moves_its_clients_last_contact()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        await tenant.Scalar<Guid>(NewActivity, client, "completed");
        Assert.True(await tenant.Scalar<bool>("select c.last_contact_date = a.created_at from clients c join activities a on a.client_id = c.id where c.organization_id = $1"));
        await tenant.Execute("update clients set last_contact_date = '2100-01-01' where organization_id = $1");
        await tenant.Scalar<Guid>(NewActivity, client, "completed");
        Assert.Equal(2100, (await tenant.Scalar<DateTime>("select last_contact_date from clients where organization_id = $1")).Year);
    }

    [Fact]
    public async Task What_belongs_to_a_deal_belongs_to_the_deals_client()
    {
        var tenant = await database.NewOrganization();
        var (anna, boris) = (await tenant.NewClient(), await tenant.NewClient("Boris"));
        var deal = await tenant.NewDeal(anna);
        Assert.Equal(anna, await tenant.Scalar<Guid>("insert into activities (organization_id, deal_id, activity_type, subject) values ($1, $2, 'call', 'Call') returning client_id", deal));
        Assert.Equal(anna, await tenant.Scalar<Guid>("insert into notes (organization_id, deal_id, content) values ($1, $2, 'Note') returning client_id", deal));
        await tenant.Refused("deal_belongs_to_the_client", "insert into activities (organization_id, client_id, deal_id, activity_type, subject) values ($1, $2, $3, 'call', 'Call')", boris, deal);
        await tenant.Refused("deal_belongs_to_the_client", "insert into notes (organization_id, client_id, deal_id, content) values ($1, $2, $3, 'Note')", boris, deal);
        await tenant.Refused("note_is_about_a_client_or_a_deal", "insert into notes (organization_id, content) values ($1, 'Note')");
        await tenant.Refused("only_calls_have_call_details", "insert into activities (organization_id, activity_type, subject, call_outcome) values ($1, 'task', 'Task', 'busy')");
    }

    [Fact]
    public async Task An_answer_of_the_ai_becomes_an_activity_where_the_organization_wants_that()
    {
        var tenant = await database.NewOrganization();
        var conversation = await SeedConversation(tenant);
        await AddMessage(tenant, conversation, 1, "ai");
        Assert.Equal(0L, await tenant.Scalar<long>("select count(*) from activities where organization_id = $1"));

        await database.ExecuteAsEngine("update organizations set create_activities_from_messages = true where id = $1", tenant.Id);
        await AddMessage(tenant, conversation, 2, "user");
        await AddMessage(tenant, conversation, 3, "ai");
        Assert.Equal("1|chatbot_interaction|completed|true|Text 3", await tenant.Row(
            """
            select count(*) over (), activity_type, status, client_id = (select client_id from conversations v where v.organization_id = $1) same, description
            from activities where organization_id = $1
            """));
    }

    [Fact]
    public async Task A_new_contact_becomes_a_lead_of_the_channels_agent_once_per_phone()
    {
        var tenant = await database.NewOrganization();
        var agent = await tenant.Scalar<Guid>("insert into agents (organization_id, name) values ($1, 'Agent') returning id");
        var channel = await tenant.Scalar<Guid>("insert into channels (organization_id, name, platform, agent_id) values ($1, 'Web', 'web', $2) returning id", agent);
        const string NewContact = "insert into contacts (organization_id, channel_id, platform, platform_user_id, name, phone) values ($1, $2, 'web', $3, 'Anna', '+15550001111') returning client_id";
        var first = await tenant.Scalar<Guid>(NewContact, channel, "a");
        Assert.Equal(first, await tenant.Scalar<Guid>(NewContact, channel, "b"));
        Assert.Equal($"{agent}|lead|web|Anna", await tenant.Row("select agent_id, client_type, source, first_name from clients where organization_id = $1"));
        var failure = await Assert.ThrowsAsync<PostgresException>(() => tenant.NewClient("Boris", "+15550001111"));
        Assert.Equal("one_client_per_phone", failure.ConstraintName);
        Assert.Equal($"a,b|{first},{first}", await tenant.Row(
            "select string_agg(platform_user_id, ',' order by platform_user_id) ids, string_agg(crm_client_id::text, ',') clients from get_contacts_for_channel($2, 'ann') where $1::uuid is not null", channel));
        Assert.Equal(0L, await tenant.Scalar<long>("select count(*) from get_contacts_for_channel($2, 'boris') where $1::uuid is not null", channel));
        Assert.Equal(0L, await (await database.NewOrganization()).Scalar<long>("select count(*) from get_contacts_for_channel($2, '') where $1::uuid is not null", channel));
    }

    [Fact]
    public async Task A_channel_and_its_configuration_are_made_at_once_for_the_own_organization()
    {
        var tenant = await database.NewOrganization();
        Assert.Equal("Line|whatsapp|123|true|true|true", await tenant.Row(
            """
            with made as materialized (select create_channel_and_config('Line', 'whatsapp', '123') as answer)
            select 'Line' name, 'whatsapp' platform, '123' id, (answer ->> 'organization_id')::uuid = $1 mine, answer ? 'id' has_id, get_my_organization_id() = $1 me from made
            """));
        Assert.Equal("Line|whatsapp|123|true", await tenant.Row("select name, platform, platform_channel_id, is_bot_active from channels where organization_id = $1"));
    }

    [Fact]
    public async Task A_change_of_status_is_in_the_clients_history_with_who_made_it_and_why()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        await tenant.Execute("update clients set status = 'qualified' where organization_id = $1 and id = $2", client);
        await using (var session = await tenant.Open())
        {
            await session.ExecuteAsync("select set_config('app.change_actor', 'ai', true), set_config('app.change_reason', 'Asked twice', true)", default);
            await session.ExecuteAsync("update clients set status = 'warmed' where id = $1", default, client);
            await session.CommitAsync();
        }
        await database.ExecuteAsEngine("update clients set status = 'sold' where id = $1", client);
        Assert.Equal("new_lead>qualified human true, qualified>warmed ai Asked twice, warmed>sold system", await tenant.Scalar<string>(
            $"""
            select string_agg(concat_ws(' ', old_status || '>' || new_status, changed_by, case when changed_by = 'human' then (changed_by_id = '{tenant.UserId}')::text end, reason), ', ' order by created_at)
            from client_status_history where organization_id = $1
            """));
    }

    [Fact]
    public async Task A_used_tag_is_in_the_list_and_a_new_name_is_carried_to_all_who_bear_it()
    {
        var (tenant, other) = (await database.NewOrganization(), await database.NewOrganization());
        foreach (var organization in new[] { tenant, other })
        {
            var client = await organization.NewClient();
            await organization.Execute("update clients set tags = '{vip, regular}' where organization_id = $1");
            await organization.Execute("insert into deals (organization_id, client_id, name, tags) values ($1, $2, 'Deal', '{vip}')", client);
            await organization.Execute("insert into notes (organization_id, client_id, content, tags) values ($1, $2, 'Note', '{vip}')", client);
        }
        Assert.Equal("regular,vip", await tenant.Scalar<string>("select string_agg(name, ',' order by name) from tags where organization_id = $1"));
        await tenant.Execute("update tags set name = 'gold' where organization_id = $1 and name = 'vip'");
        const string All = "select (select string_agg(t, ',' order by t) from clients, unnest(tags) t where organization_id = $1) c, (select tags[1] from deals where organization_id = $1) d, (select tags[1] from notes where organization_id = $1) n, (select count(*) from tags where organization_id = $1) k";
        Assert.Equal("gold,regular|gold|gold|2", await tenant.Row(All));
        Assert.Equal("regular,vip|vip|vip|2", await other.Row(All));
        await tenant.Execute("delete from tags where organization_id = $1 and name = 'gold'");
        Assert.Equal("regular|-|-|1", await tenant.Row(All));
        var failure = await Assert.ThrowsAsync<PostgresException>(() => tenant.Execute("insert into tags (organization_id, name) values ($1, 'regular')"));
        Assert.Equal("one_tag_per_name", failure.ConstraintName);
        await database.Database.ExecuteAsAdminAsync($"delete from organizations where id = '{tenant.Id}'");
    }

    private static async Task<Guid> SeedConversation(CrmTenant tenant)
    {
        var channel = await tenant.Scalar<Guid>("insert into channels (organization_id, name, platform) values ($1, 'Web', 'web') returning id");
        var contact = await tenant.Scalar<Guid>("insert into contacts (organization_id, channel_id, platform_user_id) values ($1, $2, 'visitor') returning id", channel);
        return await tenant.Scalar<Guid>("select id from conversations where organization_id = $1 and contact_id = $2", contact);
    }

    private static Task AddMessage(CrmTenant tenant, Guid conversation, long sequence, string sender) => tenant.Execute(
        """
        insert into messages (organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content)
        select $1, v.id, v.channel_id, v.contact_id, $3, case $4 when 'user' then 'inbound' else 'outbound' end, $4, 'sent', 'Text ' || $3 from conversations v where v.id = $2
        """, conversation, sequence, sender);
}
