using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Auth;

public sealed class AuthTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task Signing_in_gives_tokens_that_say_who_you_are()
    {
        var organization = await app.NewOrganization();
        var tokens = await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail.ToUpperInvariant(), TestOrganization.Password)).Json();
        Assert.Equal(900, tokens["expiresIn"]!.GetValue<int>());

        var me = await (await app.Client(tokens.Text("accessToken")).GetAsync("/v1/me")).Json();
        Assert.Equal(organization.OwnerId, me.Id());
        Assert.Equal(organization.OwnerEmail, me.Text("email"));
        Assert.Equal("owner", me["organization"]!["role"]!.GetValue<string>());
        Assert.Equal(organization.Id, me["memberships"]![0]!["organizationId"]!.GetValue<Guid>());
    }

    [Fact]
    public async Task An_unknown_address_and_a_wrong_password_get_the_same_answer()
    {
        var organization = await app.NewOrganization();
        var wrong = await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, "not the password")).Problem(ProblemType.InvalidCredentials);
        var unknown = await (await TestOrganization.Login(app.Anonymous, "nobody@example.com", "not the password")).Problem(ProblemType.InvalidCredentials);
        wrong.Remove("traceId");
        unknown.Remove("traceId");
        Assert.Equal(wrong.ToJsonString(), unknown.ToJsonString());
    }

    [Fact]
    public async Task Too_many_failures_lock_an_address_out_whether_or_not_it_exists()
    {
        foreach (var email in new[] { (await app.NewOrganization()).OwnerEmail, $"nobody-{Guid.NewGuid():N}@example.com" })
        {
            for (var failure = 0; failure < AuthOptions.MaxFailuresPerEmailAndAddress; failure++)
            {
                await (await TestOrganization.Login(app.Anonymous, email, "wrong")).Problem(ProblemType.InvalidCredentials);
            }
            var locked = await TestOrganization.Login(app.Anonymous, email, TestOrganization.Password);
            await locked.Problem(ProblemType.TooManyRequests);
            Assert.InRange(locked.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, AuthOptions.FailureWindow.TotalSeconds);
        }
    }

    [Fact]
    public async Task Guesses_that_come_all_at_once_are_no_more_than_those_that_come_one_by_one()
    {
        var email = (await app.NewOrganization()).OwnerEmail;
        var answers = await Task.WhenAll(Enumerable.Range(0, 3 * AuthOptions.MaxFailuresPerEmailAndAddress).Select(guess => TestOrganization.Login(app.Anonymous, email, $"guess {guess}")));
        // Of those that come at once, the line of passwords that wait refuses some before they are tried.
        var tried = answers.Count(answer => answer.StatusCode == HttpStatusCode.Unauthorized);
        Assert.InRange(tried, 1, AuthOptions.MaxFailuresPerEmailAndAddress);
        Assert.Equal(answers.Length - tried, answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task Whoever_guesses_from_many_addresses_locks_the_person_out_nowhere_but_where_nobody_knows_him()
    {
        var organization = await app.NewOrganization();
        var throttle = app.Services.GetRequiredService<SignInThrottle>();
        for (var failure = 0; failure < AuthOptions.MaxFailuresPerEmail; failure++)
        {
            await throttle.Failed(organization.OwnerEmail, IPAddress.Parse($"198.51.100.{failure}"), CancellationToken.None);
        }
        Assert.NotEqual(TimeSpan.Zero, await Wait("198.51.100.250"));
        Assert.NotEqual(TimeSpan.Zero, await Wait("2001:db8:1:2::1"));
        // The owner has signed in from here.
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Json();
        Assert.Equal(TimeSpan.Zero, await Wait("::ffff:127.0.0.1"));
        await organization.Execute("UPDATE user_sessions SET ip_address = '2001:db8:1:2:3::4' WHERE user_id = $1", organization.OwnerId);
        Assert.Equal(TimeSpan.Zero, await Wait("2001:db8:1:2::1"));
        Assert.NotEqual(TimeSpan.Zero, await Wait("2001:db8:1:3::1"));
        Assert.NotEqual(TimeSpan.Zero, await Wait("127.0.0.1"));
        // A link that came to the address proves whose it is.
        await throttle.Proved(organization.OwnerEmail, IPAddress.Parse("198.51.100.250"), CancellationToken.None);
        Assert.Equal(TimeSpan.Zero, await Wait("198.51.100.250"));

        Task<TimeSpan> Wait(string address) => throttle.Wait(organization.OwnerEmail, IPAddress.Parse(address), CancellationToken.None);
    }

    [Fact]
    public async Task A_refresh_token_gives_the_next_pair_and_the_same_pair_again_at_once()
    {
        var first = await SignIn();
        var second = await (await Refresh(first)).Json();
        var again = await (await Refresh(first)).Json();
        Assert.NotEqual(first, second.Text("refreshToken"));
        Assert.Equal(second.Text("refreshToken"), again.Text("refreshToken"));
        await (await app.Client(again.Text("accessToken")).GetAsync("/v1/me")).Json();
    }

    [Fact]
    public async Task Using_an_old_refresh_token_ends_the_session()
    {
        var first = await SignIn();
        var second = await (await Refresh(first)).Json();
        var third = await (await Refresh(second.Text("refreshToken"))).Json();

        await (await Refresh(first)).Problem(ProblemType.SessionEnded);
        await (await Refresh(third.Text("refreshToken"))).Problem(ProblemType.SessionEnded);
        await (await app.Client(third.Text("accessToken")).GetAsync("/v1/me")).Problem(ProblemType.Unauthenticated);
    }

    [Fact]
    public async Task An_invented_refresh_token_ends_nothing()
    {
        var first = await SignIn();
        for (var place = 0; place < first.Length; place++)
        {
            var invented = $"{first[..place]}{(first[place] == 'A' ? 'B' : 'A')}{first[(place + 1)..]}";
            await (await Refresh(invented)).Problem(ProblemType.SessionEnded);
        }
        await (await Refresh(first)).Json();
    }

    [Fact]
    public async Task Signing_out_ends_access_and_refresh_tokens()
    {
        var organization = await app.NewOrganization();
        var tokens = await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Json();
        var client = app.Client(tokens.Text("accessToken"));
        Assert.Equal(HttpStatusCode.NoContent, (await client.PostAsync("/v1/auth/logout", null)).StatusCode);
        await (await client.GetAsync("/v1/me")).Problem(ProblemType.Unauthenticated);
        await (await Refresh(tokens.Text("refreshToken"))).Problem(ProblemType.SessionEnded);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJ4In0.")]
    public async Task A_token_that_is_not_genuine_is_refused(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/me");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        var answer = await app.Anonymous.SendAsync(request);
        await answer.Problem(ProblemType.Unauthenticated);
        Assert.Contains("Bearer", answer.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_suspended_member_is_out_at_once_when_the_change_is_heard()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var client = await organization.SignIn(email);
        await (await client.GetAsync("/v1/me")).Json();
        await organization.Execute("UPDATE organization_members SET status = 'suspended' WHERE user_id = $1", id);
        await Eventually.Holds(async () => (await client.GetAsync("/v1/me")).StatusCode == HttpStatusCode.Unauthorized);
    }

    private async Task<string> SignIn()
    {
        var organization = await app.NewOrganization();
        return (await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, TestOrganization.Password)).Json()).Text("refreshToken");
    }

    private Task<HttpResponseMessage> Refresh(string token) => app.Anonymous.PostAsJsonAsync("/v1/auth/refresh", new { refreshToken = token });
}
