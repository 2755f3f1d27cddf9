using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Auth;

public sealed class PasswordTests(PeopleApp app) : IClassFixture<PeopleApp>
{
    private const string NewPassword = "seven blue elephants";

    [Fact]
    public async Task A_changed_password_ends_all_other_sessions()
    {
        var organization = await app.NewOrganization();
        var here = organization.Owner;
        var elsewhere = await organization.SignIn(organization.OwnerEmail);
        await (await Change(here, "wrong", NewPassword)).Problem(ProblemType.InvalidCredentials);
        Assert.Equal(["/newPassword"], (await (await Change(here, TestOrganization.Password, "short")).Problem(ProblemType.Validation)).Fields());
        Assert.Equal(HttpStatusCode.NoContent, (await Change(here, TestOrganization.Password, NewPassword)).StatusCode);
        await Eventually.Holds(async () => (await elsewhere.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        await (await here.GetAsync("/v1/me")).Json();
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Problem(ProblemType.InvalidCredentials);
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, NewPassword)).Json();
        Assert.Single((await (await here.GetAsync("/v1/activity-logs?actionType=user.password_changed")).Json()).Items());
    }

    [Fact]
    public async Task Guessing_the_present_password_locks_out_like_a_sign_in()
    {
        var organization = await app.NewOrganization();
        for (var failure = 0; failure < AuthOptions.MaxFailuresPerEmailAndAddress; failure++)
        {
            await (await Change(organization.Owner, "wrong", NewPassword)).Problem(ProblemType.InvalidCredentials);
        }
        await (await Change(organization.Owner, TestOrganization.Password, NewPassword)).Problem(ProblemType.TooManyRequests);
    }

    [Fact]
    public async Task A_link_sets_a_new_password_once_and_ends_all_sessions()
    {
        var organization = await app.NewOrganization();
        var token = await Open(organization.OwnerEmail);
        Assert.Equal(["/password"], (await (await Reset(token, "short")).Problem(ProblemType.Validation)).Fields());
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Reset(token, NewPassword)));
        Assert.Equal(1, answers.Count(answer => answer.StatusCode == HttpStatusCode.NoContent));
        Assert.Equal(3, answers.Count(answer => answer.StatusCode == HttpStatusCode.Gone));
        await Eventually.Holds(async () => (await organization.Owner.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        var again = app.Client((await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, NewPassword)).Json()).Text("accessToken"));
        Assert.Single((await (await again.GetAsync("/v1/activity-logs?actionType=user.password_reset")).Json()).Items());
    }

    [Fact]
    public async Task An_operator_makes_a_link_and_a_super_admin_on_the_command_line()
    {
        var organization = await app.NewOrganization();
        var commands = app.Services.GetRequiredService<AccountCommands>();
        Assert.Null(await commands.Run(["--migrate"], default));
        var nobody = await commands.Run(["--reset-password", "nobody@example.com"], default);
        Assert.Equal(("Nobody has the address nobody@example.com.", nobody), (await commands.Run(["--super-admin", "nobody@example.com"], default), nobody));

        Assert.False((await (await organization.Owner.GetAsync("/v1/me")).Json())["isSuperAdmin"]!.GetValue<bool>());
        await commands.Run(["--super-admin", organization.OwnerEmail], default);
        await Eventually.Holds(async () => (await (await organization.Owner.GetAsync("/v1/me")).Json())["isSuperAdmin"]!.GetValue<bool>());
        await commands.Run(["--no-super-admin", organization.OwnerEmail], default);
        await Eventually.Holds(async () => !(await (await organization.Owner.GetAsync("/v1/me")).Json())["isSuperAdmin"]!.GetValue<bool>());

        var link = await commands.Run(["--reset-password", organization.OwnerEmail], default);
        Assert.StartsWith("https://platform.example.com/reset-password#token=", link, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, (await Reset(link!.Split("#token=")[1], NewPassword)).StatusCode);
    }

    [Fact]
    public async Task Links_that_ended_get_the_same_answer()
    {
        var organization = await app.NewOrganization();
        var expired = await Open(organization.OwnerEmail, TimeSpan.FromSeconds(-1));
        var first = await Open(organization.OwnerEmail);
        var second = await Open(organization.OwnerEmail);
        Assert.Equal(HttpStatusCode.NoContent, (await Reset(second, NewPassword)).StatusCode);
        var never = app.Services.GetRequiredService<AccountLinks>().Resets.Make(Guid.CreateVersion7());
        var invitation = app.Services.GetRequiredService<AccountLinks>().Invitations.Make(Guid.CreateVersion7());
        var answers = new HashSet<string>();
        foreach (var token in new[] { expired, first, second, never, invitation, "nonsense" })
        {
            var problem = await (await Reset(token, NewPassword)).Problem(ProblemType.LinkEnded);
            problem.Remove("traceId");
            answers.Add(problem.ToJsonString());
        }
        Assert.Single(answers);
    }

    [Fact]
    public async Task A_forgotten_password_gets_the_same_answer_for_every_address_and_is_counted_for_every_address()
    {
        foreach (var email in new[] { (await app.NewOrganization()).OwnerEmail, $"nobody-{Guid.NewGuid():N}@example.com" })
        {
            for (var request = 0; request < AccountThrottle.MaxResetsPerEmailAndAddress; request++)
            {
                using var answer = await Forgot(email);
                Assert.Equal((HttpStatusCode.Accepted, ""), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
            }
            await (await Forgot(email)).Problem(ProblemType.TooManyRequests);
        }
    }

    [Fact]
    public async Task Sessions_are_listed_and_ended_one_by_one_and_all_others_at_once()
    {
        var organization = await app.NewOrganization();
        var others = new[] { await organization.SignIn(organization.OwnerEmail), await organization.SignIn(organization.OwnerEmail), await organization.SignIn(organization.OwnerEmail) };
        var listed = (await (await organization.Owner.GetAsync("/v1/sessions")).Json()).Items();
        Assert.Equal(4, listed.Length);
        Assert.Single(listed, session => session["current"]!.GetValue<bool>());
        Assert.All(listed, session => Assert.Equal(organization.Id, session["organizationId"]!.GetValue<Guid>()));
        var id = (await (await others[0].GetAsync("/v1/sessions")).Json()).Items().Single(session => session["current"]!.GetValue<bool>()).Id();
        Assert.Equal(HttpStatusCode.NoContent, (await organization.Owner.DeleteAsync($"/v1/sessions/{id}")).StatusCode);
        await Eventually.Holds(async () => (await others[0].GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        await (await organization.Owner.DeleteAsync($"/v1/sessions/{id}")).Problem(ProblemType.NotFound);
        Assert.Equal(2, (await (await organization.Owner.PostAsync("/v1/sessions/end-others", null)).Json())["ended"]!.GetValue<int>());
        await Eventually.Holds(async () => (await others[2].GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
        Assert.Single((await (await organization.Owner.GetAsync("/v1/sessions")).Json()).Items());
    }

    /// <summary>Opens a reset as the sender of e-mails does; returns the link's token.</summary>
    private async Task<string> Open(string email, TimeSpan? lifetime = null)
    {
        var id = Guid.CreateVersion7();
        var token = app.Services.GetRequiredService<AccountLinks>().Resets.Make(id);
        await using var command = app.Services.GetRequiredService<Data.Connections.ApiDataSource>().CreateCommand("SELECT open_password_reset($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = email });
        command.Parameters.Add(new() { Value = LinkTokens.Hash(token) });
        command.Parameters.Add(new() { Value = DateTimeOffset.UtcNow + (lifetime ?? TimeSpan.FromHours(1)) });
        Assert.NotNull(await command.ExecuteScalarAsync());
        return token;
    }

    private static Task<HttpResponseMessage> Change(HttpClient client, string current, string next) =>
        client.PostAsJsonAsync("/v1/auth/change-password", new { currentPassword = current, newPassword = next });

    private Task<HttpResponseMessage> Reset(string token, string password) => app.Anonymous.PostAsJsonAsync("/v1/auth/reset-password", new { token, password });

    private Task<HttpResponseMessage> Forgot(string email) => app.Anonymous.PostAsJsonAsync("/v1/auth/forgot-password", new { email });
}
