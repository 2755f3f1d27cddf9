using System.Collections.Concurrent;
using System.Diagnostics;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Fakes.Platforms;
using AgentPlatform.Fakes.Telegram;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Tests.Channels;

public sealed class TelegramConnectorTests : IAsyncLifetime
{
    private const string Token = "123456:AAE-secret-token";
    private readonly ConnectorHost _host = new();
    private FakeTelegramApi _api = null!;
    private ChannelSettings _channel = null!;

    private IChannelConnector Connector => _host.For("telegram");

    public async Task InitializeAsync()
    {
        _api = (await FakeTelegramApi.StartAsync()).AddBot(Token);
        _channel = ConnectorHost.Channel("telegram", _api.BaseUrl, "123456", (CredentialNames.BotToken, Token));
    }

    public async Task DisposeAsync()
    {
        Assert.DoesNotContain(_host.Log, line => line.Contains("AAE-secret", StringComparison.Ordinal));
        await _api.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task A_text_arrives_as_a_reply_without_markup()
    {
        var result = await Connector.Send(_channel, Outbound("-1001234567890", new PreparedContent(ContentTypes.Text, "5 < 6 & *so*")) with { ReplyToPlatformId = "-1001234567890:1365" }, default);

        var sent = Assert.Single(_api.Messages);
        Assert.Equal(new SendResult(SendOutcome.Sent, $"-1001234567890:{sent.MessageId}"), result);
        Assert.Equal(("sendMessage", -1001234567890, "5 < 6 & *so*"), (sent.Method, sent.ChatId, sent.Text));
        Assert.Equal(1365, sent.Body.GetProperty("reply_parameters").GetProperty("message_id").GetInt64());
        Assert.False(sent.Body.TryGetProperty("parse_mode", out _));
    }

    [Theory]
    [InlineData("-100:77", "message_thread_id", "77")]
    [InlineData("5@conn", "business_connection_id", "\"conn\"")]
    public async Task Topics_and_business_chats_are_addressed(string recipient, string member, string value)
    {
        await Connector.Send(_channel, Outbound(recipient, new PreparedContent(ContentTypes.Text, "Hi")), default);

        Assert.Equal(value, Assert.Single(_api.Messages).Body.GetProperty(member).GetRawText());
    }

    [Theory]
    [InlineData("image", "sendPhoto", "photo")]
    [InlineData("audio", "sendAudio", "audio")]
    [InlineData("video", "sendVideo", "video")]
    [InlineData("document", "sendDocument", "document")]
    public async Task Media_is_sent_by_its_own_method(string type, string method, string member)
    {
        await Connector.Send(_channel, Outbound("5", new PreparedContent(type, "Look", "https://example.com/a")), default);
        await Connector.Send(_channel, Outbound("5", new PreparedContent(type, null, "media:file-id")), default);

        Assert.Equal([(method, "https://example.com/a"), (method, "file-id")], _api.Messages.Select(call => (call.Method, call.Body.GetProperty(member).GetString()!)));
    }

    [Fact]
    public async Task Choices_become_an_inline_keyboard()
    {
        var content = new OutgoingContent { Text = "Which?", Choices = [.. Enumerable.Range(0, 20).Select(i => new Choice($"id-{i}", new string('x', 100)))] };

        var result = await Connector.Send(_channel, Outbound("5", Assert.Single(Connector.Prepare(content).Parts)), default);

        Assert.Equal(SendOutcome.Sent, result.Outcome);
        Assert.Equal(20, Assert.Single(_api.Messages).Body.GetProperty("reply_markup").GetProperty("inline_keyboard").GetArrayLength());
    }

    [Fact]
    public async Task Typing_is_shown_and_reading_is_not_a_bots_business()
    {
        await Connector.MarkReadAndTyping(_channel, "5", "5:1", typing: true, default);
        await Connector.MarkReadAndTyping(_channel, "5", "5:1", typing: false, default);

        Assert.Equal("sendChatAction", Assert.Single(_api.Actions).Method);
    }

    [Fact]
    public async Task Who_blocked_the_bot_is_unreachable()
    {
        _api.Block(5);

        Assert.Equal(SendOutcome.Unreachable, (await Send("5")).Outcome);
        _api.FailNext(Error(400, "Bad Request: chat not found"));
        Assert.Equal(SendOutcome.Unreachable, (await Send("6")).Outcome);
    }

    [Fact]
    public async Task A_group_that_moved_gets_the_message_in_its_new_place()
    {
        _api.Move(-5, -1005);

        var result = await Send("-5");

        Assert.Equal((SendOutcome.Sent, "-1005:1"), (result.Outcome, result.PlatformMessageId));
    }

    [Fact]
    public async Task Too_many_requests_make_this_chat_wait_as_long_as_asked()
    {
        _api.FailNext(FakeTelegramApi.TooManyRequests(7));

        var result = await Send("5");

        Assert.Equal((SendOutcome.PairThrottled, TimeSpan.FromSeconds(7)), (result.Outcome, result.RetryAfter));
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("31536000", 31_536_000)]
    [InlineData("0", null)]
    [InlineData("-3", null)]
    [InlineData("9223372036854775807", -1)]
    public async Task A_wait_of_any_length_is_read(string seconds, int? expected)
    {
        _api.FailNext(new PlatformFault.Answer(429, $$$"""{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":{{{seconds}}}}}"""));

        var result = await Send("5");

        Assert.Equal<TimeSpan?>(expected switch { null => null, -1 => TimeSpan.MaxValue, { } some => TimeSpan.FromSeconds(some) }, result.RetryAfter);
        Assert.True(result.RetryAfter is not { } wait || PlatformWait.Bound(wait) <= PlatformWait.Longest);
    }

    [Theory]
    [InlineData(403, "Forbidden: bot was blocked by the user", "blocked")]
    [InlineData(403, "Forbidden: bot was kicked from the supergroup chat", "removed")]
    [InlineData(403, "Forbidden: bot is not a member of the channel chat", "not a member")]
    [InlineData(403, "Forbidden: user is deactivated", "deleted")]
    [InlineData(403, "Forbidden: something new", "doesn't let")]
    [InlineData(400, "Bad Request: chat not found", "doesn't know")]
    [InlineData(400, "Bad Request: TOPIC_CLOSED", "closed")]
    [InlineData(400, "Bad Request: TOPIC_DELETED", "deleted")]
    [InlineData(400, "Bad Request: business connection not found", "disconnected")]
    [InlineData(400, "Bad Request: BUSINESS_CONNECTION_INVALID", "disconnected")]
    [InlineData(400, "Bad Request: group chat was deactivated", "closed")]
    public async Task Why_a_chat_can_not_be_written_to_is_said_in_plain_words(int code, string description, string reason)
    {
        _api.FailNext(Error(code, description));

        var result = await Send("5");

        Assert.Equal(SendOutcome.Unreachable, result.Outcome);
        Assert.Contains(reason, result.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "Unauthorized", SendOutcome.ChannelBroken)]
    [InlineData(404, "Not Found", SendOutcome.ChannelBroken)]
    [InlineData(403, "Forbidden: user is deactivated", SendOutcome.Unreachable)]
    [InlineData(409, "Conflict", SendOutcome.Passing)]
    [InlineData(400, "Bad Request: message is too long", SendOutcome.Permanent)]
    [InlineData(400, "Bad Request: wrong file identifier/HTTP URL specified", SendOutcome.Permanent)]
    [InlineData(500, "Internal Server Error", SendOutcome.Passing)]
    [InlineData(502, "Bad Gateway", SendOutcome.Passing)]
    public async Task Each_error_means_one_thing_to_do(int code, string description, SendOutcome outcome)
    {
        _api.FailNext(Error(code, description));

        var result = await Send("5");

        Assert.Equal((outcome, description), (result.Outcome, result.Error));
    }

    [Theory]
    [InlineData(502, "<html>", SendOutcome.Doubtful)]
    [InlineData(503, "", SendOutcome.Passing)]
    [InlineData(200, "garbage", SendOutcome.Doubtful)]
    [InlineData(200, """{"ok":true,"result":true}""", SendOutcome.Doubtful)]
    public async Task Answers_that_are_not_the_platforms_own_are_judged_by_their_status(int status, string body, SendOutcome outcome)
    {
        _api.FailNext(new PlatformFault.Answer(status, body));

        Assert.Equal(outcome, (await Send("5")).Outcome);
    }

    [Fact]
    public async Task A_revoked_token_breaks_the_channel_and_is_shown_nowhere()
    {
        var result = await Connector.Send(_channel with { Credentials = _channel.Credentials.SetItem(CredentialNames.BotToken, "123456:AAE-secret-revoked") }, Outbound("5", new PreparedContent(ContentTypes.Text, "Hi")), default);

        Assert.Equal(SendOutcome.ChannelBroken, result.Outcome);
        Assert.DoesNotContain("AAE", result.Error, StringComparison.Ordinal);
        await _api.DisposeAsync();
        Assert.DoesNotContain("AAE", (await Send("5")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_is_in_no_trace()
    {
        var urls = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => urls.Enqueue($"{activity.DisplayName} {string.Join(' ', activity.TagObjects)}"),
        };
        ActivitySource.AddActivityListener(listener);

        await Send("5");

        Assert.DoesNotContain(urls, url => url.Contains("AAE-secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_recipient_that_is_no_chat_is_refused() => Assert.Equal(SendOutcome.Permanent, (await Send("ann@example.com")).Outcome);

    private static PlatformFault Error(int code, string description) =>
        new PlatformFault.Answer(code, $$"""{"ok":false,"error_code":{{code}},"description":"{{description}}"}""");

    private Task<SendResult> Send(string recipient) => Connector.Send(_channel, Outbound(recipient, new PreparedContent(ContentTypes.Text, "Hi")), default);

    private static OutboundMessage Outbound(string recipient, PreparedContent content) => new() { MessageId = Guid.NewGuid(), Recipient = recipient, Content = content, Attempt = 1 };
}
