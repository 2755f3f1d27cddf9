using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Notifications;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Notifications;

public sealed class NotificationTests(EngineApp app) : IClassFixture<EngineApp>
{
    [Fact]
    public async Task Whoever_gets_a_conversation_is_told_and_nobody_else()
    {
        var (organization, conversation) = await Conversation();
        var (memberId, email) = await organization.AddUser(Role.Member);
        var member = await organization.SignIn(email);
        await (await organization.Owner.PostAsJsonAsync($"/v1/conversations/{conversation}/assign", new { assigneeId = memberId })).Json();
        var told = Assert.Single(await List(member));
        Assert.Equal(("conversation_assigned", "conversation", conversation), (told.Text("type"), told.Text("entityType"), told["entityId"]!.GetValue<Guid>()));
        Assert.Null(told["readAt"]);
        Assert.Empty(await List(organization.Owner));
        await (await organization.Owner.GetAsync($"/v1/notifications/{told.Id()}")).Problem(ProblemType.NotFound);
        await (await organization.Owner.PostAsync($"/v1/notifications/{told.Id()}/read", null)).Problem(ProblemType.NotFound);

        // Taking it oneself is no news.
        await (await member.PostAsync($"/v1/conversations/{conversation}/takeover", null)).Json();
        await (await organization.Owner.PostAsJsonAsync($"/v1/conversations/{conversation}/assign", new { assigneeId = organization.OwnerId })).Json();
        Assert.Empty(await List(organization.Owner));
    }

    [Fact]
    public async Task Members_who_handle_conversations_are_told_of_one_that_needs_a_person()
    {
        var (organization, conversation) = await Conversation();
        var (viewer, member) = (await organization.Member(Role.Viewer), await organization.Member(Role.Member));
        await organization.Execute("UPDATE conversations SET status = 'escalated', managed_by = 'human', version = version + 1 WHERE id = $1", conversation);
        Assert.Equal("conversation_escalated", Assert.Single(await List(member)).Text("type"));
        Assert.Single(await List(organization.Owner));
        Assert.Empty(await List(viewer));
    }

    [Fact]
    public async Task A_note_tells_the_members_whom_it_names()
    {
        var (organization, conversation) = await Conversation();
        var (id, email) = await organization.AddUser(Role.Member);
        var stranger = await app.NewOrganization();
        var path = $"/v1/conversations/{conversation}/notes";
        Assert.Equal(["/mentions/1"], (await (await organization.Owner.PostAsJsonAsync(path, new { text = "Look", mentions = new[] { id, stranger.OwnerId } })).Problem(ProblemType.Validation)).Fields());
        await (await organization.Owner.PostWithKey(path, new { text = "Look at this", mentions = new[] { id, organization.OwnerId, id } }, "note")).Json(System.Net.HttpStatusCode.Created);
        await (await organization.Owner.PostWithKey(path, new { text = "Look at this", mentions = new[] { id, organization.OwnerId, id } }, "note")).Json(System.Net.HttpStatusCode.Created);
        var told = Assert.Single(await List(await organization.SignIn(email)));
        Assert.Equal(("mention", "Test Person mentioned you", "Look at this"), (told.Text("type"), told.Text("title"), told.Text("body")));
        Assert.Empty(await List(organization.Owner));
    }

    [Fact]
    public async Task A_note_about_a_client_tells_in_the_same_way_and_a_changed_one_only_whom_it_names_again()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var (secondId, secondEmail) = await organization.AddUser(Role.Member);
        var (quietId, quietEmail) = await organization.AddUser(Role.Member);
        var (member, second, quiet) = (await organization.SignIn(email), await organization.SignIn(secondEmail), await organization.SignIn(quietEmail));
        await (await quiet.PutAsJsonAsync("/v1/notification-preferences", new { type = "mention", inApp = false, email = false })).Json();
        var stranger = await app.NewOrganization();
        var client = (await organization.Create("clients", new { firstName = "Anna" })).Id();
        Assert.Equal(["/mentions/1"], (await (await organization.Owner.PostAsJsonAsync("/v1/notes", new { clientId = client, content = "Look", mentions = new[] { id, stranger.OwnerId } })).Problem(ProblemType.Validation)).Fields());
        using var events = await EventReader.Open(member);
        Assert.Equal("ready", (await events.Next())!.Type);

        var note = await organization.Create("notes", new { clientId = client, title = "Diet", content = "Eats no meat.", mentions = new[] { id, quietId, organization.OwnerId, id } });
        Assert.Equal("Diet: Eats no meat.", (await events.Next("notification.updated")).Data.Text("body"));
        var told = Assert.Single(await List(member));
        Assert.Equal(("mention", "Test Person mentioned you", "note", note.Id()), (told.Text("type"), told.Text("title"), told.Text("entityType"), told["entityId"]!.GetValue<Guid>()));
        Assert.Empty(await List(organization.Owner));
        Assert.Empty(await List(quiet));
        Assert.Equal(1, await organization.Query<long>("SELECT count(*) FROM outgoing_emails WHERE to_address IN ($1, $2)", email, quietEmail));

        var changed = await (await second.Patch($"/v1/notes/{note.Id()}", new { mentions = new[] { id, organization.OwnerId, secondId } }, "*")).Json();
        Assert.Equal([id, organization.OwnerId, secondId], changed["mentions"]!.AsArray().Select(person => person!.GetValue<Guid>()));
        Assert.Single(await List(member));
        Assert.Single(await List(organization.Owner));
        Assert.Empty(await List(second));
        await (await organization.Owner.Patch($"/v1/notes/{note.Id()}", new { content = "Eats meat." }, "*")).Json();
        Assert.Single(await List(member));

        await (await organization.Owner.PostAsJsonAsync("/v1/notes/bulk-update", new { ids = new[] { note.Id() }, change = new { mentions = new[] { secondId } } })).Json();
        Assert.Single(await List(second));
        // In SQL too: whoever is nobody here is passed over.
        await organization.Execute("UPDATE notes SET mentions = ARRAY[$2]::uuid[] WHERE id = $1", note.Id(), stranger.OwnerId);
        Assert.Empty(await List(stranger.Owner));
    }

    [Fact]
    public async Task Notifications_come_live_to_their_person_alone()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var member = await organization.SignIn(email);
        using var mine = await EventReader.Open(member);
        using var others = await EventReader.Open(organization.Owner);
        Assert.Equal(("ready", "ready"), ((await mine.Next())!.Type, (await others.Next())!.Type));
        await Tell(organization, id, "For the member");
        await Tell(organization, organization.OwnerId, "For the owner");
        Assert.Equal("For the member", (await mine.Next("notification.updated")).Data.Text("title"));
        var next = await others.Next("notification.updated");
        Assert.Equal("For the owner", next.Data.Text("title"));

        // Read in one window, read in all; and nothing is missed by whoever comes back.
        await (await organization.Owner.PostAsync($"/v1/notifications/{next.Data.Id()}/read", null)).Json();
        Assert.True((await others.Next("notification.updated")).Data["isRead"]!.GetValue<bool>());
        using var back = await EventReader.Open(member, lastEventId: mine.LastId);
        await Tell(organization, id, "Again");
        Assert.Equal("Again", (await back.Next("notification.updated")).Data.Text("title"));
    }

    [Fact]
    public async Task Unread_ones_are_counted_and_marked_one_by_one_or_all()
    {
        var organization = await app.NewOrganization();
        for (var index = 0; index < 3; index++)
        {
            await Tell(organization, organization.OwnerId, $"Number {index}");
        }
        Assert.Equal((3, 3), await Unread());
        var first = (await List(organization.Owner))[0];
        var read = await (await organization.Owner.PostAsync($"/v1/notifications/{first.Id()}/read", null)).Json();
        Assert.NotNull(read["readAt"]);
        var again = await (await organization.Owner.PostAsync($"/v1/notifications/{first.Id()}/read", null)).Json();
        Assert.Equal(read.ToJsonString(), again.ToJsonString());
        Assert.Equal((2, 2), await Unread());
        Assert.Equal(2, (await (await organization.Owner.GetAsync("/v1/notifications?isRead=false")).Json()).Items().Length);
        Assert.Equal(2, (await (await organization.Owner.PostAsync("/v1/notifications/read-all", null)).Json())["read"]!.GetValue<int>());
        Assert.Equal((0, 0), await Unread());

        async Task<(int, int)> Unread()
        {
            var count = await (await organization.Owner.GetAsync("/v1/notifications/unread-count")).Json();
            return (count["unread"]!.GetValue<int>(), count["byType"]!["quota_warning"]?.GetValue<int>() ?? 0);
        }
    }

    [Fact]
    public async Task Preferences_are_a_member_s_own_and_hold()
    {
        var organization = await app.NewOrganization();
        var admin = await organization.Member(Role.Admin);
        var listed = (await (await organization.Owner.GetAsync("/v1/notification-preferences")).Json()).Items();
        Assert.Equal(NotificationResource.Types, listed.Select(item => item.Text("type")));
        Assert.All(listed, item => Assert.True(item["inApp"]!.GetValue<bool>()));
        await (await organization.Owner.PutAsJsonAsync("/v1/notification-preferences", new { type = "quota_warning", inApp = false, email = false })).Json();
        await organization.Execute("SELECT notify_members($1, 'admin', 'quota_warning', 'Quota')", organization.Id);
        Assert.Empty(await List(organization.Owner));
        Assert.Single(await List(admin));
        await (await organization.Owner.PutAsJsonAsync("/v1/notification-preferences", new { type = "everything", inApp = false, email = false })).Problem(ProblemType.Validation);
    }

    [Fact]
    public async Task Activities_tell_whom_they_are_given_to_and_when_they_are_due()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var member = await organization.SignIn(email);
        var activity = await organization.Create("activities", new { activityType = "task", subject = "Call Anna", assignedTo = id, dueDate = DateTimeOffset.UtcNow.AddHours(-1) });
        Assert.Equal(("activity_assigned", activity.Id()), (Assert.Single(await List(member)).Text("type"), (await List(member))[0]["entityId"]!.GetValue<Guid>()));
        var sender = app.Services.GetRequiredService<DueNotifications>();
        await sender.Look(CancellationToken.None);
        await sender.Look(CancellationToken.None);
        Assert.Equal(["activity_assigned", "activity_due"], (await List(member)).Select(told => told.Text("type")).Order());
        // A moved date is told again, a finished activity is not.
        await organization.Execute("UPDATE activities SET due_date = now() - interval '1 minute' WHERE id = $1", activity.Id());
        await sender.Look(CancellationToken.None);
        Assert.Equal(3, (await List(member)).Length);
        await organization.Execute("UPDATE activities SET due_date = now() - interval '2 minutes', status = 'completed' WHERE id = $1", activity.Id());
        await sender.Look(CancellationToken.None);
        Assert.Equal(3, (await List(member)).Length);
    }

    [Fact]
    public async Task A_title_is_said_in_the_language_that_its_reader_has_now()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var member = await organization.SignIn(email);
        await Tell(organization, id, "Number one");
        await organization.Create("activities", new { activityType = "task", subject = "Call {0} %s", assignedTo = id });
        await organization.Execute("SELECT notify_member($1, $2, 'mention', NULL, text_name => 'mentioned', text_values => ARRAY[NULL])", organization.Id, id);
        await organization.Execute("SELECT notify_member($1, $2, 'mention', 'Later', text_name => 'of a later release', text_values => ARRAY['x'])", organization.Id, id);
        Assert.Equal(["Call {0} %s is yours", "Later", "Number one", "Somebody mentioned you"], await Titles());
        foreach (var (locale, titles) in new[] { ("de-AT", (string[])["Für Sie: Call {0} %s", "Jemand hat Sie erwähnt", "Later", "Number one"]), ("ja", ["Call {0} %s is yours", "Later", "Number one", "Somebody mentioned you"]) })
        {
            using var change = new HttpRequestMessage(HttpMethod.Patch, "/v1/me") { Content = JsonContent.Create(new { locale }) };
            await (await member.SendAsync(change)).Json();
            Assert.Equal(titles, await Titles());
        }
        Assert.Equal("Call {0} %s is yours", await organization.Query<string>("SELECT title FROM notifications WHERE user_id = $1 AND text_name = 'activityYours'", id));

        async Task<IEnumerable<string>> Titles() => (await List(member)).Select(told => told.Text("title")).Order(StringComparer.Ordinal);
    }

    private async Task<(TestOrganization Organization, Guid Conversation)> Conversation()
    {
        var organization = await app.NewOrganization();
        await (await app.NewLine(organization)).Write("15550000001", "Hello");
        return (organization, Assert.Single((await (await organization.Owner.GetAsync("/v1/conversations")).Json()).Items()).Id());
    }

    private static Task Tell(TestOrganization organization, Guid person, string title) =>
        organization.Execute("SELECT notify_member($1, $2, 'quota_warning', $3)", organization.Id, person, title);

    private static async Task<System.Text.Json.Nodes.JsonObject[]> List(HttpClient client) => (await (await client.GetAsync("/v1/notifications")).Json()).Items();
}
