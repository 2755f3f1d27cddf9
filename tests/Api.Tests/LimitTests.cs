using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Live;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests;

/// <summary>A host with limits that a test can reach.</summary>
public sealed class NarrowApp : ApiApp
{
    protected override Dictionary<string, string?> Settings() => new(base.Settings())
    {
        ["API_REQUESTS_PER_MINUTE"] = "20",
        ["API_SIGN_INS_PER_MINUTE"] = "30",
        ["API_HEARTBEAT_SECONDS"] = "0.05",
        ["TRUSTED_PROXIES"] = "127.0.0.1",
    };
}

public sealed class LimitTests(NarrowApp app) : IClassFixture<NarrowApp>
{
    [Fact]
    public async Task Too_many_requests_of_one_session_are_told_when_to_come_again_and_which_limit_it_was()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        HttpResponseMessage answer;
        do
        {
            answer = await organization.Owner.GetAsync("/v1/me");
        }
        while (answer.StatusCode == HttpStatusCode.OK);
        Assert.Contains("API_REQUESTS_PER_MINUTE", (await answer.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        await (await other.Owner.GetAsync("/v1/me")).Json();
    }

    [Fact]
    public async Task Sign_ins_are_limited_by_address_as_a_trusted_proxy_tells_it()
    {
        async Task<HttpResponseMessage> SignIn(string address)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/auth/refresh") { Content = JsonContent.Create(new { refreshToken = "x" }) };
            request.Headers.Add("X-Forwarded-For", address);
            return await app.Anonymous.SendAsync(request);
        }
        HttpResponseMessage answer;
        do
        {
            answer = await SignIn("198.51.100.7");
        }
        while (answer.StatusCode == HttpStatusCode.Unauthorized);
        Assert.Contains("API_SIGN_INS_PER_MINUTE", (await answer.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        await (await SignIn("198.51.100.8")).Problem(ProblemType.SessionEnded);
    }

    [Fact]
    public async Task A_view_that_takes_too_few_events_is_dropped_after_what_waits_for_it()
    {
        var hubs = app.Services.GetRequiredService<LiveHubs>();
        var organization = await app.NewOrganization();
        using var stream = await hubs.Join(organization.Id, CancellationToken.None);
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001");
        for (var sequence = 1; !stream.IsDropped; sequence++)
        {
            await conversation.Add(organization, sequence, "x");
            await Eventually.Holds(async () => stream.IsDropped || await Task.FromResult(stream.Batches.Count >= Math.Min(sequence, LiveStream.MaxWaiting)));
        }
        var waiting = 0;
        while (stream.Batches.TryRead(out _))
        {
            waiting++;
        }
        Assert.Equal(LiveStream.MaxWaiting, waiting);
        Assert.False(await stream.Batches.WaitToReadAsync());
    }
}
