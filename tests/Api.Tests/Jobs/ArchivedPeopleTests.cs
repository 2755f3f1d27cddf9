using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>People whom an archive names: nobody gets an account, a membership, a role or an e-mail by it, and nobody learns who has an account.</summary>
public sealed class ArchivedPeopleTests(ArchiveApp app) : IClassFixture<ArchiveApp>
{
    [Fact]
    public async Task Strangers_are_invited_alike_whether_or_not_they_have_an_account()
    {
        var (home, organization) = (await app.NewOrganization(), await app.NewOrganization());
        var (colleague, address) = await organization.AddUser(Role.Viewer);
        var accounts = await organization.Query<long>("SELECT count(*) FROM users");
        var nobody = $"nobody-{Guid.NewGuid():N}@example.com";
        var archive = new ForgedArchive();
        Person(archive, home.OwnerEmail.ToUpperInvariant(), "owner");
        Person(archive, nobody, "manager");
        Person(archive, $"left-{Guid.NewGuid():N}@example.com", "admin", "suspended");
        var old = Person(archive, address, "owner");
        Person(archive, organization.OwnerEmail, "viewer");
        archive.Add("clients", new() { ["id"] = Guid.CreateVersion7().ToString(), ["assigned_to"] = old });
        var job = await organization.Import(archive);

        Assert.Equal((2, 0), (job["result"]!["invited"]!.GetValue<int>(), job["result"]!["notInvited"]!.GetValue<int>()));
        var invitations = (await organization.Owner.All("invitations")).Select(invitation => $"{invitation.Text("email")} {invitation.Text("role")} {invitation.Text("status")}").Order();
        Assert.Equal(new[] { $"{home.OwnerEmail} owner pending", $"{nobody} manager pending" }.Order(), invitations);
        Assert.Equal(accounts, await organization.Query<long>("SELECT count(*) FROM users"));
        Assert.Equal(0L, await organization.Query<long>("SELECT count(*) FROM outgoing_emails WHERE organization_id = $1", organization.Id));
        Assert.Equal("owner viewer", string.Join(' ', (await organization.Owner.All("members")).Select(member => member.Text("role")).Order()));
        Assert.Equal(colleague, Assert.Single(await organization.Owner.All("clients"))["assignedTo"]!.GetValue<Guid>());
        // The link of an invitation comes with the next one for the address.
        var again = await organization.Create("invitations", new { email = nobody, role = "manager" });
        Assert.Equal(nobody, (await (await app.Anonymous.PostAsJsonAsync("/v1/auth/invitation", new { token = again.Text("token") })).Json()).Text("email"));
    }

    [Fact]
    public async Task No_more_are_invited_than_may_be_open()
    {
        var organization = await app.NewOrganization();
        var archive = new ForgedArchive();
        for (var index = 0; index < InvitationLimits.MaxOpen + 3; index++)
        {
            Person(archive, $"{index}-{organization.Id:N}@example.com", "member");
        }
        var job = await organization.Import(archive);
        Assert.Equal((InvitationLimits.MaxOpen, 3), (job["result"]!["invited"]!.GetValue<int>(), job["result"]!["notInvited"]!.GetValue<int>()));
        await organization.Import(archive);
        Assert.Equal((long)InvitationLimits.MaxOpen, await organization.Query<long>("SELECT count(*) FROM invitations WHERE organization_id = $1", organization.Id));
    }

    [Fact]
    public async Task A_forged_audit_log_says_that_it_came_with_an_archive()
    {
        var organization = await app.NewOrganization();
        var (_, address) = await organization.AddUser(Role.Admin);
        var archive = new ForgedArchive();
        var (colleague, stranger) = (Person(archive, address, "admin"), Person(archive, "stranger@example.com", "member"));
        Log(colleague, null);
        Log(stranger, null);
        Log(null, "somebody before");
        Log(Guid.CreateVersion7().ToString(), null);
        var job = await organization.Import(archive);

        var came = await organization.Owner.All("activity-logs?origin=archive");
        Assert.Equal(4, came.Length);
        Assert.All(came, row => Assert.Equal((job.Id(), null, null), (row["importedIn"]!.GetValue<Guid>(), row["userId"]?.ToString(), row["apiKeyId"]?.ToString())));
        Assert.Equal(new[] { address, "somebody before", "stranger@example.com", null }.Order(), came.Select(row => row["importedActor"]?.GetValue<string>()).Order());
        Assert.DoesNotContain(await organization.Owner.All("activity-logs?origin=here"), row => row.Text("actionType") == "client.deleted");
        var logged = Assert.Single(await organization.Owner.All("activity-logs?actionType=organization.imported"));
        Assert.Equal(("here", organization.OwnerId, job.Id(), archive.OrganizationId), (logged.Text("origin"), logged["userId"]!.GetValue<Guid>(), logged["after"]!["jobId"]!.GetValue<Guid>(), logged["after"]!["archiveOf"]!.GetValue<Guid>()));

        void Log(string? user, string? actor) => archive.Add("activity_logs", new()
        {
            ["id"] = Guid.CreateVersion7().ToString(),
            ["user_id"] = user,
            ["action_type"] = "client.deleted",
            ["entity_type"] = "client",
            ["entity_id"] = Guid.CreateVersion7().ToString(),
            ["ip_address"] = "203.0.113.7",
            ["api_key_id"] = Guid.CreateVersion7().ToString(),
            ["metadata"] = new JsonObject { ["superAdmin"] = "root@example.com" },
            ["created_at"] = "2019-01-01T00:00:00Z",
            ["imported_in"] = null,
            ["imported_actor"] = actor,
        });
    }

    [Fact]
    public async Task Nobody_is_told_anything_in_the_product_s_name()
    {
        var organization = await app.NewOrganization();
        var (_, address) = await organization.AddUser(Role.Admin);
        var archive = new ForgedArchive();
        foreach (var person in new[] { Person(archive, address, "admin"), Person(archive, organization.OwnerEmail, "owner"), Person(archive, "stranger@example.com", "owner") })
        {
            archive.Add("notifications", new() { ["id"] = Guid.CreateVersion7().ToString(), ["user_id"] = person, ["type"] = "mention", ["title"] = "Your password has expired" });
        }
        await organization.Import(archive);
        Assert.Equal(organization.OwnerId, await organization.Query<Guid>("SELECT user_id FROM notifications WHERE organization_id = $1 AND type = 'mention'", organization.Id));
    }

    [Fact]
    public async Task How_somebody_is_told_nobody_else_says_and_a_deletion_is_told_always()
    {
        var organization = await app.NewOrganization();
        var (other, address) = await organization.AddUser(Role.Owner);
        var archive = new ForgedArchive();
        var (person, importer) = (Person(archive, address, "owner"), Person(archive, organization.OwnerEmail, "owner"));
        foreach (var member in new[] { person, importer })
        {
            archive.Add("notification_preferences", new() { ["id"] = Guid.CreateVersion7().ToString(), ["user_id"] = member, ["type"] = "mention", ["in_app"] = false, ["email"] = false });
        }
        await organization.Import(archive);
        Assert.Equal([organization.OwnerId], [await organization.Query<Guid>("SELECT user_id FROM notification_preferences WHERE organization_id = $1", organization.Id)]);
        archive.Change("notification_preferences", row => row["type"] = "organization_deletion");
        await organization.Import(archive);
        Assert.Equal(0L, await organization.Query<long>("SELECT count(*) FROM notification_preferences WHERE organization_id = $1 AND type = 'organization_deletion'", organization.Id));
        var wish = await organization.Owner.PutAsJsonAsync("/v1/notification-preferences", new { type = "organization_deletion", inApp = false, email = false });
        Assert.Equal(["/type"], (await wish.Problem(ProblemType.Validation)).Fields());
        Assert.NotEqual(other, organization.OwnerId);
    }

    private static string Person(ForgedArchive archive, string email, string role, string status = "active")
    {
        var id = Guid.CreateVersion7().ToString();
        archive.Add("users", new() { ["id"] = id, ["email"] = email, ["is_super_admin"] = true, ["password_hash"] = "x" });
        archive.Add("organization_members", new() { ["user_id"] = id, ["role"] = role, ["status"] = status });
        return id;
    }
}
