using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Tests.WebChat;
using AgentPlatform.Browser.Tests.Chromium;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Browser.Tests.Chat;

[Collection("browser")]
public sealed class WidgetTests(WebChatApp app, ChromiumBrowser browser) : IClassFixture<WebChatApp>, IClassFixture<ChromiumBrowser>
{
    [Fact]
    public async Task One_line_puts_the_chat_on_another_site()
    {
        var channel = await app.NewChannel(await app.NewOrganization(), "127.0.0.1");
        await using var site = await OtherSite($"""<script src="{app.Address}widget.js" data-channel="{channel.Id}" async></script>""");
        var page = await browser.NewPage();
        await page.Open(Address(site));
        await page.Until("document.querySelector('[data-agentplatform]')");
        Assert.Empty(await page.Frames());

        await page.Press("Tab");
        Assert.True(await page.Evaluate<bool>("document.activeElement.hasAttribute('data-agentplatform')"));
        Assert.Contains(("button", "Chat with us"), await page.AccessibleNodes());
        await page.Press("Enter");
        var frame = await Chat(page);
        await page.Until("document.activeElement.id === 'text'", frame);
        await page.Type("Hello from another site");
        await page.Press("Enter");

        await page.Until("[...document.querySelectorAll('.message:not(.mine)')].some(item => item.innerText.includes('answer to 1'))", frame);
        await page.Press("Escape");
        await page.Until("document.activeElement.hasAttribute('data-agentplatform')");
        Assert.True(page.Complaints.Count == 0, string.Join("\n", page.Complaints));
    }

    [Fact]
    public async Task A_site_that_is_not_allowed_shows_no_chat()
    {
        var channel = await app.NewChannel(await app.NewOrganization(), "shop.example");
        await using var site = await OtherSite($"""<script src="{app.Address}widget.js" data-channel="{channel.Id}" async></script><iframe src="{app.Address}chat/{channel.Id}"></iframe>""");
        var page = await browser.NewPage();
        await page.Open(Address(site));
        await page.Until("window.AgentPlatformChat");

        Assert.Contains((await page.Frames()), frame => frame.Address.StartsWith("chrome-error:", StringComparison.Ordinal));
        Assert.False(await page.Evaluate<bool>("Boolean(document.querySelector('[data-agentplatform]'))"));
        Assert.Contains(page.Complaints, complaint => complaint.Contains("frame-ancestors", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_loaded_until_it_is_opened_or_something_is_waited_for()
    {
        var channel = await app.NewChannel(await app.NewOrganization(), "127.0.0.1");
        await using var site = await OtherSite($"""<script src="{app.Address}widget.js" data-channel="{channel.Id}" async></script>""");
        var page = await browser.NewPage();
        await page.Open(Address(site));
        await page.Until("document.querySelector('[data-agentplatform]')");
        await page.Evaluate<bool>("AgentPlatformChat.open(), AgentPlatformChat.close(), true");
        await Chat(page);
        await page.Reload();
        await page.Until("document.querySelector('[data-agentplatform]')");
        await page.Evaluate<bool>("new Promise(resolve => requestIdleCallback(() => resolve(true)))");
        Assert.Empty(await page.Frames()); // it was opened, but nothing was said
        Assert.Equal(0, app.Streams(channel.Id));

        await page.Evaluate<bool>("AgentPlatformChat.open(), true");
        var frame = await Chat(page);
        await page.Until("document.activeElement.id === 'text'", frame);
        await page.Type("Hello?");
        await page.Press("Enter");
        await page.Until("document.getElementById('log').innerText.includes('answer to 1')", frame);
        await page.Reload();

        // More may come for a while: the closed widget is loaded and listens.
        frame = await Chat(page);
        await Eventually.Holds(() => Task.FromResult(app.Streams(channel.Id) == 1));
        await page.Until("document.getElementById('log')?.innerText.includes('answer to 1')", frame);

        // Once that time is over, it isn't.
        await page.Open($"{Address(site)}/?later");
        await page.Until("document.querySelector('[data-agentplatform]')");
        await page.Evaluate<bool>($"window.addEventListener('pagehide', () => localStorage.setItem('agentplatform.{channel.Id}.waits', '1000')), true");
        await page.Reload();
        await page.Until("document.querySelector('[data-agentplatform]')");
        await page.Evaluate<bool>("new Promise(resolve => requestIdleCallback(() => resolve(true)))");
        Assert.Empty(await page.Frames());
    }

    private static async Task<string> Chat(ChromiumPage page)
    {
        await page.Until("document.querySelector('[data-agentplatform]')");
        for (; ; )
        {
            if ((await page.Frames()).FirstOrDefault(frame => frame.Address.Contains("/chat/", StringComparison.Ordinal)) is { Id: { } id })
            {
                return id;
            }
        }
    }

    /// <summary>A site of somebody else's: another origin, with a policy that allows no inline style or script.</summary>
    private async Task<WebApplication> OtherSite(string body)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var site = builder.Build();
        site.MapGet("/", (HttpContext context) =>
        {
            var ours = app.Address.GetLeftPart(UriPartial.Authority);
            context.Response.Headers.ContentSecurityPolicy = $"default-src 'none'; script-src {ours}; connect-src {ours}; frame-src {ours}";
            return Results.Content($"<!doctype html><html lang=\"en\"><title>Site</title><body><h1>Somebody's site</h1>{body}</body></html>", "text/html");
        });
        await site.StartAsync();
        return site;
    }

    private static string Address(WebApplication site) => site.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
}
