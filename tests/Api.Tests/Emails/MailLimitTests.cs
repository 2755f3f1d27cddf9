using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Emails;

/// <summary>An installation that sends little.</summary>
public sealed class LimitedMailApp : MailApp
{
    protected override Dictionary<string, string?> Settings() => new(base.Settings())
    {
        ["INVITATIONS_PER_DAY"] = "3",
        ["INVITATION_MAILS_PER_RECIPIENT_PER_DAY"] = "2",
        ["ALERT_MAILS_PER_DAY"] = "3",
        ["SIGN_UPS_PER_HOUR"] = "100000",
    };
}

/// <summary>An installation whose mail server takes few e-mails a minute.</summary>
public sealed class SlowMailApp : MailApp
{
    protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["SMTP_MAILS_PER_MINUTE"] = "4" };
}

/// <summary>How much e-mail goes out, and to whom.</summary>
public sealed class MailLimitTests(LimitedMailApp app) : IClassFixture<LimitedMailApp>
{
    [Fact]
    public async Task An_organization_makes_so_many_invitations_a_day()
    {
        var organization = await app.NewOrganization();
        for (var number = 0; number < 3; number++)
        {
            await organization.Create("invitations", new { email = $"guest{number}-{organization.Id:N}@example.com", role = "member" });
        }
        // One that is refused is none.
        var refused = await organization.Owner.PostAsJsonAsync("/v1/invitations", new { email = $"guest3-{organization.Id:N}@example.com", role = "member" });
        Assert.Equal("INVITATIONS_PER_DAY is 3.", (await refused.Problem(ProblemType.TooManyRequests)).Text("detail"));
        Assert.NotNull(refused.Headers.RetryAfter);
        // Deleting one makes no room: its e-mail was sent.
        var first = (await (await organization.Owner.GetAsync("/v1/invitations")).Json()).Items()[0];
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/invitations/{first.Id()}")).StatusCode);
        await (await organization.Owner.PostAsJsonAsync("/v1/invitations", new { email = $"guest3-{organization.Id:N}@example.com", role = "member" })).Problem(ProblemType.TooManyRequests);
        await (await app.NewOrganization()).Create("invitations", new { email = $"guest4-{organization.Id:N}@example.com", role = "member" });
    }

    [Fact]
    public async Task Nobody_is_written_to_more_often_than_that_whoever_invites()
    {
        var email = $"guest-{Guid.NewGuid():N}@example.com";
        foreach (var _ in new[] { 1, 2 })
        {
            await (await app.NewOrganization()).Create("invitations", new { email, role = "member" });
            await app.NextMail(email);
        }
        var third = await app.NewOrganization();
        var invitation = await third.Create("invitations", new { email, role = "member" });
        // It stands, and its link works; only no e-mail goes out, and the admin sees why.
        var seen = await (await third.Owner.GetAsync($"/v1/invitations/{invitation.Id()}")).Json();
        Assert.Equal(("pending", "dropped", "INVITATION_MAILS_PER_RECIPIENT_PER_DAY is 2."), (seen.Text("status"), seen.Text("emailStatus"), seen.Text("emailAnswer")));
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/accept-invitation", new { token = invitation.Text("token"), password = "seven blue elephants" })).Json(HttpStatusCode.Created);
    }

    [Fact]
    public async Task An_organization_sends_so_many_alerts_a_day_and_the_rest_is_seen_in_the_product()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("SELECT notify_member($1, $2, 'quota_warning', 'Number ' || n) FROM generate_series(1, 30) n", organization.Id, organization.OwnerId);
        await Eventually.Holds(async () => await Count(organization, "state <> 'pending'") == 30);
        Assert.Equal(3, await Count(organization, "state = 'sent'"));
        Assert.Equal(27, await Count(organization, "state = 'dropped' AND last_answer = 'ALERT_MAILS_PER_DAY is 3.' AND attempts = 0"));
        Assert.Equal(30, (await (await organization.Owner.GetAsync("/v1/notifications/unread-count")).Json())["unread"]!.GetValue<int>());
        // A day later there is room again.
        await organization.Execute("UPDATE outgoing_emails SET created_at = created_at - interval '1 day' WHERE organization_id = $1", organization.Id);
        await organization.Execute("SELECT notify_member($1, $2, 'quota_warning', 'Tomorrow')", organization.Id, organization.OwnerId);
        await Eventually.Holds(async () => await Count(organization, "state = 'sent'") == 4);
    }

    [Fact]
    public async Task One_person_is_sent_so_many_links_for_a_new_password_from_wherever_they_are_asked_for()
    {
        var organization = await app.NewOrganization();
        for (var asked = 0; asked < AccountThrottle.MaxResetsPerEmail; asked++)
        {
            // As if each came from another network.
            await organization.Execute("DELETE FROM sign_in_failures WHERE window_ends_at < now() + interval '16 minutes'");
            Assert.Equal(HttpStatusCode.Accepted, (await Forgot(organization)).StatusCode);
        }
        await organization.Execute("DELETE FROM sign_in_failures WHERE window_ends_at < now() + interval '16 minutes'");
        Assert.Contains("10 for one address in 60", (await (await Forgot(organization)).Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Accepted, (await Forgot(await app.NewOrganization())).StatusCode);
    }

    private Task<HttpResponseMessage> Forgot(TestOrganization organization) => app.Anonymous.PostAsJsonAsync("/v1/auth/forgot-password", new { email = organization.OwnerEmail });

    private static Task<long> Count(TestOrganization organization, string condition) =>
        organization.Query<long>($"SELECT count(*) FROM outgoing_emails WHERE organization_id = $1 AND {condition}", organization.Id);
}

public sealed class MailsPerMinuteTests(SlowMailApp app) : IClassFixture<SlowMailApp>
{
    [Fact]
    public async Task No_more_e_mails_go_out_within_a_minute_and_links_for_passwords_go_first()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("SELECT notify_member($1, $2, 'quota_warning', 'Number ' || n) FROM generate_series(1, 12) n", organization.Id, organization.OwnerId);
        await Eventually.Holds(async () => await Sent() == 4);
        await app.Anonymous.PostAsJsonAsync("/v1/auth/forgot-password", new { email = organization.OwnerEmail });
        var sender = app.Services.GetRequiredService<MailSender>();
        Assert.Equal(0, (await sender.SendDue(CancellationToken.None)).Taken);
        // A minute later.
        await organization.Execute("UPDATE outgoing_emails SET attempted_at = attempted_at - interval '1 minute'");
        await sender.SendDue(CancellationToken.None);
        await Eventually.Holds(async () => await Sent() == 8);
        Assert.Equal("sent", await organization.Query<string>("SELECT state FROM outgoing_emails WHERE kind = 'password_reset'"));

        Task<long> Sent() => organization.Query<long>("SELECT count(*) FROM outgoing_emails WHERE state = 'sent'");
    }
}
