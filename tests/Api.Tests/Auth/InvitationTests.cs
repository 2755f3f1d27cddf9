using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Auth;

public sealed class InvitationTests(PeopleApp app) : IClassFixture<PeopleApp>
{
    private const string NewPassword = "seven blue elephants";

    [Fact]
    public async Task A_new_person_accepts_with_a_password_and_is_in()
    {
        var organization = await app.NewOrganization();
        var (email, invitation) = await Invite(organization, "manager");
        Assert.Equal($"https://platform.example.com/accept-invitation#token={invitation.Text("token")}", invitation.Text("link"));
        var told = await (await Post("invitation", new { token = invitation.Text("token") })).Json();
        Assert.Equal(("Organization", email, "manager"), (told.Text("organizationName"), told.Text("email"), told.Text("role")));

        var client = await Accepted(invitation, NewPassword);
        var me = await (await client.GetAsync("/v1/me")).Json();
        Assert.Equal((email, organization.Id, "manager"), (me.Text("email"), me["organization"]!["organizationId"]!.GetValue<Guid>(), me["organization"]!["role"]!.GetValue<string>()));
        await (await TestOrganization.Login(app.Anonymous, email, NewPassword)).Json();
        var row = await (await organization.Owner.GetAsync($"/v1/invitations/{invitation.Id()}")).Json();
        Assert.Equal(("accepted", me.Id()), (row.Text("status"), row["acceptedBy"]!.GetValue<Guid>()));
        Assert.DoesNotContain("token", row.ToJsonString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(organization.OwnerId, (await (await organization.Owner.GetAsync($"/v1/members/{me.Id()}")).Json())["invitedBy"]!.GetValue<Guid>());
        Assert.Single((await (await organization.Owner.GetAsync("/v1/activity-logs?actionType=invitation.accepted")).Json()).Items());
    }

    [Fact]
    public async Task An_existing_person_accepts_with_the_password_that_he_or_she_has()
    {
        var (organization, home) = (await app.NewOrganization(), await app.NewOrganization());
        var (_, invitation) = await Invite(organization, "member", home.OwnerEmail.ToUpperInvariant());
        await (await Post("accept-invitation", new { token = invitation.Text("token"), password = NewPassword })).Problem(ProblemType.InvalidCredentials);
        var client = await Accepted(invitation, TestOrganization.Password);
        Assert.Equal(2, (await (await client.GetAsync("/v1/me")).Json())["memberships"]!.AsArray().Count);
    }

    [Fact]
    public async Task Whoever_is_signed_in_joins_with_an_invitation_for_the_own_address_only()
    {
        var (organization, home, other) = (await app.NewOrganization(), await app.NewOrganization(), await app.NewOrganization());
        var (_, invitation) = await Invite(organization, "viewer", home.OwnerEmail);
        await (await other.Owner.PostAsJsonAsync("/v1/auth/join", new { token = invitation.Text("token") })).Problem(ProblemType.LinkEnded);
        var joined = await (await home.Owner.PostAsJsonAsync("/v1/auth/join", new { token = invitation.Text("token") })).Json(HttpStatusCode.Created);
        Assert.Equal(organization.Id, (await (await app.Client(joined.Text("accessToken")).GetAsync("/v1/organization")).Json()).Id());
    }

    [Fact]
    public async Task Of_many_acceptances_of_one_invitation_at_once_one_counts()
    {
        var organization = await app.NewOrganization();
        var (email, invitation) = await Invite(organization, "member");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Post("accept-invitation", new { token = invitation.Text("token"), password = NewPassword })));
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.Created));
        Assert.Equal(5, answers.Count(answer => answer.StatusCode == HttpStatusCode.Gone));
        Assert.Equal(1L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM organization_members m JOIN users u ON u.id = m.user_id WHERE u.email = '{email}'"));
        await (await Post("accept-invitation", new { token = invitation.Text("token"), password = NewPassword })).Problem(ProblemType.LinkEnded);
    }

    [Fact]
    public async Task A_link_that_ended_gets_the_same_answer_whatever_ended_it()
    {
        var organization = await app.NewOrganization();
        var (email, first) = await Invite(organization, "member");
        var (_, second) = await Invite(organization, "member", email);
        Assert.Equal("revoked", (await (await organization.Owner.GetAsync($"/v1/invitations/{first.Id()}")).Json()).Text("status"));
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/invitations/{second.Id()}")).StatusCode);
        var (_, expired) = await Invite(organization, "member");
        await organization.Execute("UPDATE invitations SET expires_at = now() - interval '1 second' WHERE id = $1", expired.Id());
        Assert.Equal("expired", (await (await organization.Owner.GetAsync($"/v1/invitations/{expired.Id()}")).Json()).Text("status"));
        var invented = first.Text("token")[..^2] + "AA";
        var answers = new HashSet<string>();
        foreach (var token in new[] { first.Text("token"), second.Text("token"), expired.Text("token"), invented, "nonsense" })
        {
            foreach (var path in new[] { "invitation", "accept-invitation" })
            {
                var problem = await (await Post(path, path == "invitation" ? new { token } : new { token, password = NewPassword })).Problem(ProblemType.LinkEnded);
                problem.Remove("traceId");
                answers.Add(problem.ToJsonString());
            }
        }
        Assert.Single(answers);
    }

    [Fact]
    public async Task An_invitation_ends_with_the_power_of_whoever_made_it()
    {
        var organization = await app.NewOrganization();
        var (adminId, adminEmail) = await organization.AddUser(Role.Admin);
        var admin = await organization.SignIn(adminEmail);
        var asAdmin = await (await admin.PostAsJsonAsync("/v1/invitations", new { email = NewEmail(), role = "admin" })).Json(HttpStatusCode.Created);
        var asMember = await (await admin.PostAsJsonAsync("/v1/invitations", new { email = NewEmail(), role = "member" })).Json(HttpStatusCode.Created);
        await organization.Execute("UPDATE organization_members SET role = 'member' WHERE user_id = $1", adminId);
        await (await Post("accept-invitation", new { token = asAdmin.Text("token"), password = NewPassword })).Problem(ProblemType.LinkEnded);
        await Accepted(asMember, NewPassword);
    }

    [Fact]
    public async Task Members_can_not_be_invited_again()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        Assert.Equal(["/email"], (await (await organization.Owner.PostAsJsonAsync("/v1/invitations", new { email, role = "admin" })).Problem(ProblemType.Conflict)).Fields());
        // Nor does an older link bring a suspended member back.
        var (invited, invitation) = await Invite(organization, "admin");
        await organization.Execute("UPDATE users SET email = $2 WHERE id = $1", id, invited);
        await organization.Execute("UPDATE organization_members SET status = 'suspended' WHERE user_id = $1", id);
        await (await Post("accept-invitation", new { token = invitation.Text("token"), password = TestOrganization.Password })).Problem(ProblemType.LinkEnded);
    }

    [Fact]
    public async Task A_weak_password_leaves_the_invitation_open()
    {
        var organization = await app.NewOrganization();
        var (_, invitation) = await Invite(organization, "member");
        Assert.Equal(["/password"], (await (await Post("accept-invitation", new { token = invitation.Text("token"), password = "short" })).Problem(ProblemType.Validation)).Fields());
        await Accepted(invitation, NewPassword);
    }

    private static string NewEmail() => $"guest-{Guid.NewGuid():N}@example.com";

    private static async Task<(string Email, JsonObject Invitation)> Invite(TestOrganization organization, string role, string? email = null)
    {
        email ??= NewEmail();
        return (email, await organization.Create("invitations", new { email, role }));
    }

    private async Task<HttpClient> Accepted(JsonObject invitation, string password) =>
        app.Client((await (await Post("accept-invitation", new { token = invitation.Text("token"), password, firstName = "Grace" })).Json(HttpStatusCode.Created)).Text("accessToken"));

    private Task<HttpResponseMessage> Post(string path, object body) => app.Anonymous.PostAsJsonAsync($"/v1/auth/{path}", body);
}
