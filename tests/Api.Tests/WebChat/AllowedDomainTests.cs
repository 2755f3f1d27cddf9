using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.WebChat;

namespace AgentPlatform.Api.Tests.WebChat;

public sealed class AllowedDomainTests(WebChatApp app) : IClassFixture<WebChatApp>
{
    [Fact]
    public async Task A_site_that_is_not_allowed_gets_nothing()
    {
        var channel = await app.NewChannel(await app.NewOrganization(), "shop.example", "*.shop.example");
        var visitor = await channel.NewVisitor();

        foreach (var (method, path) in Requests(channel))
        {
            var answer = await From("https://evil.example", visitor, method, path);
            await answer.Problem(WebChatProblems.OriginNotAllowed);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
        Assert.Empty(await visitor.Messages());
    }

    [Fact]
    public async Task An_allowed_site_may_read_the_answers()
    {
        var channel = await app.NewChannel(await app.NewOrganization(), "shop.example", "*.shop.example");
        var visitor = await channel.NewVisitor();

        foreach (var (method, path) in Requests(channel).Where(request => !request.Path.EndsWith("/events", StringComparison.Ordinal)))
        {
            var answer = await From("https://www.shop.example", visitor, method, path);
            Assert.True(answer.IsSuccessStatusCode, $"{method} {path} answered {answer.StatusCode}");
            Assert.Equal("https://www.shop.example", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
            Assert.Contains("Origin", answer.Headers.Vary);
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        }
        var refused = await From("https://www.shop.example", null, HttpMethod.Get, $"{channel.Root}/messages");
        await refused.Problem(WebChatProblems.VisitorUnknown);
        Assert.True(refused.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Browsers_may_ask_before_they_send()
    {
        var channel = await app.NewChannel(await app.NewOrganization(), "shop.example");

        var allowed = await From("https://shop.example", null, HttpMethod.Options, $"{channel.Root}/messages");
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal("https://shop.example", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Contains("Authorization", string.Join(',', allowed.Headers.GetValues("Access-Control-Allow-Headers")), StringComparison.Ordinal);
        await (await From("https://evil.example", null, HttpMethod.Options, $"{channel.Root}/messages")).Problem(WebChatProblems.OriginNotAllowed);
    }

    [Fact]
    public async Task A_change_of_the_domains_is_seen_at_once()
    {
        var organization = await app.NewOrganization();
        var channel = await app.NewChannel(organization, "shop.example");
        await (await From("https://new.example", null, HttpMethod.Get, $"{channel.Root}/config")).Problem(WebChatProblems.OriginNotAllowed);

        await organization.Execute("UPDATE web_widgets SET allowed_domains = '{new.example}' WHERE channel_id = $1", channel.Id);

        await Eventually.Holds(async () => (await From("https://new.example", null, HttpMethod.Get, $"{channel.Root}/config")).IsSuccessStatusCode);
        await (await From("https://shop.example", null, HttpMethod.Get, $"{channel.Root}/config")).Problem(WebChatProblems.OriginNotAllowed);
    }

    private static (HttpMethod Method, string Path)[] Requests(WebChannel channel) =>
    [
        (HttpMethod.Get, $"{channel.Root}/config"), (HttpMethod.Post, $"{channel.Root}/visitors"), (HttpMethod.Get, $"{channel.Root}/messages"),
        (HttpMethod.Post, $"{channel.Root}/messages"), (HttpMethod.Get, $"{channel.Root}/events"),
    ];

    private async Task<HttpResponseMessage> From(string origin, ChatVisitor? visitor, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Origin", origin);
        if (method == HttpMethod.Post)
        {
            request.Content = path.EndsWith("/messages", StringComparison.Ordinal) ? JsonContent.Create(new { id = Guid.NewGuid(), text = "Hello" }) : JsonContent.Create(new { });
        }
        return await (visitor?.Client ?? app.Anonymous).SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
