using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests;

public sealed class ResourceTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_resource_is_created_read_changed_and_deleted()
    {
        var organization = await app.NewOrganization();
        var created = await organization.Owner.PostAsJsonAsync("/v1/personas", new { name = "Ana", greeting = "¡Hola!" });
        var persona = await created.Json(HttpStatusCode.Created);
        Assert.Equal($"/v1/personas/{persona.Id()}", created.Headers.Location?.ToString());
        Assert.Equal("\"1\"", created.Headers.ETag?.Tag);
        Assert.Equal("friendly", persona.Text("tone"));

        var changed = await organization.Owner.Patch($"/v1/personas/{persona.Id()}", new { tone = "formal", greeting = (string?)null }, "\"1\"");
        var after = await changed.Json();
        Assert.Equal("\"2\"", changed.Headers.ETag?.Tag);
        Assert.Equal(("Ana", "formal"), (after.Text("name"), after.Text("tone")));
        Assert.Null(after["greeting"]);

        var read = await organization.Owner.GetAsync($"/v1/personas/{persona.Id()}");
        Assert.Equal(after.ToJsonString(), (await read.Json()).ToJsonString());
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/personas/{persona.Id()}")).StatusCode);
        await (await organization.Owner.GetAsync($"/v1/personas/{persona.Id()}")).Problem(ProblemType.NotFound);
    }

    [Fact]
    public async Task A_change_names_the_version_that_it_is_based_on()
    {
        var organization = await app.NewOrganization();
        var path = $"/v1/personas/{(await organization.Create("personas", new { name = "Ana" })).Id()}";
        await (await organization.Owner.Patch(path, new { name = "Eva" }, null)).Problem(ProblemType.PreconditionRequired);
        var stale = await organization.Owner.Patch(path, new { name = "Eva" }, "\"7\"");
        Assert.Equal(1, (await stale.Problem(ProblemType.VersionConflict))["currentVersion"]!.GetValue<long>());
        Assert.Equal("\"1\"", stale.Headers.ETag?.Tag);
        Assert.Equal(["If-Match"], (await (await organization.Owner.Patch(path, new { name = "Eva" }, "7")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task Of_concurrent_changes_one_wins_and_the_others_hear_the_current_version()
    {
        var organization = await app.NewOrganization();
        var path = $"/v1/personas/{(await organization.Create("personas", new { name = "Ana" })).Id()}";
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(number => organization.Owner.Patch(path, new { name = $"Ana {number}" }, "\"1\"")));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.OK);
        foreach (var lost in answers.Where(answer => answer.StatusCode != HttpStatusCode.OK))
        {
            Assert.Equal(2, (await lost.Problem(ProblemType.VersionConflict))["currentVersion"]!.GetValue<long>());
        }
    }

    [Fact]
    public async Task The_same_idempotency_key_gives_one_resource_and_the_same_answer()
    {
        var organization = await app.NewOrganization();
        var key = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => organization.Owner.PostWithKey("/v1/personas", new { name = "Ana" }, key)));
        var bodies = await Task.WhenAll(answers.Select(async answer => (await answer.Json(HttpStatusCode.Created)).ToJsonString()));
        Assert.Single(bodies.Distinct());
        Assert.Single(answers.Select(answer => (answer.Headers.Location?.ToString(), answer.Headers.ETag?.Tag)).Distinct());
        Assert.Single((await (await organization.Owner.GetAsync("/v1/personas")).Json()).Items());

        await (await organization.Owner.PostWithKey("/v1/personas", new { name = "Eva" }, key)).Problem(ProblemType.IdempotencyKeyReused);
        await (await organization.Owner.PostWithKey("/v1/partners", new { name = "Ana" }, key)).Problem(ProblemType.IdempotencyKeyReused);
    }

    [Fact]
    public async Task A_request_that_failed_leaves_its_idempotency_key_free()
    {
        var organization = await app.NewOrganization();
        await (await organization.Owner.PostWithKey("/v1/agents", new { name = "Ana", personaId = Guid.NewGuid() }, "k")).Problem(ProblemType.Validation);
        await (await organization.Owner.PostWithKey("/v1/agents", new { name = "Ana" }, "k")).Json(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_wrong_body_names_every_field_that_is_wrong()
    {
        var organization = await app.NewOrganization();
        var answer = await organization.Owner.PostAsJsonAsync("/v1/agents", new { temperature = 3, colour = "red", status = "asleep", goals = new[] { "" }, id = Guid.NewGuid() });
        var fields = (await answer.Problem(ProblemType.Validation)).Fields();
        Assert.Equal(["/colour", "/goals/0", "/id", "/name", "/status", "/temperature"], fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_list_is_read_page_by_page_in_any_order_without_gap_or_repeat()
    {
        var organization = await app.NewOrganization();
        for (var number = 0; number < 7; number++)
        {
            await organization.Create("clients", new { firstName = number % 3 == 0 ? null : $"Name {number % 2}", phone = $"+1555000{number:0000}" });
        }
        foreach (var sort in new[] { "createdAt", "-createdAt", "firstName", "-firstName" })
        {
            var ids = new List<Guid>();
            string? cursor = null;
            do
            {
                var page = await (await organization.Owner.GetAsync($"/v1/clients?limit=2&sort={sort}{(cursor is null ? "" : $"&cursor={cursor}")}")).Json();
                ids.AddRange(page.Items().Select(item => item.Id()));
                cursor = page["nextCursor"]?.GetValue<string>();
            }
            while (cursor is not null);
            Assert.Equal(7, ids.Distinct().Count());
            Assert.Equal(7, ids.Count);
            var whole = await (await organization.Owner.GetAsync($"/v1/clients?sort={sort}")).Json();
            Assert.Equal(whole.Items().Select(item => item.Id()), ids);
        }
    }

    [Fact]
    public async Task A_list_is_filtered_and_searched_and_refuses_what_it_does_not_know()
    {
        var organization = await app.NewOrganization();
        var anna = await organization.Create("clients", new { firstName = "Anna", status = "qualified", tags = new[] { "vip" }, leadQuality = "hot" });
        var boris = await organization.Create("clients", new { firstName = "Борис", status = "sold", phone = "+15550001111" });

        async Task<Guid[]> Find(string query) => [.. (await (await organization.Owner.GetAsync($"/v1/clients?{query}")).Json()).Items().Select(item => item.Id())];
        Assert.Equal([anna.Id()], await Find("status=qualified"));
        Assert.Equal(2, (await Find("status=qualified,sold")).Length);
        Assert.Equal([anna.Id()], await Find("tags=vip&tags=other"));
        Assert.Equal([boris.Id()], await Find("leadQuality=none"));
        Assert.Equal([boris.Id()], await Find("q=борис"));
        Assert.Equal([boris.Id()], await Find("q=0001111"));
        Assert.Equal(2, (await Find("leadScoreFrom=0&leadScoreTo=1")).Length);

        var problem = await (await organization.Owner.GetAsync("/v1/clients?status=asleep&colour=red&limit=0&cursor=x")).Problem(ProblemType.Validation);
        Assert.Equal(["colour", "limit", "status"], problem.Fields().Order(StringComparer.Ordinal));
        Assert.Equal(["cursor"], (await (await organization.Owner.GetAsync("/v1/clients?cursor=x")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_reference_must_name_something_of_the_same_organization()
    {
        var (one, other) = (await app.NewOrganization(), await app.NewOrganization());
        var foreign = (await other.Create("personas", new { name = "Ana" })).Id();
        var refused = await (await one.Owner.PostAsJsonAsync("/v1/agents", new { name = "A", personaId = foreign })).Problem(ProblemType.Validation);
        var missing = await (await one.Owner.PostAsJsonAsync("/v1/agents", new { name = "A", personaId = Guid.NewGuid() })).Problem(ProblemType.Validation);
        Assert.Equal(["/personaId"], refused.Fields());
        Assert.Equal(missing["detail"]!.ToJsonString(), refused["detail"]!.ToJsonString());
    }

    [Fact]
    public async Task Something_unique_that_is_taken_is_a_conflict_that_names_the_field()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { phone = "+15550002222" });
        var problem = await (await organization.Owner.PostAsJsonAsync("/v1/clients", new { phone = "+15550002222" })).Problem(ProblemType.Conflict);
        Assert.Equal(["/phone"], problem.Fields());
    }

    [Fact]
    public async Task Every_change_is_logged_with_who_what_and_from_where()
    {
        var organization = await app.NewOrganization();
        var persona = await organization.Create("personas", new { name = "Ana" });
        await (await organization.Owner.Patch($"/v1/personas/{persona.Id()}", new { name = "Eva" }, "\"1\"")).Json();
        await organization.Owner.DeleteAsync($"/v1/personas/{persona.Id()}");
        var log = (await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={persona.Id()}&sort=createdAt")).Json()).Items();
        Assert.Equal(["persona.created", "persona.updated", "persona.deleted"], log.Select(row => row.Text("actionType")));
        Assert.All(log, row => Assert.Equal((organization.OwnerId, "127.0.0.1"), (row["userId"]!.GetValue<Guid>(), row.Text("ipAddress"))));
        Assert.Null(log[0]["before"]);
        Assert.Equal(("Ana", "Eva"), (log[1]["before"]!["name"]!.GetValue<string>(), log[1]["after"]!["name"]!.GetValue<string>()));
        Assert.Null(log[2]["after"]);
    }

    [Fact]
    public async Task A_role_below_the_needed_one_is_refused()
    {
        var organization = await app.NewOrganization();
        var viewer = await organization.Member(Role.Viewer);
        await (await viewer.GetAsync("/v1/personas")).Json();
        await (await viewer.PostAsJsonAsync("/v1/personas", new { name = "Ana" })).Problem(ProblemType.Forbidden);
        await (await app.Anonymous.GetAsync("/v1/personas")).Problem(ProblemType.Unauthenticated);
    }

    [Fact]
    public async Task Making_another_variant_the_default_takes_it_from_the_first()
    {
        var organization = await app.NewOrganization();
        var first = await organization.Create("prompt-variants", new { agentType = "sales", name = "A", prompt = "p", isDefault = true });
        await organization.Create("prompt-variants", new { agentType = "sales", name = "B", prompt = "p", isDefault = true });
        Assert.False((await (await organization.Owner.GetAsync($"/v1/prompt-variants/{first.Id()}")).Json())["isDefault"]!.GetValue<bool>());
    }

    [Fact]
    public async Task The_organization_is_read_and_changed_by_its_own_people()
    {
        var organization = await app.NewOrganization();
        var path = "/v1/organization";
        Assert.Equal(organization.Id, (await (await organization.Owner.GetAsync(path)).Json()).Id());
        Assert.False((await (await organization.Owner.Patch(path, new { aiEnabled = false, timeZone = "Europe/Madrid" }, "*")).Json())["aiEnabled"]!.GetValue<bool>());
        Assert.Equal(["/timeZone"], (await (await organization.Owner.Patch(path, new { timeZone = "Mars/Olympus" }, "*")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_dry_run_tells_what_a_deletion_takes_with_it_and_deletes_nothing()
    {
        var organization = await app.NewOrganization();
        var product = await organization.Create("products", new { name = "Lake", type = "tour" });
        for (var day = 1; day <= 3; day++)
        {
            await organization.Create("tours", new { productId = product.Id(), startDate = $"2030-05-0{day}T00:00:00Z", endDate = $"2030-05-0{day}T20:00:00Z" });
        }
        var partner = await organization.Create("partners", new { name = "Boats" });
        await organization.Create("products", new { name = "Boat", type = "service", partnerId = partner.Id() });

        var told = await (await organization.Owner.DeleteAsync($"/v1/products/{product.Id()}?dryRun=true")).Json();
        Assert.Equal([("products", "deleted", 1), ("tours", "deleted", 3)], Effects(told));
        told = await (await organization.Owner.DeleteAsync($"/v1/partners/{partner.Id()}?dryRun=true")).Json();
        Assert.Equal([("partners", "deleted", 1), ("products", "detached", 1)], Effects(told));

        await (await organization.Owner.GetAsync($"/v1/products/{product.Id()}")).Json();
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/products/{product.Id()}?dryRun=false")).StatusCode);
        Assert.Empty((await (await organization.Owner.GetAsync("/v1/tours")).Json())["items"]!.AsArray());

        static (string, string, int)[] Effects(System.Text.Json.Nodes.JsonNode told) =>
            [.. told["effects"]!.AsArray().Select(effect => (effect!["resource"]!.GetValue<string>(), effect["effect"]!.GetValue<string>(), effect["count"]!.GetValue<int>())).Order()];
    }

    [Fact]
    public async Task A_dry_run_is_refused_where_the_deletion_would_be()
    {
        var organization = await app.NewOrganization();
        var other = await app.NewOrganization();
        var path = $"/v1/personas/{(await organization.Create("personas", new { name = "Ana" })).Id()}";
        await (await other.Owner.DeleteAsync($"{path}?dryRun=true")).Problem(ProblemType.NotFound);
        Assert.Equal(["dryRun"], (await (await organization.Owner.DeleteAsync($"{path}?dryRun=maybe")).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task Many_rows_change_together_or_none_does()
    {
        var organization = await app.NewOrganization();
        var foreign = await (await app.NewOrganization()).Create("partners", new { name = "Theirs" });
        var ids = new List<Guid>();
        for (var number = 0; number < 5; number++)
        {
            ids.Add((await organization.Create("partners", new { name = $"Partner {number}" })).Id());
        }

        Task<HttpResponseMessage> Change(object wanted, params IEnumerable<Guid> of) => organization.Owner.PostAsJsonAsync("/v1/partners/bulk-update", new { ids = of, change = wanted });
        async Task<int> Unavailable() => (await (await organization.Owner.GetAsync("/v1/partners?isAvailable=false")).Json())["items"]!.AsArray().Count;

        Assert.Equal(["/ids/5"], (await (await Change(new { isAvailable = false }, [.. ids, foreign.Id()])).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(0, await Unavailable());
        Assert.Equal(["/change/rating"], (await (await Change(new { rating = 99 }, ids)).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/change"], (await (await Change(new { }, ids)).Problem(ProblemType.Validation)).Fields());

        Assert.Equal(5, (await (await Change(new { isAvailable = false }, [.. ids, ids[0]])).Json())["changed"]!.GetValue<int>());
        Assert.Equal(5, await Unavailable());
        var log = (await (await organization.Owner.GetAsync("/v1/activity-logs?actionType=partner.updated")).Json())["items"]!.AsArray();
        Assert.Equal(5, log.Count);
    }
}
