using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Emails;

/// <summary>Nobody makes our e-mails carry his own message by what he calls himself or his organization.</summary>
public sealed class MailedNameTests(MailApp app) : IClassFixture<MailApp>
{
    private const string Lure = "Win at https://evil.example now, or write to x@evil.example";

    [Theory]
    [InlineData("Win at https://evil.example now")]
    [InlineData("x@evil.example")]
    [InlineData("www.evil.example")]
    [InlineData("Ada\nBcc: x")]
    public async Task A_name_with_an_address_is_refused_where_it_is_given(string name)
    {
        var organization = await app.NewOrganization();
        var email = NewEmail();
        var signUp = new { email, password = "seven blue elephants", organizationName = name, firstName = name, lastName = name };
        Assert.Equal(["/firstName", "/lastName", "/organizationName"], (await (await app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", signUp)).Problem(ProblemType.Validation)).Fields().Order());
        Assert.Equal(["/name"], (await (await organization.Owner.PostAsJsonAsync("/v1/organizations", new { name })).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(["/name"], (await (await organization.Owner.Patch("/v1/organization", new { name }, "*")).Problem(ProblemType.Validation)).Fields());
        foreach (var field in new[] { "firstName", "lastName", "fullName" })
        {
            Assert.Equal([$"/{field}"], (await (await organization.Owner.Patch("/v1/me", new Dictionary<string, string> { [field] = name }, null)).Problem(ProblemType.Validation)).Fields());
        }
        var invitation = await organization.Create("invitations", new { email, role = "member" });
        var acceptance = new { token = invitation.Text("token"), password = "seven blue elephants", firstName = name };
        Assert.Equal(["/firstName"], (await (await app.Anonymous.PostAsJsonAsync("/v1/auth/accept-invitation", acceptance)).Problem(ProblemType.Validation)).Fields());
    }

    [Fact]
    public async Task A_company_may_be_called_by_its_domain()
    {
        var signUp = new { email = NewEmail(), password = "seven blue elephants", organizationName = "Booking.com", firstName = "J.R.R.", lastName = "Tolkien-O'Neil" };
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", signUp)).Json(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Names_from_before_are_harmless_in_an_invitation()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE organizations SET name = $2 WHERE id = $1", organization.Id, Lure + new string('!', 100));
        await organization.Execute("UPDATE users SET full_name = $2 WHERE id = $1", organization.OwnerId, Lure);
        var guest = NewEmail();
        await organization.Create("invitations", new { email = guest, role = "member" });
        var mail = await app.NextMail(guest);
        foreach (var said in new[] { mail.Subject, mail.Body })
        {
            Assert.DoesNotContain("evil.example", said, StringComparison.Ordinal);
            Assert.Contains("Win at https: // evil. example now", said, StringComparison.Ordinal);
            Assert.DoesNotContain("!!!!!!!!!!", said, StringComparison.Ordinal);
        }
        Assert.Equal(1, mail.Body.Split("https://platform.example.com/").Length - 1);
    }

    [Fact]
    public async Task Whoever_has_no_name_is_called_by_his_address_unless_that_reads_as_something_else()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE users SET full_name = NULL WHERE id = $1", organization.OwnerId);
        var guest = NewEmail();
        await organization.Create("invitations", new { email = guest, role = "member" });
        Assert.StartsWith($"{organization.OwnerEmail} invites you", (await app.NextMail(guest)).Body, StringComparison.Ordinal);
        await organization.Execute("UPDATE users SET email = $2 WHERE id = $1", organization.OwnerId, $"\"win at evil.example/{Guid.NewGuid():N}\"@example.com");
        guest = NewEmail();
        await organization.Create("invitations", new { email = guest, role = "member" });
        Assert.StartsWith("Somebody invites you", (await app.NextMail(guest)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_in_a_link_for_a_new_password_and_in_notifications_are_harmless_too()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE users SET full_name = $2 WHERE id = $1", organization.OwnerId, Lure);
        await app.Anonymous.PostAsJsonAsync("/v1/auth/forgot-password", new { email = organization.OwnerEmail });
        Assert.DoesNotContain("evil.example", (await app.NextMail(organization.OwnerEmail)).Body, StringComparison.Ordinal);

        await organization.Execute("SELECT notify_member($1, $2, 'mention', NULL, 'See https://wiki.example/page', text_name => 'mentioned', text_values => ARRAY[$3])", organization.Id, organization.OwnerId, Lure);
        var mentioned = await app.NextMail(organization.OwnerEmail);
        Assert.DoesNotContain("evil.example", mentioned.Subject + mentioned.Body, StringComparison.Ordinal);
        // What a colleague wrote is meant for the one who reads it.
        Assert.Contains("See https://wiki.example/page", mentioned.Body, StringComparison.Ordinal);

        // A member without a name is called by his address; a customer calls himself what he likes.
        await organization.Execute("SELECT notify_member($1, $2, 'mention', NULL, text_name => 'mentioned', text_values => ARRAY['ada@example.com'])", organization.Id, organization.OwnerId);
        Assert.Equal("ada@example.com mentioned you", (await app.NextMail(organization.OwnerEmail)).Subject);
        await organization.Execute("SELECT notify_member($1, $2, 'quota_warning', NULL, text_name => 'needsPerson', text_values => ARRAY['x@evil.example'])", organization.Id, organization.OwnerId);
        Assert.Equal("x@ evil. example needs a person", (await app.NextMail(organization.OwnerEmail)).Subject);
    }

    private static string NewEmail() => $"guest-{Guid.NewGuid():N}@example.com";
}
