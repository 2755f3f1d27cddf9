using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.Crm;

public sealed class BookingTests(ApiApp app, ITestOutputHelper output) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task Of_a_hundred_who_book_the_last_place_one_gets_it()
    {
        var organization = await app.NewOrganization();
        var tour = await NewTour(organization, 1);
        var clients = new List<Guid>();
        for (var number = 0; number < 100; number++)
        {
            clients.Add((await organization.Create("clients", new { firstName = $"Client {number}" })).Id());
        }
        var answers = await Task.WhenAll(clients.Select(client => organization.Owner.PostAsJsonAsync("/v1/client-tours", new { clientId = client, tourId = tour, status = "booked" })));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Created);
        foreach (var refused in answers.Where(answer => answer.StatusCode != HttpStatusCode.Created))
        {
            Assert.Equal(["/participants"], (await refused.Problem(ProblemType.Conflict)).Fields());
        }
        Assert.Equal((1, "full"), await Places(organization, tour));
    }

    [Fact]
    public async Task A_place_is_booked_confirmed_cancelled_and_given_to_somebody_else()
    {
        var organization = await app.NewOrganization();
        var tour = await NewTour(organization, 2);
        var first = await NewBooking(organization, tour);
        var second = await NewBooking(organization, tour);
        async Task<HttpResponseMessage> Act(Guid booking, string action, object? body = null) => await organization.Owner.PostAsJsonAsync($"/v1/client-tours/{booking}/{action}", body ?? new { });
        Assert.Equal("booked", (await (await Act(first, "book", new { participants = 2 })).Json()).Text("status"));
        Assert.Equal((2, "full"), await Places(organization, tour));
        var full = await (await Act(second, "book")).Problem(ProblemType.Conflict);
        Assert.Equal("The tour has 0 places left.", full.Text("detail"));
        await (await Act(first, "confirm")).Json();
        Assert.Equal(["/status"], (await (await Act(first, "book")).Problem(ProblemType.Conflict)).Fields());
        Assert.Equal("cancelled", (await (await Act(first, "cancel", new { notes = "Ill" })).Json()).Text("status"));
        Assert.Equal((0, "available"), await Places(organization, tour));
        await (await Act(second, "book")).Json();
        Assert.Equal(["/status"], (await (await Act(first, "confirm")).Problem(ProblemType.Conflict)).Fields());
        await (await Act(first, "reopen")).Json();
        await (await Act(first, "book", new { participants = 1 })).Json();
        Assert.Equal((2, "full"), await Places(organization, tour));
        Assert.Equal(["/maxParticipants"], (await (await organization.Owner.Patch($"/v1/tours/{tour}", new { maxParticipants = 1 }, "*")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task Whatever_is_booked_changed_and_deleted_at_once_nothing_fails_and_no_place_is_sold_twice()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var organization = await app.NewOrganization();
        for (var round = 0; round < 4; round++)
        {
            var tours = new Guid[4];
            for (var index = 0; index < tours.Length; index++)
            {
                tours[index] = await NewTour(organization, 5);
            }
            var clients = new Guid[12];
            for (var index = 0; index < clients.Length; index++)
            {
                clients[index] = (await organization.Create("clients", new { firstName = $"Client {index}" })).Id();
            }
            var bookings = new List<Guid>();
            foreach (var client in clients)
            {
                foreach (var tour in tours[..2])
                {
                    bookings.Add((await organization.Create("client-tours", new { clientId = client, tourId = tour })).Id());
                }
            }
            var owner = organization.Owner;
            var requests = new List<Func<Task<HttpResponseMessage>>>();
            foreach (var booking in bookings)
            {
                requests.Add(() => owner.PostAsJsonAsync($"/v1/client-tours/{booking}/book", new { participants = 1 }));
                requests.Add(() => owner.Patch($"/v1/client-tours/{booking}", new { notes = "Window seat", participants = 2 }, "*"));
                requests.Add(() => owner.PostAsJsonAsync($"/v1/client-tours/{booking}/cancel", new { }));
            }
            foreach (var client in clients)
            {
                foreach (var tour in tours[1..])
                {
                    requests.Add(() => owner.PostAsJsonAsync("/v1/client-tours", new { clientId = client, tourId = tour, status = "booked" }));
                }
            }
            requests.Add(() => owner.DeleteAsync($"/v1/tours/{tours[0]}"));
            requests.Add(() => owner.DeleteAsync($"/v1/tours/{tours[2]}"));
            requests.Add(() => owner.Patch($"/v1/tours/{tours[1]}", new { maxParticipants = 3 }, "*"));
            requests.AddRange(clients.Take(4).Select(client => (Func<Task<HttpResponseMessage>>)(() => owner.DeleteAsync($"/v1/clients/{client}"))));
            var shuffled = requests.ToArray();
            random.Shuffle(shuffled);
            var answers = await Task.WhenAll(shuffled.Select(request => request()));
            foreach (var answer in answers.Where(answer => (int)answer.StatusCode >= 500))
            {
                Assert.Fail($"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri!.PathAndQuery}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
            Assert.Equal(0, await organization.Query<long>(
                "SELECT count(*) FROM tours t WHERE t.organization_id = $1 AND (t.current_participants > t.max_participants OR t.current_participants <> (SELECT coalesce(sum(held_places(b.status, b.participants)), 0) FROM client_tours b WHERE b.tour_id = t.id))",
                organization.Id));
            Assert.Equal(0, await organization.Query<long>("SELECT count(*) FROM tours WHERE id IN ($1, $2)", tours[0], tours[2]));
        }
    }

    [Fact]
    public async Task A_tour_that_is_over_takes_no_bookings_and_stays_over()
    {
        var organization = await app.NewOrganization();
        var tour = await NewTour(organization, 2);
        var booking = await NewBooking(organization, tour);
        Assert.Equal("completed", (await (await organization.Owner.PostAsync($"/v1/tours/{tour}/complete", null)).Json()).Text("status"));
        Assert.Equal(["/tourId"], (await (await organization.Owner.PostAsync($"/v1/client-tours/{booking}/book", null)).Problem(ProblemType.Conflict)).Fields());
        Assert.Equal(["/status"], (await (await organization.Owner.PostAsync($"/v1/tours/{tour}/cancel", null)).Problem(ProblemType.Conflict)).Fields());
    }

    [Fact]
    public async Task Interest_in_a_product_moves_forward_and_is_known_once()
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        var product = (await organization.Create("products", new { name = "Tent" })).Id();
        var interest = await organization.Create("client-products", new { clientId = client, productId = product });
        Assert.Equal(["/productId"], (await (await organization.Owner.PostAsJsonAsync("/v1/client-products", new { clientId = client, productId = product })).Problem(ProblemType.Conflict)).Fields());
        await (await organization.Owner.Patch($"/v1/client-products/{interest.Id()}", new { status = "selected" }, "\"1\"")).Json();
        Assert.Equal(["/status"], (await (await organization.Owner.Patch($"/v1/client-products/{interest.Id()}", new { status = "proposed" }, "\"2\"")).Problem(ProblemType.Conflict)).Fields());
    }

    [Fact]
    public async Task A_partner_who_is_not_available_is_not_assigned()
    {
        var organization = await app.NewOrganization();
        var partner = (await organization.Create("partners", new { name = "Guide", isAvailable = false })).Id();
        Assert.Equal(["/assignedPartnerId"], (await (await organization.Owner.PostAsJsonAsync("/v1/clients", new { assignedPartnerId = partner })).Problem(ProblemType.Conflict)).Fields());
        Assert.Equal(["/partnerId"], (await (await organization.Owner.PostAsJsonAsync("/v1/products", new { name = "Tour", partnerId = partner })).Problem(ProblemType.Conflict)).Fields());
        await (await organization.Owner.Patch($"/v1/partners/{partner}", new { isAvailable = true }, "\"1\"")).Json();
        await organization.Create("clients", new { assignedPartnerId = partner });
    }

    private static async Task<Guid> NewTour(TestOrganization organization, int places) => (await organization.Create("tours", new
    {
        productId = (await organization.Create("products", new { name = "Tour", type = "tour" })).Id(),
        startDate = "2030-01-01T00:00:00Z",
        endDate = "2030-01-02T00:00:00Z",
        maxParticipants = places,
    })).Id();

    private static async Task<Guid> NewBooking(TestOrganization organization, Guid tour) =>
        (await organization.Create("client-tours", new { clientId = (await organization.Create("clients", new { firstName = "Anna" })).Id(), tourId = tour })).Id();

    private static async Task<(int Participants, string Status)> Places(TestOrganization organization, Guid tour)
    {
        var read = await (await organization.Owner.GetAsync($"/v1/tours/{tour}")).Json();
        return (read["currentParticipants"]!.GetValue<int>(), read.Text("status"));
    }
}
