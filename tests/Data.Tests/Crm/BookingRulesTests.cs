using Npgsql;

namespace AgentPlatform.Data.Tests.Crm;

public sealed class BookingRulesTests(CrmDatabase database) : IClassFixture<CrmDatabase>
{
    private static readonly string[] Order = ["interested", "proposed", "selected", "booked", "confirmed"];

    [Fact]
    public async Task A_hundred_bookings_of_the_last_place_make_one()
    {
        var tenant = await database.NewOrganization();
        var tour = await tenant.NewTour(5);
        await Book(tenant, tour, 4);
        var clients = new List<Guid>();
        for (var number = 0; number < 100; number++)
        {
            clients.Add(await tenant.NewClient($"Client {number}"));
        }
        var outcomes = await Task.WhenAll(clients.Select(async client =>
        {
            try
            {
                await tenant.Execute("insert into client_tours (organization_id, client_id, tour_id, status) values ($1, $2, $3, 'booked')", client, tour);
                return "booked";
            }
            catch (PostgresException refused)
            {
                return $"{refused.ConstraintName}: {refused.MessageText}";
            }
        }));
        Assert.Single(outcomes, outcome => outcome == "booked");
        Assert.Equal(99, outcomes.Count(outcome => outcome == "tour_is_not_overbooked: The tour has 0 places left."));
        Assert.Equal("5|full|5", await Tour(tenant, tour));
    }

    [Fact]
    public async Task Bookings_and_cancellations_at_once_never_exceed_the_places()
    {
        var tenant = await database.NewOrganization();
        var tour = await tenant.NewTour(7);
        var clients = new List<Guid>();
        for (var number = 0; number < 30; number++)
        {
            clients.Add(await tenant.NewClient($"Client {number}"));
        }
        await Task.WhenAll(clients.Select(async (client, index) =>
        {
            foreach (var status in new[] { "booked", "confirmed", "cancelled", "interested", "booked" })
            {
                try
                {
                    await tenant.Execute(
                        "insert into client_tours (organization_id, client_id, tour_id, status, participants) values ($1, $2, $3, $4, $5) on conflict (client_id, tour_id) do update set status = excluded.status",
                        client, tour, status, 1 + (index % 3));
                }
                catch (PostgresException refused)
                {
                    Assert.Contains(refused.ConstraintName, new[] { "tour_is_not_overbooked", "interest_moves_forward" });
                }
            }
        }));
        Assert.Equal("true|true", await tenant.Row(
            """
            select current_participants <= max_participants, current_participants = (select coalesce(sum(participants), 0) from client_tours b where b.tour_id = t.id and b.status in ('booked', 'confirmed'))
            from tours t where organization_id = $1 and id = $2
            """, tour));
    }

    [Fact]
    public async Task A_tour_is_full_with_its_last_place_and_available_again_after_a_cancellation()
    {
        var tenant = await database.NewOrganization();
        var tour = await tenant.NewTour(3);
        var booking = await Book(tenant, tour, 2);
        Assert.Equal("2|available|3", await Tour(tenant, tour));
        var last = await Book(tenant, tour, null);
        Assert.Equal("3|full|3", await Tour(tenant, tour));
        await Move(tenant, booking, "confirmed");
        Assert.Equal("3|full|3", await Tour(tenant, tour));
        await Move(tenant, booking, "cancelled");
        Assert.Equal("1|available|3", await Tour(tenant, tour));
        await tenant.Execute("update client_tours set participants = 3 where organization_id = $1 and id = $2", last);
        Assert.Equal("3|full|3", await Tour(tenant, tour));
        Assert.Equal("The tour has 0 places left.", await tenant.Refused("tour_is_not_overbooked", "update client_tours set participants = 4 where organization_id = $1 and id = $2", last));
        await tenant.Execute("delete from client_tours where organization_id = $1 and id = $2", last);
        Assert.Equal("0|available|3", await Tour(tenant, tour));
    }

    [Fact]
    public async Task Nobody_can_write_the_number_of_participants()
    {
        var tenant = await database.NewOrganization();
        var tour = await tenant.NewTour(3);
        await Book(tenant, tour, 2);
        Assert.Equal("2|available", await tenant.Row("update tours set current_participants = 0, status = 'full' where organization_id = $1 and id = $2 returning current_participants, status", tour));
        Assert.Equal("2|full", await tenant.Row("update tours set max_participants = 2 where organization_id = $1 and id = $2 returning current_participants, status", tour));
        await tenant.Refused("tour_is_not_overbooked", "update tours set max_participants = 1 where organization_id = $1 and id = $2", tour);
        Assert.Equal("2|available", await tenant.Row("update tours set max_participants = null where organization_id = $1 and id = $2 returning current_participants, status", tour));
    }

    [Theory]
    [InlineData("cancelled")]
    [InlineData("completed")]
    public async Task A_tour_that_is_off_or_over_takes_no_bookings_but_gives_places_back(string status)
    {
        var tenant = await database.NewOrganization();
        var tour = await tenant.NewTour(null);
        var booking = await Book(tenant, tour, 4);
        await tenant.Execute("update tours set status = $3 where organization_id = $1 and id = $2", tour, status);
        await tenant.Refused("tour_takes_bookings", "insert into client_tours (organization_id, client_id, tour_id, status) values ($1, $2, $3, 'booked')", await tenant.NewClient(), tour);
        await Move(tenant, booking, "cancelled");
        Assert.Equal($"0|{status}|-", await Tour(tenant, tour));
    }

    [Fact]
    public async Task A_completed_tour_stays_completed_and_a_cancelled_one_may_come_back()
    {
        var tenant = await database.NewOrganization();
        var (over, off) = (await tenant.NewTour(2), await tenant.NewTour(2));
        await tenant.Execute("update tours set status = 'completed' where organization_id = $1 and id = $2", over);
        foreach (var status in new[] { "available", "full", "cancelled" })
        {
            await tenant.Refused("completed_tour_stays_completed", "update tours set status = $3 where organization_id = $1 and id = $2", over, status);
        }
        await tenant.Execute("update tours set status = 'cancelled' where organization_id = $1 and id = $2", off);
        Assert.Equal("available", await tenant.Scalar<string>("update tours set status = 'available' where organization_id = $1 and id = $2 returning status", off));
    }

    [Fact]
    public async Task A_booking_moves_forward_is_cancelled_from_anywhere_and_begins_again()
    {
        var tenant = await database.NewOrganization();
        var tour = await tenant.NewTour(null);
        foreach (var from in Order.Append("cancelled"))
        {
            foreach (var to in Order.Append("cancelled").Where(to => to != from))
            {
                var booking = await tenant.Scalar<Guid>("insert into client_tours (organization_id, client_id, tour_id, status) values ($1, $2, $3, $4) returning id", await tenant.NewClient(), tour, from);
                var isLegal = from == "cancelled" ? to == "interested" : to == "cancelled" || Array.IndexOf(Order, to) > Array.IndexOf(Order, from);
                if (isLegal)
                {
                    await Move(tenant, booking, to);
                }
                else
                {
                    await tenant.Refused("interest_moves_forward", "update client_tours set status = $3 where organization_id = $1 and id = $2", booking, to);
                }
            }
        }
    }

    [Fact]
    public async Task Interest_in_a_product_moves_forward_only()
    {
        var tenant = await database.NewOrganization();
        string[] order = ["interested", "proposed", "selected", "booked"];
        foreach (var from in order)
        {
            foreach (var to in order.Where(to => to != from))
            {
                var product = await tenant.Scalar<Guid>("insert into products (organization_id, name) values ($1, 'Product') returning id");
                var client = await tenant.NewClient();
                await tenant.Execute("insert into client_products (organization_id, client_id, product_id, status) values ($1, $2, $3, $4)", client, product, from);
                const string Sql = "update client_products set status = $3 where organization_id = $1 and client_id = $2";
                if (Array.IndexOf(order, to) > Array.IndexOf(order, from))
                {
                    await tenant.Execute(Sql, client, to);
                }
                else
                {
                    await tenant.Refused("interest_moves_forward", Sql, client, to);
                }
            }
        }
    }

    [Fact]
    public async Task Deleting_a_client_gives_the_places_back()
    {
        var tenant = await database.NewOrganization();
        var tour = await tenant.NewTour(2);
        await Book(tenant, tour, 2);
        await tenant.Execute("delete from clients where organization_id = $1");
        Assert.Equal("0|available|2", await Tour(tenant, tour));
        await Book(tenant, tour, 1);
        await tenant.Execute("delete from tours where organization_id = $1");
        Assert.Equal(0L, await tenant.Scalar<long>("select count(*) from client_tours where organization_id = $1"));
    }

    [Fact]
    public async Task A_partner_who_is_not_available_gets_nothing_new_and_keeps_what_he_has()
    {
        var tenant = await database.NewOrganization();
        var partner = await tenant.Scalar<Guid>("insert into partners (organization_id, name) values ($1, 'Guide') returning id");
        var client = await tenant.NewClient();
        await tenant.Execute("update clients set assigned_partner_id = $3 where organization_id = $1 and id = $2", client, partner);
        await tenant.Execute("insert into products (organization_id, name, partner_id) values ($1, 'Tour', $2)", partner);
        await tenant.Execute("update partners set is_available = false where organization_id = $1");
        await tenant.Execute("update clients set assigned_partner_id = $3, first_name = 'Eva' where organization_id = $1 and id = $2", client, partner);
        await tenant.Refused("partner_is_available", "update clients set assigned_partner_id = $3 where organization_id = $1 and id = $2", await tenant.NewClient(), partner);
        await tenant.Refused("partner_is_available", "insert into clients (organization_id, assigned_partner_id) values ($1, $2)", partner);
        await tenant.Refused("partner_is_available", "insert into products (organization_id, name, partner_id) values ($1, 'Tour 2', $2)", partner);
    }

    private static async Task<Guid> Book(CrmTenant tenant, Guid tour, int? participants) => await tenant.Scalar<Guid>(
        "insert into client_tours (organization_id, client_id, tour_id, status, participants) values ($1, $2, $3, 'booked', $4) returning id", await tenant.NewClient(), tour,
        new NpgsqlParameter { Value = (object?)participants ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });

    private static Task Move(CrmTenant tenant, Guid booking, string status) => tenant.Execute("update client_tours set status = $3 where organization_id = $1 and id = $2", booking, status);

    private static Task<string?> Tour(CrmTenant tenant, Guid tour) => tenant.Row("select current_participants, status, max_participants from tours where organization_id = $1 and id = $2", tour);
}
