using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.WebChat;
using Microsoft.Extensions.DependencyInjection;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests.WebChat;

public sealed class VisitorStreamTests(WebChatApp app, ITestOutputHelper output) : IClassFixture<WebChatApp>
{
    [Fact]
    public async Task A_stream_that_breaks_again_and_again_resumes_without_a_gap_or_a_repeat()
    {
        const int Questions = 40;
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= Questions; i++)
            {
                Assert.Equal(HttpStatusCode.Created, (await visitor.Send($"question {i}")).StatusCode);
            }
        });

        var heard = new List<long>();
        var questions = 0;
        var answered = false;
        while (questions < Questions || !answered)
        {
            var leaveAfter = random.Next(1, 8);
            using var patience = new CancellationTokenSource(Eventually.Patience);
            await foreach (var news in visitor.Events(heard.Count == 0 ? null : heard[^1], patience.Token))
            {
                if (news.Name != "message")
                {
                    continue;
                }
                heard.Add(news.Id!.Value);
                questions += news.Data.Text("direction") == "inbound" ? 1 : 0;
                answered = news.Data.Text("direction") == "outbound";
                if (--leaveAfter == 0 || (questions == Questions && answered))
                {
                    break;
                }
            }
        }
        await writing;

        Assert.Equal((await visitor.Messages()).Select(message => message["sequence"]!.GetValue<long>()), heard);
        Assert.Equal(heard.Order().Distinct(), heard);
        Assert.Empty(app.Log.Errors);
    }

    [Fact]
    public async Task A_stream_that_began_before_the_first_message_shows_it()
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        using var patience = new CancellationTokenSource(Eventually.Patience);
        await using var events = visitor.Events(null, patience.Token).GetAsyncEnumerator(patience.Token);
        await events.MoveNextAsync();
        Assert.Equal("comment", events.Current.Name);

        await visitor.Send("the first");

        do
        {
            await events.MoveNextAsync();
        }
        while (events.Current.Name != "message");
        Assert.Equal("the first", events.Current.Data.Text("textContent"));
    }

    [Fact]
    public async Task A_stream_says_that_an_answer_is_being_written()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();
        var mayAnswer = new TaskCompletionSource();
        app.Agent.Answer = async (request, cancellationToken) =>
        {
            if (request.ChannelId == channel.Id)
            {
                await mayAnswer.Task.WaitAsync(cancellationToken);
            }
            return ScriptedAgent.Say($"answer to {request.LastSequence}");
        };
        await visitor.Send("Hello?");

        // One stream for both: a second one might begin only when the answer has been written.
        var heard = await visitor.EventsUntil(news =>
        {
            var isTyping = news.Name == "typing" && news.Data["isTyping"]!.GetValue<bool>();
            if (isTyping)
            {
                mayAnswer.TrySetResult();
            }
            return news.Name == "typing" && !isTyping && mayAnswer.Task.IsCompleted;
        });

        Assert.Equal("answer to 1", heard.Last(news => news.Name == "message").Data.Text("textContent"));
    }

    [Fact]
    public async Task A_message_that_was_shown_is_recorded_as_delivered()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();
        string Status(string state) => $"select count(*) from messages where channel_id = '{channel.Id}' and direction = 'outbound' and status = '{state}'";
        await visitor.Send("Hello?");
        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>(Status("sent")) == 1);

        await visitor.EventsUntil(heard => heard.Name == "message" && heard.Data.Text("direction") == "outbound");

        await Eventually.Holds(async () => await app.Database.ScalarAsAdminAsync<long>(Status("delivered")) == 1);
    }

    [Fact]
    public async Task Of_too_many_streams_the_oldest_ends()
    {
        var visitor = await (await app.NewChannel(await app.NewOrganization())).NewVisitor();
        using var patience = new CancellationTokenSource(Eventually.Patience);
        var open = new List<IAsyncEnumerator<ChatEvent>>();
        for (var i = 0; i <= app.Services.GetRequiredService<WebChatOptions>().StreamsPerVisitor; i++)
        {
            open.Add(visitor.Events(null, patience.Token).GetAsyncEnumerator(patience.Token));
            Assert.True(await open[^1].MoveNextAsync());
        }

        Assert.True(await open[0].MoveNextAsync());
        Assert.Equal("replaced", open[0].Current.Name);
        Assert.False(await open[0].MoveNextAsync());
        await visitor.Send("Hello?");
        foreach (var stream in open.Skip(1))
        {
            while (stream.Current.Name != "message")
            {
                Assert.True(await stream.MoveNextAsync());
            }
        }
    }

    [Fact]
    public async Task A_last_event_id_that_is_none_is_refused()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{channel.Root}/events");
        request.Headers.Add("Last-Event-ID", "-1; drop");

        Assert.Equal(["Last-Event-ID"], (await (await visitor.Client.SendAsync(request)).Problem(ProblemType.Validation)).Fields());
    }
}

/// <summary>The same host with limits and a heartbeat that a test reaches.</summary>
public sealed class NarrowWebChatApp : WebChatApp
{
    protected override Dictionary<string, string?> Settings()
    {
        var settings = base.Settings();
        settings["WEB_VISITORS_PER_MINUTE"] = "5";
        settings["WEB_MESSAGES_PER_MINUTE"] = "3";
        settings["WEB_READS_PER_MINUTE"] = "4";
        settings["WEB_HEARTBEAT_SECONDS"] = "0.05";
        return settings;
    }
}

public sealed class WebChatLimitTests(NarrowWebChatApp app) : IClassFixture<NarrowWebChatApp>
{
    [Fact]
    public async Task Limits_are_named_and_a_silent_stream_is_kept_open()
    {
        var channel = await app.NewChannel(await app.NewOrganization());
        var visitor = await channel.NewVisitor();
        for (var i = 0; i < 3; i++)
        {
            await (await visitor.Send($"message {i}")).Json(HttpStatusCode.Created);
        }

        var tooMany = await visitor.Send("one too many");
        Assert.Contains("WEB_MESSAGES_PER_MINUTE is 3", (await tooMany.Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        Assert.True(tooMany.Headers.RetryAfter?.Delta > TimeSpan.Zero);

        var comments = 0;
        await visitor.EventsUntil(heard => heard.Name == "comment" && ++comments == 3);

        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < 6; i++)
        {
            answers.Add(await app.Anonymous.PostAsJsonAsync($"{channel.Root}/visitors", new { }));
        }
        Assert.Contains("WEB_VISITORS_PER_MINUTE is 5", (await answers[^1].Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
        for (var i = 0; i < 4; i++)
        {
            answers.Add(await visitor.Client.GetAsync($"{channel.Root}/messages"));
        }
        Assert.Contains("WEB_READS_PER_MINUTE is 4", (await answers[^1].Problem(ProblemType.TooManyRequests)).Text("detail"), StringComparison.Ordinal);
    }
}
