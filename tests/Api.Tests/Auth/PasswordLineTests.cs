using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Auth;

/// <summary>Passwords take long to check and to set: nobody fills the line alone, and no connection to the database waits for it.</summary>
public sealed class PasswordLineTests(ApiApp app) : IClassFixture<ApiApp>
{
    [Fact]
    public async Task Sixty_changes_of_password_by_one_viewer_stop_nobody_else()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var viewer = await organization.Member(Role.Viewer);
        var flood = Enumerable.Range(0, 60).Select(number => viewer.PostAsJsonAsync("/v1/auth/change-password", new { currentPassword = TestOrganization.Password, newPassword = $"seven blue elephants {number}" })).ToArray();
        // More than the pool has connections (8), while they go on:
        for (var request = 0; request < 20; request++)
        {
            await (await other.Owner.GetAsync("/v1/personas")).Json();
            Assert.True(await app.Database.ScalarAsAdminAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'") <= 2);
        }
        var answers = await Task.WhenAll(flood);
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized, answer.StatusCode.ToString()));
    }

    [Fact]
    public async Task One_of_many_has_only_so_many_places_in_line()
    {
        using var passwords = new Passwords();
        var hash = passwords.Hash("correct horse battery staple");
        var flood = Enumerable.Range(0, 40).Select(_ => passwords.Check("network 1", hash, "wrong", CancellationToken.None)).ToArray();
        var others = passwords.Check("network 2", hash, "correct horse battery staple", CancellationToken.None);
        Assert.Equal(40 - Passwords.MaxWaitingOfOne, (await Task.WhenAll(flood)).Count(check => check.Outcome == PasswordOutcome.Busy));
        Assert.Equal(PasswordOutcome.Right, (await others).Outcome);
        Assert.Equal(PasswordOutcome.Right, (await passwords.Check("network 1", hash, "correct horse battery staple", CancellationToken.None)).Outcome);
    }

    [Fact]
    public async Task Nobody_waits_behind_all_of_another_s()
    {
        const int networks = 6;
        using var passwords = new Passwords();
        var hash = passwords.Hash("correct horse battery staple");
        var flood = Enumerable.Range(0, networks * Passwords.MaxWaitingOfOne).Select(number => passwords.Check($"network {number % networks}", hash, "wrong", CancellationToken.None)).ToArray();
        Assert.Equal(PasswordOutcome.Right, (await passwords.Check("network of another", hash, "correct horse battery staple", CancellationToken.None)).Outcome);
        Assert.InRange(flood.Count(check => check.IsCompleted), 0, flood.Length / 2);
        await Task.WhenAll(flood);
    }
}
