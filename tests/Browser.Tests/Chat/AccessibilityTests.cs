using AgentPlatform.Api.Tests.WebChat;
using AgentPlatform.Browser.Tests.Chromium;

namespace AgentPlatform.Browser.Tests.Chat;

[Collection("browser")]
public sealed class AccessibilityTests(WebChatApp app, ChromiumBrowser browser) : IClassFixture<WebChatApp>, IClassFixture<ChromiumBrowser>
{
    [Theory]
    [InlineData("#0f766e", "light")]
    [InlineData("#3b82f6", "light")]
    [InlineData("#ffee00", "light")]
    [InlineData("#ffee00", "dark")]
    [InlineData("#000000", "dark")]
    [InlineData("#c026d3", "dark")]
    public async Task Text_can_be_read_whatever_the_channels_colour(string color, string scheme)
    {
        var organization = await app.NewOrganization();
        var channel = await app.NewChannel(organization);
        await organization.Execute("UPDATE web_widgets SET primary_color = $2 WHERE channel_id = $1", channel.Id, color);
        var page = await browser.NewPage();
        await page.Prefer("prefers-color-scheme", scheme);
        await page.Open($"{app.Address}chat/{channel.Id}");
        await page.Until("document.getElementById('state').innerText.length > 0");
        await page.Until("document.activeElement.id === 'text'");
        await page.Type("Hello?");
        await page.Press("Enter");
        await page.Until("document.querySelectorAll('.message:not(.mine)').length === 2 && document.querySelector('.mine .mark')");
        await page.Until("document.getAnimations().every(animation => animation.playState !== 'running')");

        var faint = await page.Evaluate<string[]>(Faint);

        Assert.Empty(faint);
    }

    [Fact]
    public async Task Everything_has_a_name_and_news_are_announced()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var page = await browser.NewPage();
        await page.Open($"{app.Address}chat/{channel.Id}");
        await page.Until("document.getElementById('log').getAttribute('aria-live') === 'polite'");

        var nodes = await page.AccessibleNodes();

        Assert.Contains(("log", "Messages"), nodes);
        Assert.Contains(("textbox", "Your message"), nodes);
        Assert.Contains(("button", "Send"), nodes);
        Assert.Contains(("heading", "Organization"), nodes);
        Assert.DoesNotContain(nodes, node => node.Role is "button" or "textbox" or "link" or "image" && node.Name.Length == 0);
        await page.Press("Tab", shift: true);
        await page.Until("document.activeElement.id === 'thread'");
        Assert.NotEqual("none", await page.Evaluate<string>("getComputedStyle(document.activeElement).outlineStyle"));
    }

    [Fact]
    public async Task Who_prefers_less_motion_sees_none()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var page = await browser.NewPage();
        await page.Prefer("prefers-reduced-motion", "reduce");
        await page.Open($"{app.Address}chat/{channel.Id}");

        Assert.Equal("none", await page.Evaluate<string>("(document.getElementById('typing').hidden = false, getComputedStyle(document.querySelector('.dots i')).animationName)"));
    }

    /// <summary>Texts whose contrast with what is behind them is below 4.5 (WCAG 2, AA), with what it is.</summary>
    private const string Faint = """
        (() => {
          const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
          const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return [d[0], d[1], d[2], d[3] / 255]; };
          const over = (top, below) => top.slice(0, 3).map((part, i) => part * top[3] + below[i] * (1 - top[3]));
          const luminance = rgb => { const [r, g, b] = rgb.map(part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const behind = node => { const layers = []; for (; node; node = node.parentElement) layers.unshift(rgba(getComputedStyle(node).backgroundColor)); return layers.reduce((below, top) => over(top, below), [255, 255, 255]); };
          const faint = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const element = walker.currentNode.parentElement;
            if (!walker.currentNode.data.trim() || !element.offsetParent || element.closest('.unseen, noscript, script')) continue;
            const back = behind(element), front = over(rgba(getComputedStyle(element).color), back);
            const [dark, light] = [luminance(front), luminance(back)].sort((a, b) => a - b);
            const contrast = (light + 0.05) / (dark + 0.05);
            if (contrast < 4.5) faint.push(`${walker.currentNode.data.trim()}: ${contrast.toFixed(2)}`);
          }
          return faint;
        })()
        """;
}
