using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using AgentPlatform.Api.Emails;
using AgentPlatform.Api.Notifications;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Grains.Channels;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Emails;

public sealed class MailTests(MailApp app) : IClassFixture<MailApp>
{
    [Fact]
    public async Task An_invitation_goes_by_e_mail_and_its_link_works()
    {
        var organization = await app.NewOrganization();
        var email = Address();
        var invitation = await organization.Create("invitations", new { email, role = "member" });
        var mail = await app.NextMail(email);
        Assert.Equal(("platform@example.com", "Your invitation to Organization"), (mail.From, mail.Subject));
        Assert.Equal("Größe & Co <platform@example.com>", mail.Headers["From"]);
        Assert.Contains(invitation.Text("link"), mail.Body, StringComparison.Ordinal);
        var token = mail.Body.Split("#token=")[1].Split('\r')[0];
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/accept-invitation", new { token, password = "seven blue elephants" })).Json(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_forgotten_password_is_set_again_by_an_e_mailed_link_and_nobody_else_gets_one()
    {
        var organization = await app.NewOrganization();
        var nobody = Address();
        foreach (var email in new[] { nobody, organization.OwnerEmail })
        {
            Assert.Equal(HttpStatusCode.Accepted, (await app.Anonymous.PostAsJsonAsync("/v1/auth/forgot-password", new { email })).StatusCode);
        }
        var mail = await app.NextMail(organization.OwnerEmail);
        var token = mail.Body.Split("#token=")[1].Split('\r')[0];
        Assert.Equal(0L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM outgoing_emails e WHERE to_jsonb(e)::text LIKE '%{token}%'"));
        Assert.Equal(HttpStatusCode.NoContent, (await app.Anonymous.PostAsJsonAsync("/v1/auth/reset-password", new { token, password = "seven blue elephants" })).StatusCode);
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, "seven blue elephants")).Json();
        await Eventually.Holds(async () => await State(nobody) == "dropped");
    }

    [Fact]
    public async Task A_notification_goes_by_e_mail_once_with_its_text()
    {
        var organization = await app.NewOrganization();
        for (var again = 0; again < 2; again++)
        {
            await organization.Execute(
                "SELECT notify_member($1, $2, 'quota_warning', 'Зарплата: 80 % — 日本語 ' || repeat('длинный заголовок ', 8), E'First line.\n.second line begins with a dot\nThird.', NULL, NULL, 'once')",
                organization.Id, organization.OwnerId);
        }
        var mail = await app.NextMail(organization.OwnerEmail);
        Assert.StartsWith("Зарплата: 80 % — 日本語 длинный заголовок", mail.Subject, StringComparison.Ordinal);
        Assert.Contains(".second line begins with a dot\r\nThird.", mail.Body, StringComparison.Ordinal);
        Assert.Equal(1L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM outgoing_emails WHERE to_address = '{organization.OwnerEmail}'"));
        await Eventually.Holds(async () => await State(organization.OwnerEmail) == "sent");
    }

    [Fact]
    public async Task An_e_mail_speaks_the_language_of_whoever_gets_it()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE users SET locale = 'ru-KG', full_name = 'Айгуль' WHERE id = $1", organization.OwnerId);
        await organization.Execute("SELECT notify_member($1, $2, 'mention', NULL, 'Смотри.', text_name => 'mentioned', text_values => ARRAY['Jürgen {0}'])", organization.Id, organization.OwnerId);
        var told = await app.NextMail(organization.OwnerEmail);
        Assert.Equal("Jürgen {0} упоминает вас", told.Subject);
        Assert.Contains("Смотри.", told.Body, StringComparison.Ordinal);
        Assert.Contains("настройках уведомлений", told.Body, StringComparison.Ordinal);

        // Somebody without an account is written to in the inviter's language, somebody with one in his own.
        var stranger = Address();
        await organization.Create("invitations", new { email = stranger, role = "member" });
        var invited = await app.NextMail(stranger);
        Assert.Equal("Ваше приглашение в Organization", invited.Subject);
        Assert.Contains("Айгуль приглашает вас в Organization, роль: сотрудник.", invited.Body, StringComparison.Ordinal);
        var guest = await app.NewOrganization();
        await guest.Execute("UPDATE users SET locale = 'ar' WHERE id = $1", guest.OwnerId);
        await organization.Create("invitations", new { email = guest.OwnerEmail, role = "admin" });
        Assert.Equal("دعوتك إلى Organization", (await app.NextMail(guest.OwnerEmail)).Subject);

        await guest.Execute("UPDATE users SET locale = 'pl' WHERE id = $1", guest.OwnerId);
        await app.Anonymous.PostAsJsonAsync("/v1/auth/forgot-password", new { email = guest.OwnerEmail });
        Assert.Equal("Twoje nowe hasło", (await app.NextMail(guest.OwnerEmail)).Subject);
    }

    [Fact]
    public void Each_language_says_all_that_English_says_with_the_same_places_for_names_and_numbers()
    {
        Assert.Equal(["ar", "de", "en", "es", "fr", "pl", "ru"], ReaderLanguage.All.ToArray());
        var english = ReaderLanguage.Of("en");
        foreach (var language in ReaderLanguage.All.Select(ReaderLanguage.Of))
        {
            Assert.Equal(english.Titles.Keys.Order(), language.Titles.Keys.Order());
            Assert.Equal(english.Words.Keys.Order(), language.Words.Keys.Order());
            Assert.Equal(english.Titles.Keys.Order().Select(name => Places(english.Titles[name])), language.Titles.Keys.Order().Select(name => Places(language.Titles[name])));
            Assert.Equal(
                [Places(english.InvitationSubject), Places(english.InvitationBody), Places(english.ResetSubject), Places(english.ResetBody), Places(english.TestSubject), Places(english.TestBody)],
                [Places(language.InvitationSubject), Places(language.InvitationBody), Places(language.ResetSubject), Places(language.ResetBody), Places(language.TestSubject), Places(language.TestBody)]);
        }
        Assert.Same(english, ReaderLanguage.Of("ja"));
        Assert.Same(english, ReaderLanguage.Of(null));
        Assert.Equal("Беседа с {1:word} теперь ваша", ReaderLanguage.Of("ru").Title("conversationYours", ["{1:word}"]));
        Assert.Equal("Беседа с посетителем теперь ваша", ReaderLanguage.Of("ru").Title("conversationYours", [null]));
        Assert.Equal("member ist jetzt dabei, Rolle: Mitglied", ReaderLanguage.Of("de").Title("joined", ["member", "member"]));
        Assert.Null(ReaderLanguage.Of("de").Title("of a later release", ["Anna"]));

        static string Places(string text) => string.Join(' ', Regex.Matches(text, @"\{[^}]*\}").Select(match => match.Value).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_database_names_texts_that_each_language_has_and_writes_the_same_English()
    {
        // Every text that a function names, as they are now.
        var named = new SortedSet<string>(StringComparer.Ordinal);
        var english = ReaderLanguage.Of("en");
        foreach (var function in new[] { "notify_escalation", "notify_assignment", "notify_mentioned", "notify_activity_assignment", "notify_due_activities", "accept_invitation", "record_usage_alert", "notify_message_failed", "notify_invitation_failed", "notify_deletion_ordered" })
        {
            var source = await app.Database.ScalarAsAdminAsync<string>($"SELECT prosrc FROM pg_proc WHERE proname = '{function}'");
            var texts = Regex.Matches(source!, "'([a-z]+[A-Z][A-Za-z]*|mentioned|joined|stopped)'").Select(match => match.Groups[1].Value).Where(name => name is not ("assignedTo" or "periodStart" or "usageAlert")).ToArray();
            Assert.NotEmpty(texts);
            named.UnionWith(texts);
        }
        // What is wrong with a channel the engine names.
        named.UnionWith(Enum.GetValues<ChannelTrouble>().Select(trouble => trouble == ChannelTrouble.Other ? "channelBroken" : $"channel{trouble}"));
        Assert.Equal(english.Titles.Keys.Except(["jobDone", "jobFailed"]).Order(StringComparer.Ordinal), named);
        foreach (var name in english.Titles.Keys)
        {
            string?[] values = name switch { "joined" => ["Anna", "member"], "deletionOrdered" => ["Anna", "2026-12-31"], "stopped" => ["unpaid"], "jobDone" or "jobFailed" => ["file_processing"], "tokensUsed" or "conversationsUsed" => ["400", "500"], "activityYours" or "activityDue" => ["Call"], _ when name.StartsWith("channel", StringComparison.Ordinal) => ["Line"], _ => [null] };
            var written = await app.Database.ScalarAsAdminAsync<string>($"SELECT notification_title('{name}', ARRAY[{string.Join(", ", values.Select(value => value is null ? "NULL" : $"'{value}'"))}]::text[])");
            Assert.Equal(english.Title(name, values), written);
        }
    }

    [Fact]
    public async Task What_the_server_can_not_take_now_is_tried_again_with_a_pause_and_what_it_never_takes_is_given_up()
    {
        var organization = await app.NewOrganization();
        app.Smtp.Next(new("RCPT", "451 Try again later"));
        await Notify(organization, "later");
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<bool>(
            $"SELECT state = 'pending' AND attempts = 1 AND last_answer LIKE '%451%' AND next_attempt_at > now() + interval '5 seconds' FROM outgoing_emails WHERE to_address = '{organization.OwnerEmail}'"));
        // A connection that breaks off counts the same.
        app.Smtp.Next(new("DATA", null));
        await TryNow(organization);
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<bool>($"SELECT state = 'pending' AND attempts = 2 FROM outgoing_emails WHERE to_address = '{organization.OwnerEmail}'"));
        await TryNow(organization);
        await app.NextMail(organization.OwnerEmail);
        await Eventually.Holds(async () => await State(organization.OwnerEmail) == "sent");

        var refused = await app.NewOrganization();
        app.Smtp.Next(new("RCPT", "550 No such user"));
        await Notify(refused, "never");
        await Eventually.Holds(async () => await State(refused.OwnerEmail) == "failed");
    }

    [Fact]
    public async Task An_e_mail_whose_answer_was_lost_comes_again_under_the_same_id()
    {
        var organization = await app.NewOrganization();
        app.Smtp.Next(new("BODY", null, Accept: true));
        await Notify(organization, "twice");
        var first = await app.NextMail(organization.OwnerEmail);
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<bool>($"SELECT last_answer IS NOT NULL FROM outgoing_emails WHERE to_address = '{organization.OwnerEmail}'"));
        await TryNow(organization);
        Assert.Equal(first.Headers["Message-ID"], (await app.NextMail(organization.OwnerEmail)).Headers["Message-ID"]);
    }

    [Fact]
    public async Task Old_news_is_not_sent()
    {
        var organization = await app.NewOrganization();
        await organization.Execute(
            "INSERT INTO outgoing_emails (kind, to_address, subject, expires_at) VALUES ('notification', $1, 'Old', now() - interval '1 second')", organization.OwnerEmail);
        await Eventually.Holds(async () => await State(organization.OwnerEmail) == "dropped");
    }

    [Theory]
    [InlineData("x>,<victim@example.com")]
    [InlineData("a\"b@example.com")]
    public async Task An_address_that_would_end_its_command_is_never_written(string address)
    {
        await (await app.NewOrganization()).Execute("INSERT INTO outgoing_emails (kind, to_address, subject) VALUES ('notification', $1, 'Subject')", address);
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<string>($"SELECT state FROM outgoing_emails WHERE to_address = '{address}'") == "failed");
    }

    [Fact]
    public void Pauses_double_up_to_an_hour()
    {
        Assert.Equal([15, 30, 60, 120, 3600, 3600], new[] { 1, 2, 3, 4, 12, 1000 }.Select(attempt => (int)app.Services.GetRequiredService<MailSender>().PauseAfter(attempt).TotalSeconds));
    }

    private static string Address() => $"guest-{Guid.NewGuid():N}@example.com";

    private static Task Notify(TestOrganization organization, string title) =>
        organization.Execute("SELECT notify_member($1, $2, 'quota_warning', $3)", organization.Id, organization.OwnerId, title);

    private async Task TryNow(TestOrganization organization)
    {
        await organization.Execute("UPDATE outgoing_emails SET next_attempt_at = now() WHERE to_address = $1", organization.OwnerEmail);
        await app.Services.GetRequiredService<MailSender>().SendDue(CancellationToken.None);
    }

    private Task<string?> State(string email) => app.Database.ScalarAsAdminAsync<string>($"SELECT state FROM outgoing_emails WHERE to_address = '{email}'");
}
