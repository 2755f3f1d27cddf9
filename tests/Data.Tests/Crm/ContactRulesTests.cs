namespace AgentPlatform.Data.Tests.Crm;

public sealed class ContactRulesTests(CrmDatabase database) : IClassFixture<CrmDatabase>
{
    [Fact]
    public async Task A_contacts_summary_tells_of_the_newest_message_whatever_comes_goes_and_is_corrected()
    {
        var tenant = await database.NewOrganization();
        var contact = await NewContact(tenant);
        Task<string?> Summary() => tenant.Row("select last_message_preview, unread_count from contacts where organization_id = $1 and id = $2", contact);

        // History that is brought in after the contact.
        await Write(tenant, contact, 1, "2020-01-02", "second");
        await Write(tenant, contact, 2, "2020-01-01", "first");
        Assert.Equal("second|2", await Summary());
        await Write(tenant, contact, 3, "2030-01-01", new string('x', 200));
        Assert.Equal($"{new string('x', 119)}…|3", await Summary());
        await Write(tenant, contact, 4, "2030-01-02", "among ourselves", "internal", "agent");
        Assert.Equal($"{new string('x', 119)}…|3", await Summary());
        await tenant.Execute("update messages set text_content = 'corrected' where organization_id = $1 and contact_id = $2 and sequence = 3", contact);
        Assert.Equal("corrected|3", await Summary());
        await tenant.Execute("update messages set is_read_by_agent = true where organization_id = $1 and contact_id = $2 and sequence < 3", contact);
        Assert.Equal("corrected|1", await Summary());
        await tenant.Execute("delete from messages where organization_id = $1 and contact_id = $2 and sequence in (1, 3)", contact);
        Assert.Equal("first|0", await Summary());
        await tenant.Execute("delete from messages where organization_id = $1 and contact_id = $2", contact);
        Assert.Equal("-|0", await Summary());
    }

    [Fact]
    public async Task A_contact_takes_its_conversation_along_to_another_client()
    {
        var tenant = await database.NewOrganization();
        var contact = await NewContact(tenant);
        var other = await tenant.NewClient("Boris");
        const string Follows = "select v.client_id is not distinct from k.client_id same, k.client_id is not null met from contacts k join conversations v on v.contact_id = k.id where k.organization_id = $1 and k.id = $2";
        Assert.Equal("true|true", await tenant.Row(Follows, contact));
        await tenant.Execute("update contacts set client_id = $3 where organization_id = $1 and id = $2", contact, other);
        Assert.Equal("true|true", await tenant.Row(Follows, contact));
        await tenant.Execute("delete from clients where organization_id = $1 and id = $2", other);
        Assert.Equal("true|false", await tenant.Row(Follows, contact));
    }

    [Fact]
    public async Task A_contact_that_changes_has_changed_now()
    {
        var tenant = await database.NewOrganization();
        var contact = await NewContact(tenant);
        Assert.True(await tenant.Scalar<bool>("update contacts set name = 'Eva', updated_at = '2001-01-01' where organization_id = $1 and id = $2 returning updated_at = now()", contact));
    }

    [Fact]
    public async Task A_booking_of_another_organizations_tour_takes_none_of_its_places()
    {
        var (tenant, other) = (await database.NewOrganization(), await database.NewOrganization());
        var tour = await tenant.NewTour(1);
        var stranger = await other.NewClient();
        const string Book = "insert into client_tours (organization_id, client_id, tour_id, status, participants) values ($1, $2, $3, $4, 50)";
        await other.Refused("tour_takes_bookings", Book, stranger, tour, "booked");
        await other.Execute(Book, stranger, tour, "interested");
        await other.Refused("tour_takes_bookings", "update client_tours set status = 'booked' where organization_id = $1 and client_id = $2", stranger);
        await tenant.Execute("insert into client_tours (organization_id, client_id, tour_id, status) values ($1, $2, $3, 'booked')", await tenant.NewClient(), tour);
        Assert.Equal("1|full", await tenant.Row("select current_participants, status from tours where organization_id = $1 and id = $2", tour));
    }

    [Fact]
    public async Task Whoever_leaves_leaves_open_work_behind_and_keeps_what_was_done()
    {
        var tenant = await database.NewOrganization();
        var leaver = Guid.CreateVersion7();
        await database.Database.ExecuteAsAdminAsync(
            $"insert into users (id, email) values ('{leaver}', '{leaver:N}@example.com'); insert into organization_members (organization_id, user_id, role) values ('{tenant.Id}', '{leaver}', 'member')");
        var client = await tenant.NewClient();
        await tenant.Execute("update clients set assigned_to = $2 where organization_id = $1", leaver);
        foreach (var (stage, won) in new[] { ("proposal", null), ("closed_won", "price") })
        {
            await tenant.Execute("update deals set owner_id = $3 where organization_id = $1 and id = $2", await tenant.NewDeal(client, stage, won: won), leaver);
        }
        await tenant.Execute(
            "insert into activities (organization_id, activity_type, subject, status, assigned_to) values ($1, 'task', 'open', 'pending', $2), ($1, 'task', 'done', 'completed', $2), ($1, 'task', 'given up', 'cancelled', $2)", leaver);
        await tenant.Execute("delete from organization_members where organization_id = $1 and user_id = $2", leaver);

        Assert.Null(await tenant.Row("select assigned_to from clients where organization_id = $1 and assigned_to is not null"));
        Assert.Equal("closed_won", await tenant.Row("select string_agg(stage, ' ') stages from deals where organization_id = $1 and owner_id = $2", leaver));
        Assert.Equal("done, given up", await tenant.Row("select string_agg(subject, ', ' order by subject) subjects from activities where organization_id = $1 and assigned_to = $2", leaver));
        await tenant.Refused("assignee_is_a_member", "update clients set assigned_to = $2 where organization_id = $1", leaver);
        await tenant.Refused("assignee_is_a_member", "insert into activities (organization_id, activity_type, subject, assigned_to) values ($1, 'task', 'more', $2)", leaver);
    }

    [Fact]
    public async Task Tags_without_names_and_tags_borne_twice_are_put_right()
    {
        var tenant = await database.NewOrganization();
        var client = await tenant.NewClient();
        Assert.Equal("b a", await tenant.Scalar<string>("update clients set tags = array['b', '', null, ' ', 'a', 'b'] where organization_id = $1 and id = $2 returning array_to_string(tags, ' ', '?')", client));
        Assert.Equal("", await tenant.Scalar<string>("update clients set tags = array[' '] where organization_id = $1 and id = $2 returning array_to_string(tags, ' ', '?')", client));
        Assert.Equal("a b", await tenant.Scalar<string>("select string_agg(name, ' ' order by name) from tags where organization_id = $1"));
    }

    private static async Task<Guid> NewContact(CrmTenant tenant)
    {
        var channel = await tenant.Scalar<Guid>("insert into channels (organization_id, name, platform) values ($1, 'Web', 'web') returning id");
        return await tenant.Scalar<Guid>("insert into contacts (organization_id, channel_id, platform_user_id) values ($1, $2, 'visitor') returning id", channel);
    }

    private static Task Write(CrmTenant tenant, Guid contact, int sequence, string sentAt, string text, string direction = "inbound", string sender = "user") => tenant.Execute(
        """
        insert into messages (organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content, sent_at)
        select $1, v.id, v.channel_id, v.contact_id, $3, $4, $5, 'received', $6, $7::text::timestamptz from conversations v where v.organization_id = $1 and v.contact_id = $2
        """, contact, sequence, direction, sender, text, sentAt);
}
