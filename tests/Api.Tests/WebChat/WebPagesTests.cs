using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.WebChat;

public sealed partial class WebPagesTests(WebChatApp app) : IClassFixture<WebChatApp>
{
    [Fact]
    public async Task The_chat_page_writes_names_as_text_and_lets_only_allowed_sites_frame_it()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE organizations SET name = $2 WHERE id = $1", organization.Id, "\"><script>alert(1)</script> {{welcome}}");
        var channel = await app.NewChannel(organization, "shop.example");

        var answer = await app.Anonymous.GetAsync($"/chat/{channel.Id}");
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        Assert.Contains($"data-channel=\"{channel.Id}\"", page, StringComparison.Ordinal);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        Assert.EndsWith("frame-ancestors 'self' shop.example:*", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
    }

    [Fact]
    public async Task Everything_that_a_page_names_is_there_and_may_be_kept()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var page = await app.Anonymous.GetStringAsync($"/chat/{channel.Id}");
        var addresses = Asset().Matches(page).Select(match => match.Value).ToHashSet();
        Assert.NotEmpty(addresses);
        for (var open = new Queue<string>(addresses); open.TryDequeue(out var address);)
        {
            var answer = await app.Anonymous.GetAsync(address);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{address} answered {answer.StatusCode}");
            Assert.Contains("immutable", answer.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            foreach (Match import in Import().Matches(await answer.Content.ReadAsStringAsync()))
            {
                var imported = address[..(address.LastIndexOf('/') + 1)] + import.Groups[1].Value;
                if (addresses.Add(imported))
                {
                    open.Enqueue(imported);
                }
            }
        }
        Assert.Contains(addresses, address => address.EndsWith("/transport.js", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_a_browser_has_is_not_sent_again()
    {
        var first = await app.Anonymous.GetAsync("/widget.js");
        Assert.Equal("text/javascript", first.Content.Headers.ContentType?.MediaType);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/widget.js");
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await app.Anonymous.SendAsync(again)).StatusCode);
        using var compressed = new HttpRequestMessage(HttpMethod.Get, "/widget.js");
        compressed.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("br"));
        var answer = await app.Anonymous.SendAsync(compressed);
        Assert.Equal(["br"], answer.Content.Headers.ContentEncoding);
        Assert.True(answer.Content.Headers.ContentLength < first.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("/assets/x/chat.html")]
    [InlineData("/assets/x/nothing.js")]
    [InlineData("/assets/x/..%2F..%2Fappsettings.json")]
    [InlineData("/chat/nonsense")]
    [InlineData("/chat/0199a0f0-0000-7000-8000-000000000000")]
    public async Task What_is_not_there_is_not_found(string path) => Assert.Equal(HttpStatusCode.NotFound, (await app.Anonymous.GetAsync(path)).StatusCode);

    [Fact]
    public async Task The_start_page_links_to_the_demo_once_it_is_there()
    {
        Assert.DoesNotContain("/chat/", await app.Anonymous.GetStringAsync("/"), StringComparison.Ordinal);
        var organization = await app.NewOrganization();
        await organization.Execute("INSERT INTO channels (id, organization_id, name, platform) VALUES ($1, $2, 'Site', 'web')", WebChatApp.StartPageChannel, organization.Id);

        await Eventually.Holds(async () => (await app.Anonymous.GetStringAsync("/")).Contains($"href=\"/chat/{WebChatApp.StartPageChannel}\"", StringComparison.Ordinal));
    }

    [GeneratedRegex("/assets/[0-9a-f]+/[a-z]+\\.[a-z]+")]
    private static partial Regex Asset();

    [GeneratedRegex("from '\\./([a-z]+\\.js)'")]
    private static partial Regex Import();
}
