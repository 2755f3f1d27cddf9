using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Auth;
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
        ["API_REQUESTS_PER_MINUTE_OF_ORGANIZATION"] = "30",
        ["API_REQUESTS_AT_ONCE_OF_ORGANIZATION"] = "2",
        ["API_STREAMS_PER_ORGANIZATION"] = "4",
        ["FILES_PER_ORGANIZATION_BYTES"] = "1000000",
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
    public async Task Many_sessions_of_one_person_have_half_of_the_organizations_requests_and_leave_colleagues_and_others_theirs()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var colleague = await organization.Member(Role.Viewer);
        Assert.InRange(await AskUntilRefused(organization, organization.OwnerEmail), 20, 40);
        await (await colleague.GetAsync("/v1/me")).Json();
        // All of them together have what the organization has: twice thirty at once.
        var (second, third) = (await organization.AddUser(Role.Manager), await organization.AddUser(Role.Manager));
        Assert.InRange(await AskUntilRefused(organization, second.Email), 10, 40);
        Assert.InRange(await AskUntilRefused(organization, third.Email), 0, 15);
        await (await other.Owner.GetAsync("/v1/me")).Json();
    }

    /// <summary>How many requests one person has, who signs in as often as it takes never to reach the limit of one session.</summary>
    private static async Task<int> AskUntilRefused(TestOrganization organization, string email)
    {
        var answered = 0;
        while (true)
        {
            await organization.Execute("DELETE FROM user_sessions WHERE organization_id = $1 AND user_id = (SELECT id FROM users WHERE email = $2)", organization.Id, email);
            var session = await organization.SignIn(email);
            for (var request = 0; request < 10; request++)
            {
                var answer = await session.GetAsync("/v1/me");
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    Assert.Contains("API_REQUESTS_PER_MINUTE_OF_ORGANIZATION", (await answer.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
                    return answered;
                }
                answered++;
            }
        }
    }

    [Fact]
    public async Task How_slowly_somebody_sends_holds_nobody_up()
    {
        var organization = await app.NewOrganization();
        var viewer = await organization.Member(Role.Viewer);
        using var stop = new CancellationTokenSource();
        using var begun = new SemaphoreSlim(0);
        var slow = Enumerable.Range(0, 3).Select(_ => viewer.PostAsync("/v1/notifications/read-all", new EndlessContent(begun), stop.Token)).ToArray();
        for (var number = 0; number < slow.Length; number++)
        {
            await begun.WaitAsync();
        }
        await (await organization.Owner.GetAsync("/v1/personas")).Json();
        await (await viewer.GetAsync("/v1/personas")).Json();
        Assert.DoesNotContain(slow, request => request.IsCompleted);
        await stop.CancelAsync();
        foreach (var request in slow)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        }
    }

    /// <summary>A body that begins, and never ends.</summary>
    private sealed class EndlessContent(SemaphoreSlim begun) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync("{\"a\": "u8.ToArray(), cancellationToken);
            await stream.FlushAsync(cancellationToken);
            begun.Release();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 900_000;
            return true;
        }
    }

    [Fact]
    public async Task Slow_requests_of_one_organization_leave_the_others_their_connections()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var persona = await organization.Create("personas", new { name = "a" });
        await using var held = new Npgsql.NpgsqlConnection(app.Database.AdminConnectionString);
        await held.OpenAsync();
        await using var transaction = await held.BeginTransactionAsync();
        await using (var hold = new Npgsql.NpgsqlCommand($"SELECT FROM personas WHERE id = '{persona.Id()}' FOR UPDATE", held, transaction))
        {
            await hold.ExecuteNonQueryAsync();
        }
        var (admin, colleague) = (await organization.Member(Role.Admin), await organization.Member(Role.Viewer));
        Task<HttpResponseMessage>[] Flood(HttpClient person) => [.. Enumerable.Range(0, 12).Select(number => person.Patch($"/v1/personas/{persona.Id()}", new { name = $"n{number}" }, "*"))];
        Task<long> Held() => app.Database.ScalarAsAdminAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        // More of them than the pool has connections (8): each waits for the row, but one of a person, and two of the organization, hold a connection.
        var waiting = Flood(organization.Owner);
        await Eventually.Holds(async () => await Held() == 1);
        await (await colleague.GetAsync("/v1/personas")).Json();
        waiting = [.. waiting, .. Flood(admin)];
        await Eventually.Holds(async () => await Held() == 2);
        await (await other.Owner.GetAsync("/v1/personas")).Json();
        Assert.Equal(2, await Held());
        await transaction.RollbackAsync();
        foreach (var answer in await Task.WhenAll(waiting))
        {
            await answer.Json();
        }
    }

    [Fact]
    public async Task Streams_of_one_organization_are_limited_whoever_opens_them_and_nobody_has_more_than_half()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var colleague = await organization.AddUser(Role.Viewer);
        var open = new List<EventReader>();
        async Task Open(string email)
        {
            open.Add(await EventReader.Open(await organization.SignIn(email)));
            await open[^1].Next("ready");
        }
        for (var number = 0; number < 3; number++)
        {
            await Open(colleague.Email);
        }
        await open[0].Next("replaced");
        Assert.Null(await open[0].Next());
        await Open(organization.OwnerEmail);
        await Open(organization.OwnerEmail);
        var refused = await (await organization.Member(Role.Viewer)).GetAsync("/v1/events", HttpCompletionOption.ResponseHeadersRead);
        Assert.Contains("API_STREAMS_PER_ORGANIZATION", (await refused.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        using var others = await EventReader.Open(other.Owner);
        await others.Next("ready");
        open.ForEach(stream => stream.Dispose());
    }

    [Fact]
    public async Task Uploads_at_once_never_have_more_room_than_there_is_and_what_breaks_off_has_none()
    {
        var organization = await app.NewOrganization();
        Task<HttpResponseMessage> Upload(int bytes) => organization.Owner.PostAsync("/v1/files?name=a.bin", new ByteArrayContent(new byte[bytes]));
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Upload(300_000)));
        Assert.Equal(3, answers.Count(answer => answer.StatusCode == HttpStatusCode.Created));
        foreach (var full in answers.Where(answer => answer.StatusCode != HttpStatusCode.Created))
        {
            Assert.Contains("FILES_PER_ORGANIZATION_BYTES", (await full.Problem(ProblemType.Conflict)).Text("detail"), StringComparison.Ordinal);
        }
        await organization.Execute("DELETE FROM files WHERE organization_id = $1", organization.Id);
        await Assert.ThrowsAnyAsync<Exception>(() => organization.Owner.PostAsync("/v1/files?name=a.bin", new BrokenContent(800_000)));
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM files WHERE organization_id = '{organization.Id}'") == 0);
        Assert.Equal(HttpStatusCode.Created, (await Upload(900_000)).StatusCode);
    }

    /// <summary>Says that it is so long, and ends in the middle.</summary>
    private sealed class BrokenContent(long says) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[says / 2]);
            await stream.FlushAsync();
            throw new IOException("The sender is gone.");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = says;
            return true;
        }
    }

    [Theory]
    [InlineData("198.51.100.7", "198.51.100.7", "198.51.100.8")]
    [InlineData("2001:db8:1:1::1", "2001:db8:1:1:ffff::2", "2001:db8:1:2::1")]
    public async Task Sign_ins_are_limited_by_network_as_a_trusted_proxy_tells_it(string first, string same, string elsewhere)
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
            answer = await SignIn(first);
        }
        while (answer.StatusCode == HttpStatusCode.Unauthorized);
        Assert.Contains("API_SIGN_INS_PER_MINUTE", (await answer.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        await (await SignIn(same)).Problem(ProblemType.TooManyRequests);
        await (await SignIn(elsewhere)).Problem(ProblemType.SessionEnded);
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
