using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Crm;

public sealed class ActivityTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task A_task_is_assigned_found_when_it_is_late_and_done()
    {
        var organization = await app.NewOrganization();
        var (worker, email) = await organization.AddUser(Role.Member);
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        var task = await organization.Create("activities", new { activityType = "task", subject = "Send the offer", clientId = client, priority = "high", dueDate = DateTimeOffset.UtcNow.AddHours(-1) });
        var later = await organization.Create("activities", new { activityType = "task", subject = "Call", dueDate = DateTimeOffset.UtcNow.AddHours(1) });
        var whenever = await organization.Create("activities", new { activityType = "task", subject = "Think" });
        Assert.Equal(organization.OwnerId, task["createdBy"]!.GetValue<Guid>());

        async Task<Guid[]> Find(string query) => [.. (await (await organization.Owner.GetAsync($"/v1/activities?sort=dueDate&{query}")).Json()).Items().Select(item => item.Id())];
        Assert.Equal([task.Id()], await Find("overdue=true"));
        Assert.Equal([later.Id(), whenever.Id()], await Find("overdue=false"));
        Assert.Equal([task.Id(), later.Id(), whenever.Id()], await Find("status=pending"));

        await (await organization.Owner.PostAsJsonAsync($"/v1/activities/{task.Id()}/assign", new { assignedTo = worker })).Json();
        Assert.Equal([task.Id()], await Find($"assignedTo={worker}&overdue=true"));
        var mine = await organization.SignIn(email);
        var done = await (await mine.PostAsJsonAsync($"/v1/activities/{task.Id()}/complete", new { description = "Sent by mail." })).Json();
        Assert.Equal(("completed", "Sent by mail."), (done.Text("status"), done.Text("description")));
        Assert.NotNull(done["completedAt"]);
        Assert.Empty(await Find("overdue=true"));
        Assert.Equal(["/status"], (await (await mine.PostAsync($"/v1/activities/{task.Id()}/cancel", null)).Problem(ProblemType.Conflict)).Fields());
        Assert.Null((await (await mine.PostAsync($"/v1/activities/{task.Id()}/reopen", null)).Json())["completedAt"]);
        Assert.NotNull((await (await organization.Owner.GetAsync($"/v1/clients/{client}")).Json())["lastContactDate"]);
    }

    [Fact]
    public async Task A_call_says_how_it_went()
    {
        var organization = await app.NewOrganization();
        var call = await organization.Create("activities", new { activityType = "call", subject = "First call", callDirection = "outbound", phone = "+15550001111" });
        var done = await (await organization.Owner.PostAsJsonAsync($"/v1/activities/{call.Id()}/complete", new { callOutcome = "answered", callDurationSeconds = 95 })).Json();
        Assert.Equal(("answered", 95), (done.Text("callOutcome"), done["callDurationSeconds"]!.GetValue<int>()));
        var recording = await organization.Create("call-recordings", new { activityId = call.Id(), recordingUrl = "https://example.com/call.mp3", durationSeconds = 95, transcript = "Hello?" });
        Assert.Equal(call.Id(), recording["activityId"]!.GetValue<Guid>());
        Assert.Equal(["/activityType"], (await (await organization.Owner.PostAsJsonAsync("/v1/activities", new { activityType = "task", subject = "Task", callOutcome = "busy" })).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task Pinned_notes_come_first_page_by_page()
    {
        var organization = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        var notes = new List<Guid>();
        for (var number = 0; number < 5; number++)
        {
            notes.Add((await organization.Create("notes", new { clientId = client, content = $"Note {number}" })).Id());
        }
        await (await organization.Owner.PostAsync($"/v1/notes/{notes[1]}/pin", null)).Json();
        var read = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = await (await organization.Owner.GetAsync($"/v1/notes?clientId={client}&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).Json();
            read.AddRange(page.Items().Select(note => note.Id()));
            cursor = page["nextCursor"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal([notes[1], notes[4], notes[3], notes[2], notes[0]], read);
        Assert.False((await (await organization.Owner.PostAsync($"/v1/notes/{notes[1]}/unpin", null)).Json())["isPinned"]!.GetValue<bool>());
        Assert.Equal(["/clientId"], (await (await organization.Owner.PostAsJsonAsync("/v1/notes", new { content = "Note" })).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_tags_new_name_is_carried_to_those_who_bear_it()
    {
        var organization = await app.NewOrganization();
        var client = await organization.Create("clients", new { firstName = "Anna", tags = new[] { "vip", "regular" } });
        var tags = (await (await organization.Owner.GetAsync("/v1/tags")).Json()).Items();
        Assert.Equal(["regular", "vip"], tags.Select(tag => tag.Text("name")));
        await (await organization.Owner.Patch($"/v1/tags/{tags[1].Id()}", new { name = "gold", color = "#FFD700" }, "\"1\"")).Json();
        async Task<string[]> Tags(Guid id) => [.. (await (await organization.Owner.GetAsync($"/v1/clients/{id}")).Json())["tags"]!.AsArray().Select(tag => tag!.GetValue<string>()).Order()];
        Assert.Equal(["gold", "regular"], await Tags(client.Id()));
        Assert.Equal(["/name"], (await (await organization.Owner.Patch($"/v1/tags/{tags[1].Id()}", new { name = "regular" }, "*")).Problem(ProblemType.Conflict)).Fields());
    }

    [Fact]
    public async Task Many_clients_are_tagged_at_once_or_none()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var anna = await organization.Create("clients", new { firstName = "Anna", tags = new[] { "old", "vip" } });
        var boris = await organization.Create("clients", new { firstName = "Boris" });
        var foreign = await other.Create("clients", new { firstName = "Clara" });
        async Task<string[]> Tags(Guid id) => [.. (await (await organization.Owner.GetAsync($"/v1/clients/{id}")).Json())["tags"]!.AsArray().Select(tag => tag!.GetValue<string>())];
        async Task<HttpResponseMessage> Tag(params Guid[] ids) => await organization.Owner.PostAsJsonAsync("/v1/clients/bulk-tag", new { ids, add = new[] { "vip", "spring" }, remove = new[] { "old" } });

        Assert.Equal(["/ids/1"], (await (await Tag(anna.Id(), foreign.Id())).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["old", "vip"], await Tags(anna.Id()));
        Assert.Equal(2, (await (await Tag(anna.Id(), boris.Id())).Json())["changed"]!.GetValue<int>());
        Assert.Equal(["vip", "spring"], await Tags(anna.Id()));
        Assert.Equal(["vip", "spring"], await Tags(boris.Id()));
        Assert.Equal(0, (await (await Tag(anna.Id(), boris.Id())).Json())["changed"]!.GetValue<int>());
        Assert.Single((await (await organization.Owner.GetAsync($"/v1/activity-logs?entityId={boris.Id()}&actionType=client.tagged")).Json()).Items());
        var many = await organization.Owner.PostAsJsonAsync("/v1/clients/bulk-tag", new { ids = new[] { anna.Id() }, add = Enumerable.Range(0, 49).Select(number => $"t{number}") });
        Assert.Equal(["/add"], (await many.Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["vip", "spring"], await Tags(anna.Id()));
    }
}
