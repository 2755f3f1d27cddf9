using AgentPlatform.Api.Tests.WebChat;
using AgentPlatform.Browser.Tests.Chromium;
using AgentPlatform.Conversations;

namespace AgentPlatform.Browser.Tests.Chat;

/// <summary>The chat page in a real browser, with the API, the engine and Postgres behind it.</summary>
[Collection("browser")]
public sealed class ChatPageTests(WebChatApp app, ChromiumBrowser browser) : IClassFixture<WebChatApp>, IClassFixture<ChromiumBrowser>
{
    private const string Answered = "document.querySelectorAll('.message:not(.mine)').length";

    [Fact]
    public async Task A_visitor_chats_by_keyboard_and_finds_it_all_again_after_a_reload()
    {
        var (page, channel) = await OpenChat();
        await page.Until("document.activeElement.id === 'text' && document.getElementById('send').disabled");
        await page.Until("document.querySelector('.message').innerText.includes('Hello')");

        await Say(page, "What does it cost?");

        await page.Until("document.querySelector('.mine .mark')");
        await page.Until($"{Answered} === 2");
        Assert.Equal("answer to 1", await page.Evaluate<string>("[...document.querySelectorAll('.message:not(.mine) .bubble')].at(-1).innerText"));
        Assert.Equal("", await page.Evaluate<string>("document.getElementById('text').value"));
        await page.Reload();
        await page.Until($"{Answered} === 2 && document.querySelectorAll('.mine').length === 1");
        await Say(page, "And with children?");
        await page.Until($"{Answered} === 3");
        Assert.Equal(["What does it cost?", "And with children?"], await page.Evaluate<string[]>("[...document.querySelectorAll('.mine .bubble')].map(bubble => bubble.innerText)"));
        Assert.Equal(2, await Stored(channel));
        await NothingWentWrong(page);
    }

    [Fact]
    public async Task Markup_in_messages_stays_text()
    {
        const string Evil = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script> [a](javascript:alert(1)) **bold** https://soul.example/tours.";
        var (page, channel) = await OpenChat();
        app.Agent.Answer = (request, _) => Task.FromResult(ScriptedAgent.Say(request.ChannelId == channel.Id ? Evil : $"answer to {request.LastSequence}"));

        await Say(page, Evil);

        await page.Until($"{Answered} === 2");
        Assert.Contains("<img src=x", await page.Evaluate<string>("[...document.querySelectorAll('.bubble')].at(-1).innerText"), StringComparison.Ordinal);
        Assert.Equal(0, await page.Evaluate<int>("document.querySelectorAll('.log img, .log script').length"));
        Assert.Equal(["https://soul.example/tours"], (await page.Evaluate<string[]>("[...document.querySelectorAll('.log a')].map(a => a.href)")).Distinct());
        Assert.NotEqual("owned", await page.Evaluate<string>("document.title"));
        await NothingWentWrong(page);
    }

    [Fact]
    public async Task A_message_written_without_a_network_is_sent_once_when_it_is_back()
    {
        var (page, channel) = await OpenChat();
        await Say(page, "first");
        await page.Until($"{Answered} === 2");

        await page.SetOffline(true);
        await Say(page, "written in a tunnel");
        await page.Until("document.querySelector('.mine.waiting .meta').innerText.length > 0");
        await page.Reload();
        await page.SetOffline(false);

        await page.Open($"{app.Address}chat/{channel.Id}");
        await page.Until("[...document.querySelectorAll('.mine')].some(item => item.innerText.includes('tunnel') && item.querySelector('.mark'))");
        await page.Until($"{Answered} === 3");
        Assert.Equal(2, await Stored(channel));
    }

    [Fact]
    public async Task Choices_are_buttons_until_one_is_taken()
    {
        var (page, channel) = await OpenChat();
        app.Agent.Answer = (request, _) => Task.FromResult(request.ChannelId == channel.Id && request.LastSequence == 1
            ? ScriptedAgent.Say(new OutgoingContent { Text = "Which one?", Choices = [new Choice("a", "Weekend"), new Choice("b", "A week", "Seven days")] }, "built_in")
            : ScriptedAgent.Say($"answer to {request.LastSequence}"));
        await Say(page, "Tours?");
        await page.Until("document.querySelectorAll('.choices button').length === 2");
        Assert.Equal("automatic", await page.Evaluate<string>("document.querySelector('.tag').innerText"));

        await page.Evaluate<bool>("document.querySelectorAll('.choices button')[1].focus(), true");
        await page.Press("Enter");

        await page.Until("[...document.querySelectorAll('.mine .bubble')].at(-1).innerText === 'A week'");
        await page.Until("[...document.querySelectorAll('.choices button')].every(button => button.disabled)");
        await page.Until($"{Answered} === 3");
        Assert.Equal("b", await app.Database.ScalarAsAdminAsync<string>($"select payload ->> 'id' from messages where channel_id = '{channel.Id}' and content_type = 'interactive' and direction = 'inbound'"));
        await NothingWentWrong(page);
    }

    [Fact]
    public async Task It_says_that_an_answer_is_being_written()
    {
        var (page, channel) = await OpenChat();
        var mayAnswer = new TaskCompletionSource();
        app.Agent.Answer = async (request, cancellationToken) =>
        {
            if (request.ChannelId == channel.Id)
            {
                await mayAnswer.Task.WaitAsync(cancellationToken);
            }
            return ScriptedAgent.Say($"answer to {request.LastSequence}");
        };

        await Say(page, "Hello?");

        await page.Until("!document.getElementById('typing').hidden && document.getElementById('typing-text').innerText.length > 0");
        mayAnswer.SetResult();
        await page.Until($"document.getElementById('typing').hidden && {Answered} === 2");
    }

    [Fact]
    public async Task It_fits_a_phone_and_speaks_arabic_from_right_to_left()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var page = await browser.NewPage();
        await page.Resize(360, 640, isPhone: true);
        await page.Open($"{app.Address}chat/{channel.Id}?lang=ar");
        await page.Evaluate<bool>("document.getElementById('text').focus(), true");
        await Say(page, "مرحبا " + new string('w', 300));
        await page.Until($"{Answered} === 2");

        Assert.Equal("rtl ar", await page.Evaluate<string>("`${document.documentElement.dir} ${document.documentElement.lang}`"));
        Assert.Equal(360, await page.Evaluate<int>("Math.max(document.documentElement.scrollWidth, document.getElementById('thread').scrollWidth)"));
        Assert.True(await page.Evaluate<bool>("document.querySelector('.mine').getBoundingClientRect().left < 40"), "The visitor's messages stand at the end of the line: left.");
        Assert.True(await page.Evaluate<bool>("[...document.querySelectorAll('button')].filter(b => b.offsetParent).every(b => b.offsetHeight >= 36)"), "Buttons are large enough for a finger.");
        Assert.True(await page.Evaluate<bool>("document.getElementById('send').getBoundingClientRect().bottom <= innerHeight"), "The composer is on the screen.");
        await NothingWentWrong(page);
    }

    private async Task<(ChromiumPage Page, WebChannel Channel)> OpenChat()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var page = await browser.NewPage();
        await page.Resize(1100, 760);
        await page.Open($"{app.Address}chat/{channel.Id}");
        return (page, channel);
    }

    private static async Task Say(ChromiumPage page, string text)
    {
        await page.Until("document.activeElement.id === 'text'");
        await page.Type(text);
        await page.Press("Enter");
    }

    private Task<long> Stored(WebChannel channel) => app.Database.ScalarAsAdminAsync<long>($"select count(*) from messages where channel_id = '{channel.Id}' and direction = 'inbound'");

    private async Task NothingWentWrong(ChromiumPage page)
    {
        Assert.Empty(page.Complaints);
        Assert.Empty(app.Log.Errors);
        await page.Send("Page.close");
    }
}
