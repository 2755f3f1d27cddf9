using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Auth;

public sealed class ClosedApp : ApiApp
{
    protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["SIGN_UP"] = "off" };
}

public sealed class SignUpSwitchTests(ClosedApp app) : IClassFixture<ClosedApp>
{
    [Fact]
    public async Task Where_sign_up_is_off_nobody_makes_an_organization()
    {
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", SignUpTests.Body("ada"))).Problem(ProblemType.Forbidden);
        var organization = await app.NewOrganization();
        await (await organization.Owner.PostAsJsonAsync("/v1/organizations", new { name = "Mine" })).Problem(ProblemType.Forbidden);
    }
}

public sealed class SignUpTests(PeopleApp app) : IClassFixture<PeopleApp>
{
    [Fact]
    public async Task Signing_up_makes_an_organization_that_the_person_owns()
    {
        var body = Body("ada");
        var owner = app.Client((await (await app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", body)).Json(HttpStatusCode.Created)).Text("accessToken"));
        var me = await (await owner.GetAsync("/v1/me")).Json();
        Assert.Equal(("Ada's Tours", "owner"), (me["organization"]!["name"]!.GetValue<string>(), me["organization"]!["role"]!.GetValue<string>()));
        Assert.Equal("Ada Byron", me.Text("fullName"));
        var log = Assert.Single((await (await owner.GetAsync("/v1/activity-logs?actionType=organization.created")).Json()).Items());
        Assert.Equal(me.Id(), log["userId"]!.GetValue<Guid>());
        Assert.NotNull(log["ipAddress"]);
        // The password works.
        await (await TestOrganization.Login(app.Anonymous, body.email, body.password)).Json();
    }

    [Fact]
    public async Task An_address_that_is_taken_makes_nothing_and_its_account_stays_as_it_is()
    {
        var organization = await app.NewOrganization();
        var body = Body("ada") with { email = organization.OwnerEmail.ToUpperInvariant() };
        await (await app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", body)).Problem(ProblemType.Conflict);
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, body.password)).Problem(ProblemType.InvalidCredentials);
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Json();
    }

    [Fact]
    public async Task Of_two_sign_ups_with_one_address_at_once_one_wins()
    {
        var body = Body("twins");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", body)));
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.Created));
        Assert.Equal(5, answers.Count(answer => answer.StatusCode == HttpStatusCode.Conflict));
        Assert.Equal(1L, await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM organization_members m JOIN users u ON u.id = m.user_id WHERE u.email = '{body.email}'"));
    }

    [Theory]
    [InlineData("short", "at least 10 characters")]
    [InlineData("aaaaaaaaaaaa", "different characters")]
    [InlineData("Password1234", "guessed first")]
    [InlineData("qwertyuiop12", "guessed first")]
    [InlineData("weak-person1!", "e-mail address")]
    public async Task A_weak_password_is_refused_with_the_reason(string password, string reason)
    {
        var body = Body("weak") with { email = "weak-person@example.com", password = password };
        var problem = await (await app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", body)).Problem(ProblemType.Validation);
        Assert.Equal(["/password"], problem.Fields());
        Assert.Contains(reason, problem.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_person_has_several_organizations_and_switches_between_them()
    {
        var organization = await app.NewOrganization();
        var made = await (await organization.Owner.PostAsJsonAsync("/v1/organizations", new { name = "Second" })).Json(HttpStatusCode.Created);
        var there = app.Client((await (await organization.Owner.PostAsJsonAsync("/v1/auth/switch", new { organizationId = made.Id() })).Json()).Text("accessToken"));
        Assert.Equal(made.Id(), (await (await there.GetAsync("/v1/organization")).Json()).Id());
        // Both sessions go on, each in its own organization.
        Assert.Equal(organization.Id, (await (await organization.Owner.GetAsync("/v1/organization")).Json()).Id());
        Assert.Equal(2, (await (await there.GetAsync("/v1/me")).Json())["memberships"]!.AsArray().Count);

        Assert.Equal(HttpStatusCode.OK, (await there.Patch("/v1/me", new { defaultOrganizationId = made.Id() }, null)).StatusCode);
        var next = app.Client((await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Json()).Text("accessToken"));
        Assert.Equal(made.Id(), (await (await next.GetAsync("/v1/organization")).Json()).Id());
    }

    [Fact]
    public async Task Nobody_switches_to_an_organization_of_others()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        foreach (var id in new[] { other.Id, Guid.NewGuid() })
        {
            Assert.Equal(["/organizationId"], (await (await organization.Owner.PostAsJsonAsync("/v1/auth/switch", new { organizationId = id })).Problem(ProblemType.Validation)).Fields());
            Assert.Equal(["/defaultOrganizationId"], (await (await organization.Owner.Patch("/v1/me", new { defaultOrganizationId = id }, null)).Problem(ProblemType.Validation)).Fields());
        }
        var (member, email) = await organization.AddUser(Api.Auth.Role.Member);
        var client = await organization.SignIn(email);
        var second = await (await client.PostAsJsonAsync("/v1/organizations", new { name = "Own" })).Json(HttpStatusCode.Created);
        await organization.Execute("UPDATE organization_members SET status = 'suspended' WHERE user_id = $1 AND organization_id = $2", member, organization.Id);
        // Suspended here, still somebody there.
        var there = app.Client((await (await TestOrganization.Login(app.Anonymous, email, TestOrganization.Password)).Json()).Text("accessToken"));
        Assert.Equal(second.Id(), (await (await there.GetAsync("/v1/organization")).Json()).Id());
        await (await there.PostAsJsonAsync("/v1/auth/switch", new { organizationId = organization.Id })).Problem(ProblemType.Validation);
    }

    [Fact]
    public async Task Sign_ups_from_one_address_are_counted()
    {
        await using var strict = new StrictApp();
        await ((IAsyncLifetime)strict).InitializeAsync();
        for (var index = 0; index < 2; index++)
        {
            await (await strict.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", Body($"many{index}"))).Json(HttpStatusCode.Created);
        }
        var refused = await strict.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", Body("many2"));
        Assert.Contains("SIGN_UPS_PER_HOUR", (await refused.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
    }

    internal static NewAccount Body(string name) => new($"{name}-{Guid.NewGuid():N}@example.com", "seven blue elephants", "Ada's Tours", "Ada", "Byron");

    internal sealed record NewAccount(string email, string password, string organizationName, string firstName, string lastName);

    private sealed class StrictApp : ApiApp, IAsyncDisposable
    {
        protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["SIGN_UPS_PER_HOUR"] = "2" };

        async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
    }
}
