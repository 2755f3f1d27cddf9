using AgentPlatform.Api.Tests.WebChat;
using AgentPlatform.Browser.Tests.Chromium;

namespace AgentPlatform.Browser.Tests.Chat;

/// <summary>An open page whose visitor becomes another one begins again, and shows all that comes.</summary>
[Collection("browser")]
public sealed class AnotherVisitorTests(WebChatApp app, ChromiumBrowser browser) : IClassFixture<WebChatApp>, IClassFixture<ChromiumBrowser>
{
    private const string Begins = "A new conversation begins here";
    private const string Forged = "{ ...visitor, token: 'x' + visitor.token.slice(1) }";

    /// <summary>What is in a page below the last note about a new conversation.</summary>
    private const string Below = """
        (() => { const all = [...document.querySelectorAll('.log > li')]; return all.slice(all.findLastIndex(item => item.classList.contains('system')) + 1).filter(item => item.classList.contains('message')); })()
        """;

    [Theory]
    [InlineData(Forged)]
    [InlineData("{ token: 'lapsed', expiresAt: visitor.expiresAt, expiresIn: visitor.expiresIn }")]
    [InlineData("{ ...visitor, token: visitor.token.split('.').toReversed().join('.') }")]
    public async Task A_token_that_is_refused_begins_a_new_conversation_that_is_shown(string stored)
    {
        var (page, channel) = await OpenChat();
        await Ask(page, "What does it cost?", 1);
        await Ask(page, "And with children?", 3);

        await Store(page, channel, stored);
        await Ask(page, "Are you still there?", 1);
        await Ask(page, "And now?", 3);

        Assert.Equal(["Are you still there?", "answer to 1", "And now?", "answer to 3"], await Texts(page, Below));
        Assert.Equal(Begins, await page.Evaluate<string>("document.querySelector('.log > .system').innerText"));
        Assert.Equal(8, await page.Evaluate<int>("document.querySelectorAll('.message').length - 1")); // what was said before stands above
        await page.Reload();
        await page.Until("document.querySelectorAll('.message').length === 5");
        Assert.Equal(2, await app.Database.ScalarAsAdminAsync<long>($"select count(*) from conversations where channel_id = '{channel.Id}'"));
    }

    [Fact]
    public async Task A_visitor_whom_another_tab_brought_takes_this_one_along_with_all_that_was_said()
    {
        var (page, channel) = await OpenChat();
        await Ask(page, "What does it cost?", 1);
        var other = await channel.NewVisitor();
        for (var i = 0; i < 3; i++)
        {
            await other.Send($"other {i}");
            await other.Until(2 * (i + 1));
        }

        var tab = await browser.NewPage(page);
        await tab.Open($"{app.Address}missing");
        await Store(tab, channel, $"{{ visitorId: '{other.Id}', token: '{other.Token}', expiresAt: new Date(Date.now() + 9e8).toISOString(), expiresIn: 2592000 }}");

        await page.Until($"{Below}.length === 6");
        await page.Send("Page.bringToFront");
        await Ask(page, "And here?", 7);
        Assert.Equal("answer to 7", (await Texts(page, Below))[^1]);
    }

    [Fact]
    public async Task What_was_written_before_the_token_was_refused_is_sent_once_in_the_new_conversation()
    {
        var (page, channel) = await OpenChat();
        await Ask(page, "first", 1);
        await page.SetOffline(true);
        await Say(page, "written in a tunnel");
        await page.Until("document.querySelector('.mine.waiting')");
        await Store(page, channel, Forged);

        await page.SetOffline(false);

        await page.Until($"{Below}.length === 2 && {Below}[0].querySelector('.mark')");
        Assert.Equal(["written in a tunnel", "answer to 1"], await Texts(page, Below));
        Assert.Equal(1, await app.Database.ScalarAsAdminAsync<long>($"select count(*) from messages where channel_id = '{channel.Id}' and text_content = 'written in a tunnel'"));
        Assert.Equal("[]", await page.Evaluate<string>($"localStorage.getItem('agentplatform.{channel.Id}.unsent')"));
    }

    [Fact]
    public async Task What_was_erased_goes_from_the_page_and_what_follows_is_shown()
    {
        var (page, channel) = await OpenChat();
        await Ask(page, "My name is Anna", 1);

        await channel.Erase();
        await Say(page, "Hello again");

        await page.Until("document.querySelectorAll('.message').length === 3");
        Assert.Equal(["Hello", "Hello again", "answer to 1"], await Texts(page, "[...document.querySelectorAll('.message')]"));
    }

    private async Task<(ChromiumPage Page, WebChannel Channel)> OpenChat()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var page = await browser.NewPage();
        await page.Open($"{app.Address}chat/{channel.Id}");
        return (page, channel);
    }

    /// <summary>Replaces what the browser keeps of the visitor.</summary>
    private static Task Store(ChromiumPage page, WebChannel channel, string stored) => page.Evaluate<bool>($$"""
        (() => { const key = 'agentplatform.{{channel.Id}}.visitor', visitor = JSON.parse(localStorage.getItem(key)); localStorage.setItem(key, JSON.stringify({{stored}})); return true; })()
        """);

    private static Task<string[]> Texts(ChromiumPage page, string items) => page.Evaluate<string[]>($"{items}.map(item => item.querySelector('.bubble').innerText)");

    private static async Task Ask(ChromiumPage page, string text, int sequence)
    {
        await Say(page, text);
        await page.Until($"{Below}.slice(-2).map(item => item.querySelector('.bubble').innerText).join() === '{text},answer to {sequence}'");
    }

    private static async Task Say(ChromiumPage page, string text)
    {
        await page.Until("document.activeElement.id === 'text'");
        await page.Type(text);
        await page.Press("Enter");
    }
}
