using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Emails;

/// <summary>What became of e-mails, as admins see it.</summary>
public sealed class OutgoingEmailTests(MailApp app) : IClassFixture<MailApp>
{
    [Fact]
    public async Task An_invitation_that_is_refused_is_seen_by_admins_and_told_to_whoever_invited()
    {
        var organization = await app.NewOrganization();
        var email = NewEmail();
        app.Smtp.Next(new("RCPT", "550-5.1.1 No such user\r\n550 5.1.1 here"));
        var invitation = await organization.Create("invitations", new { email, role = "member" });
        await Eventually.Holds(async () => (await Email(organization, email)).Text("status") == "failed");
        var seen = await Email(organization, email);
        Assert.Equal(("invitation", "invitation", invitation.Id()), (seen.Text("kind"), seen.Text("entityType"), seen["entityId"]!.GetValue<Guid>()));
        Assert.Equal((1, "550 5.1.1 No such user 5.1.1 here"), (seen["attempts"]!.GetValue<int>(), seen.Text("lastAnswer")));
        Assert.NotNull(seen["lastAttemptAt"]);
        Assert.NotNull(seen["finishedAt"]);
        Assert.Null(seen["nextAttemptAt"]);
        Assert.DoesNotContain(invitation.Text("token"), seen.ToJsonString(), StringComparison.Ordinal);
        var listed = await (await organization.Owner.GetAsync($"/v1/invitations/{invitation.Id()}")).Json();
        Assert.Equal(("failed", "550 5.1.1 No such user 5.1.1 here"), (listed.Text("emailStatus"), listed.Text("emailAnswer")));
        var told = Assert.Single((await (await organization.Owner.GetAsync("/v1/notifications?type=invitation_failed")).Json()).Items());
        Assert.Equal(("An invitation was not delivered", $"{email}: 550 5.1.1 No such user 5.1.1 here"), (told.Text("title"), told.Text("body")));
    }

    [Fact]
    public async Task Greylisting_is_waited_for_with_the_next_try_in_sight()
    {
        var organization = await app.NewOrganization();
        app.Smtp.Options = app.Smtp.Options with { Greylists = true };
        var email = NewEmail();
        await organization.Create("invitations", new { email, role = "member" });
        await Eventually.Holds(async () => (await Email(organization, email))["lastAnswer"] is not null);
        var waiting = await Email(organization, email);
        Assert.Equal(("pending", "451 4.7.1 Greylisting in action 4.7.1 Please come back later"), (waiting.Text("status"), waiting.Text("lastAnswer")));
        Assert.Equal(TimeSpan.FromSeconds(15), waiting["nextAttemptAt"]!.GetValue<DateTimeOffset>() - waiting["updatedAt"]!.GetValue<DateTimeOffset>());
        await organization.Execute("UPDATE outgoing_emails SET next_attempt_at = now() WHERE to_address = $1", email);
        await app.Services.GetRequiredService<MailSender>().SendDue(CancellationToken.None);
        await app.NextMail(email);
        await Eventually.Holds(async () => (await Email(organization, email)).Text("status") == "sent");
        var sent = await Email(organization, email);
        Assert.Equal(2, sent["attempts"]!.GetValue<int>());
        Assert.StartsWith("250 2.0.0 queued as", sent.Text("lastAnswer"), StringComparison.Ordinal);
        app.Smtp.Options = app.Smtp.Options with { Greylists = false };
    }

    [Fact]
    public async Task What_is_given_up_for_its_age_has_failed_and_keeps_the_last_answer()
    {
        var organization = await app.NewOrganization();
        var email = NewEmail();
        app.Smtp.Next(new("RCPT", "452 4.2.2 Mailbox full"));
        await organization.Create("invitations", new { email, role = "member" });
        await Eventually.Holds(async () => (await Email(organization, email))["lastAnswer"] is not null);
        await organization.Execute("UPDATE outgoing_emails SET next_attempt_at = now(), expires_at = now() WHERE to_address = $1", email);
        await app.Services.GetRequiredService<MailSender>().SendDue(CancellationToken.None);
        var failed = await Email(organization, email);
        Assert.Equal(("failed", "Given up: it is too old. 452 4.2.2 Mailbox full"), (failed.Text("status"), failed.Text("lastAnswer")));
        Assert.Single((await (await organization.Owner.GetAsync("/v1/notifications?type=invitation_failed")).Json()).Items());
    }

    [Fact]
    public async Task Of_several_processes_each_e_mail_is_sent_by_one()
    {
        var organization = await app.NewOrganization();
        var emails = Enumerable.Range(0, 40).Select(_ => NewEmail()).ToHashSet();
        await organization.Execute("INSERT INTO outgoing_emails (organization_id, kind, to_address, subject) SELECT $1, 'notification', t, 'Subject' FROM unnest($2) t", organization.Id, emails.ToArray());
        using var second = ActivatorUtilities.CreateInstance<MailSender>(app.Services);
        using var third = ActivatorUtilities.CreateInstance<MailSender>(app.Services);
        // The application's own sends too.
        for (var round = 0; round < 4; round++)
        {
            await Task.WhenAll(second.SendDue(CancellationToken.None), third.SendDue(CancellationToken.None));
        }
        await Eventually.Holds(async () => await organization.Query<long>("SELECT count(*) FROM outgoing_emails WHERE organization_id = $1 AND state = 'sent' AND attempts = 1", organization.Id) == emails.Count);
        using var patience = new CancellationTokenSource(Eventually.Patience);
        var came = new HashSet<string>();
        while (came.Count < emails.Count)
        {
            var to = (await app.Smtp.NextMail(patience.Token)).To[0];
            Assert.True(!emails.Contains(to) || came.Add(to), $"{to} a second time");
        }
    }

    [Fact]
    public async Task Whoever_was_away_longer_than_his_lease_does_not_overrule_who_came_after_him()
    {
        var organization = await app.NewOrganization();
        var id = Guid.CreateVersion7();
        await organization.Execute("INSERT INTO outgoing_emails (id, organization_id, kind, to_address, state, attempts, next_attempt_at) VALUES ($1, $2, 'notification', 'a@example.com', 'pending', 2, now() + interval '1 hour')", id, organization.Id);
        await organization.Execute("SELECT settle_email($1, 'failed', 'late', interval '1 second', 1)", id);
        Assert.Equal("pending", await organization.Query<string>("SELECT state FROM outgoing_emails WHERE id = $1", id));
        await organization.Execute("SELECT settle_email($1, 'sent', '250 ok', interval '1 second', 2)", id);
        Assert.Equal("sent", await organization.Query<string>("SELECT state FROM outgoing_emails WHERE id = $1", id));
    }

    [Fact]
    public async Task E_mails_are_seen_by_admins_of_their_organization_and_what_they_say_by_nobody()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        await organization.Execute("SELECT notify_member($1, $2, 'quota_warning', 'A secret title', 'A secret body')", organization.Id, organization.OwnerId);
        var seen = await Email(organization, organization.OwnerEmail);
        Assert.Equal(("notification", organization.OwnerId), (seen.Text("kind"), seen["userId"]!.GetValue<Guid>()));
        Assert.DoesNotContain("secret", seen.ToJsonString(), StringComparison.Ordinal);
        await (await (await organization.Member(Role.Manager)).GetAsync("/v1/outgoing-emails")).Problem(ProblemType.Forbidden);
        Assert.Empty((await (await other.Owner.GetAsync("/v1/outgoing-emails")).Json()).Items());
        await (await other.Owner.GetAsync($"/v1/outgoing-emails/{seen.Id()}")).Problem(ProblemType.NotFound);
        await Eventually.Holds(async () => (await Email(organization, organization.OwnerEmail)).Text("status") == "sent");
        Assert.Empty((await (await organization.Owner.GetAsync("/v1/outgoing-emails?status=failed,pending")).Json()).Items());
    }

    [Fact]
    public async Task Whoever_looks_after_the_installation_sees_those_of_all_and_links_for_passwords()
    {
        var organization = await app.NewOrganization();
        await app.Anonymous.PostAsJsonAsync("/v1/auth/forgot-password", new { email = organization.OwnerEmail });
        await app.NextMail(organization.OwnerEmail);
        await (await organization.Owner.GetAsync("/v1/installation-emails")).Problem(ProblemType.Forbidden);
        Assert.Empty((await (await organization.Owner.GetAsync("/v1/outgoing-emails?kind=password_reset")).Json()).Items());
        var home = await app.NewOrganization();
        await home.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", home.OwnerId);
        var operatorClient = await home.SignIn(home.OwnerEmail);
        var reset = Assert.Single((await (await operatorClient.GetAsync($"/v1/installation-emails?to={organization.OwnerEmail}")).Json()).Items());
        Assert.Equal("password_reset", reset.Text("kind"));
        Assert.Null(reset["organizationId"]);
        await (await operatorClient.GetAsync($"/v1/installation-emails/{reset.Id()}")).Json();
    }

    [Fact]
    public async Task A_test_goes_to_oneself_and_answers_what_the_server_said()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE users SET locale = 'de' WHERE id = $1", organization.OwnerId);
        var sent = await Test(organization.Owner);
        Assert.Equal((true, organization.OwnerEmail), (sent["isSent"]!.GetValue<bool>(), sent.Text("to")));
        Assert.StartsWith("250 2.0.0 queued as", sent.Text("answer"), StringComparison.Ordinal);
        Assert.Equal("Ein Test", (await app.NextMail(organization.OwnerEmail)).Subject);
        app.Smtp.Next(new("RCPT", "550 5.7.1 Relaying denied"));
        var refused = await Test(organization.Owner);
        Assert.Equal((false, "550 5.7.1 Relaying denied"), (refused["isSent"]!.GetValue<bool>(), refused.Text("answer")));
        app.Smtp.Options = app.Smtp.Options with { Mechanisms = ["XOAUTH2"] };
        Assert.Contains("offers only XOAUTH2", (await Test(organization.Owner)).Text("answer"), StringComparison.Ordinal);
        app.Smtp.Options = app.Smtp.Options with { Mechanisms = ["PLAIN", "LOGIN"] };

        var logged = (await (await organization.Owner.GetAsync("/v1/activity-logs?actionType=email.tested")).Json()).Items();
        Assert.Equal(3, logged.Length);
        Assert.All(logged, row => Assert.Equal(organization.OwnerId, row["userId"]!.GetValue<Guid>()));
        await (await (await organization.Member(Role.Manager)).PostAsync("/v1/outgoing-emails/test", null)).Problem(ProblemType.Forbidden);
        for (var more = 3; more < AccountThrottle.MaxTestEmails; more++)
        {
            await Test(organization.Owner);
        }
        var answer = await organization.Owner.PostAsync("/v1/outgoing-emails/test", null);
        Assert.Contains("10 in 60 minutes", (await answer.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        Assert.NotNull(answer.Headers.RetryAfter);
    }

    [Fact]
    public async Task While_the_server_can_not_be_reached_all_that_waits_says_so_after_one_try()
    {
        var organization = await app.NewOrganization();
        app.Smtp.Options = app.Smtp.Options with { Mechanisms = ["XOAUTH2"] };
        var before = app.Smtp.Connections;
        var emails = Enumerable.Range(0, 5).Select(_ => NewEmail()).ToArray();
        await organization.Execute("INSERT INTO outgoing_emails (organization_id, kind, to_address, subject) SELECT $1, 'notification', t, 'Subject' FROM unnest($2) t", organization.Id, emails);
        await Eventually.Holds(async () => (await List(organization)).All(email => email["lastAnswer"]?.GetValue<string>().Contains("offers only XOAUTH2", StringComparison.Ordinal) == true));
        Assert.Equal(before + 1, app.Smtp.Connections);
        app.Smtp.Options = app.Smtp.Options with { Mechanisms = ["PLAIN", "LOGIN"] };
        await organization.Execute("UPDATE outgoing_emails SET next_attempt_at = now() WHERE organization_id = $1", organization.Id);
        await app.Services.GetRequiredService<MailSender>().SendDue(CancellationToken.None);
        await Eventually.Holds(async () => (await List(organization)).All(email => email.Text("status") == "sent"));
    }

    private static string NewEmail() => $"guest-{Guid.NewGuid():N}@example.com";

    private static async Task<JsonObject> Test(HttpClient client) => await (await client.PostAsync("/v1/outgoing-emails/test", null)).Json();

    private static async Task<JsonObject[]> List(TestOrganization organization) => (await (await organization.Owner.GetAsync("/v1/outgoing-emails")).Json()).Items();

    private static async Task<JsonObject> Email(TestOrganization organization, string to) =>
        Assert.Single((await (await organization.Owner.GetAsync($"/v1/outgoing-emails?to={Uri.EscapeDataString(to.ToUpperInvariant())}")).Json()).Items());
}
