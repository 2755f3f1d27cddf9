using AgentPlatform.Api.Tests.WebChat;
using AgentPlatform.Browser.Tests.Chromium;

namespace AgentPlatform.Browser.Tests.Chat;

/// <summary>Many tabs of one browser, over the six connections that it opens to a host.</summary>
[Collection("browser")]
public sealed class TabsTests(WebChatApp app, ChromiumBrowser browser) : IClassFixture<WebChatApp>, IClassFixture<ChromiumBrowser>
{
    private const int Tabs = 7;
    private const string WithoutLocks = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })";
    private const string WithBlockedLocks = "LockManager.prototype.request = () => Promise.reject(new DOMException('blocked', 'SecurityError'))";
    private const string WithoutChannels = "delete globalThis.BroadcastChannel";

    [Theory]
    [InlineData(null)]
    [InlineData(WithoutLocks)]
    [InlineData(WithBlockedLocks)]
    [InlineData(WithoutChannels)]
    public async Task In_the_last_of_many_tabs_a_message_is_sent_and_answered(string? browserIs)
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var tabs = await Open(channel, browserIs);

        await Say(tabs[^1], "Hello from the last");

        await tabs[^1].Until("document.getElementById('log').innerText.includes('answer to 1')");
        await tabs[0].Send("Page.bringToFront");
        await tabs[0].Until("document.getElementById('log').innerText.includes('Hello from the last') && document.getElementById('log').innerText.includes('answer to 1')");
        Assert.All(tabs, tab => Assert.Empty(tab.Complaints));
    }

    [Fact]
    public async Task When_the_tab_that_reads_the_stream_goes_another_one_reads_on()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var tabs = await Open(channel, null);
        for (var left = tabs.Count; left > 1; left--)
        {
            await tabs[^1].Send("Page.bringToFront");
            await Say(tabs[^1], $"with {left} tabs");
            await tabs[^1].Until($"document.getElementById('log').innerText.includes('with {left} tabs')");
            await tabs[^1].Until("document.querySelectorAll('.mine .mark').length === document.querySelectorAll('.mine').length");
            await tabs[0].Send("Page.close");
            tabs.RemoveAt(0);
        }

        await tabs[0].Send("Page.bringToFront");
        await Say(tabs[0], "the last one");
        await tabs[0].Until("document.querySelectorAll('.message:not(.mine)').length === 1 + document.querySelectorAll('.mine').length");
        Assert.Equal(Tabs, await tabs[0].Evaluate<int>("document.querySelectorAll('.mine').length"));
    }

    [Fact]
    public async Task Tabs_that_are_looked_at_at_the_same_time_have_one_stream_and_show_the_same()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var tabs = await Open(channel, null);
        foreach (var tab in tabs)
        {
            await tab.Send("Emulation.setFocusEmulationEnabled", new() { ["enabled"] = true });
        }
        await Say(tabs[2], "Hello");

        foreach (var tab in tabs)
        {
            await tab.Until("document.getElementById('log').innerText.includes('answer to 1')");
        }
        Assert.Equal(1, app.Streams(channel.Id));
    }

    private async Task<List<ChromiumPage>> Open(WebChannel channel, string? browserIs)
    {
        var tabs = new List<ChromiumPage>();
        for (var i = 0; i < Tabs; i++)
        {
            var tab = await browser.NewPage(tabs.FirstOrDefault());
            if (browserIs is not null)
            {
                await tab.Send("Page.addScriptToEvaluateOnNewDocument", new() { ["source"] = browserIs });
            }
            await tab.Open($"{app.Address}chat/{channel.Id}");
            await tab.Until("document.getElementById('state').innerText === 'Online'");
            tabs.Add(tab);
        }
        return tabs;
    }

    private static async Task Say(ChromiumPage page, string text)
    {
        await page.Evaluate<bool>("document.getElementById('text').focus(), true");
        await page.Until("document.activeElement.id === 'text'");
        await page.Type(text);
        await page.Press("Enter");
    }
}
