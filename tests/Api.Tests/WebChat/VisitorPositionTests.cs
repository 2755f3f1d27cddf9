using System.Globalization;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.WebChat;

/// <summary>A position that is not one of the visitor's conversation hides nothing.</summary>
public sealed class VisitorPositionTests(WebChatApp app) : IClassFixture<WebChatApp>
{
    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(long.MaxValue)]
    public async Task A_visitor_without_a_conversation_hears_all_that_comes_whatever_position_is_given(long position)
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();

        var heard = await HearAll(visitor, position, async () => await visitor.Send("Hello?"));

        Assert.Equal("reset", heard[0].Name);
        Assert.Equal([1L, 2L], heard.Where(news => news.Name == "message").Select(news => news.Id!.Value));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1000)]
    [InlineData(long.MaxValue)]
    public async Task Beyond_the_end_of_a_conversation_reading_begins_with_its_first_message(long position)
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        await visitor.Send("Hello?");
        await visitor.Until(2);

        var page = await visitor.Page(string.Create(CultureInfo.InvariantCulture, $"?after={position}"));
        var heard = await HearAll(visitor, position, () => Task.CompletedTask);

        Assert.Equal([1L, 2L], page.Items().Select(message => message["sequence"]!.GetValue<long>()));
        Assert.Equal("reset", heard[0].Name);
        Assert.Equal([1L, 2L], heard.Where(news => news.Name == "message").Select(news => news.Id!.Value));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_position_within_the_conversation_goes_on_after_it(long position)
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        await visitor.Send("Hello?");
        await visitor.Until(2);
        await visitor.Send("Once more");
        await visitor.Until(4);

        var heard = await visitor.EventsUntil(news => news.Id == 4, position);

        Assert.DoesNotContain(heard, news => news.Name == "reset");
        Assert.Equal(Enumerable.Range((int)position + 1, 4 - (int)position).Select(sequence => (long)sequence), heard.Where(news => news.Name == "message").Select(news => news.Id!.Value));
    }

    [Fact]
    public async Task An_erased_visitor_who_goes_on_writing_hears_the_new_conversation_on_the_same_stream()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();
        await visitor.Send("My name is Anna");
        var before = (await visitor.Until(2))[0].Text("conversationId");
        using var patience = new CancellationTokenSource(Eventually.Patience);
        await using var events = visitor.Events(2, patience.Token).GetAsyncEnumerator(patience.Token);
        Assert.True(await events.MoveNextAsync());

        // What an erasure does to a visitor.
        await channel.Erase();
        await Eventually.Holds(async () => (await visitor.Send("Hello again")).IsSuccessStatusCode);

        var heard = new List<ChatEvent>();
        while (heard.Count == 0 || heard[^1].Data["direction"]?.GetValue<string>() != "outbound")
        {
            Assert.True(await events.MoveNextAsync());
            heard.Add(events.Current);
        }
        Assert.Contains(heard, news => news.Name == "reset");
        var messages = heard.Where(news => news.Name == "message").ToArray();
        Assert.Equal([1L, 2L], messages.Select(news => news.Id!.Value));
        Assert.All(messages, news => Assert.NotEqual(before, news.Data.Text("conversationId")));
    }

    private static async Task<List<ChatEvent>> HearAll(ChatVisitor visitor, long position, Func<Task> act)
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        var heard = new List<ChatEvent>();
        await foreach (var news in visitor.Events(position, patience.Token))
        {
            if (news.Name == "comment")
            {
                if (heard.Count == 0)
                {
                    await act();
                }
                continue;
            }
            heard.Add(news);
            if (news.Id == 2)
            {
                break;
            }
        }
        return heard;
    }
}
