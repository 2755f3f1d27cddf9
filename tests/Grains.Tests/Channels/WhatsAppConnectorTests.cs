using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Fakes.Platforms;
using AgentPlatform.Fakes.WhatsApp;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Channels.WhatsApp;

namespace AgentPlatform.Grains.Tests.Channels;

public sealed class WhatsAppConnectorTests : IAsyncLifetime
{
    private const string Token = "EAA-secret-token";
    private readonly ConnectorHost _host = new();
    private FakeGraphApi _api = null!;
    private ChannelSettings _channel = null!;

    private IChannelConnector Connector => _host.For("whatsapp");

    public async Task InitializeAsync()
    {
        _api = (await FakeGraphApi.StartAsync()).AddNumber("106540352242922", Token);
        _channel = ConnectorHost.Channel("whatsapp", _api.BaseUrl, "106540352242922", (CredentialNames.AccessToken, Token));
    }

    public async Task DisposeAsync()
    {
        Assert.DoesNotContain(_host.Log, line => line.Contains(Token, StringComparison.Ordinal));
        await _api.DisposeAsync();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task A_text_arrives_with_our_id_and_as_a_reply()
    {
        var message = Text("16505551234", "Hello 😀") with { ReplyToPlatformId = "wamid.before" };

        var result = await Connector.Send(_channel, message, default);

        var sent = Assert.Single(_api.Messages);
        Assert.Equal(new SendResult(SendOutcome.Sent, sent.Id), result);
        Assert.Equal(("16505551234", false, "text", "Hello 😀", message.MessageId.ToString(), "wamid.before"), (sent.Recipient, sent.IsUserId, sent.Type, sent.Text, sent.Callback, sent.ReplyTo));
        Assert.Equal("16505551234", sent.Body.GetProperty("to").GetString());
    }

    [Fact]
    public async Task Only_who_has_the_token_and_the_app_s_secret_is_a_number_s_owner()
    {
        _api.AppSecret = "app-secret";
        await using var host = new ConnectorHost(whatsApp: _api.BaseUrl);
        Task<bool?> Confirm(string? baseUrl, string number, params (string, string)[] credentials) => host.For("whatsapp").ConfirmAccount(ConnectorHost.Channel("whatsapp", baseUrl, number, credentials), default);
        var (token, secret) = ((CredentialNames.AccessToken, Token), (CredentialNames.AppSecret, "app-secret"));

        Assert.True(await Confirm(null, "106540352242922", token, secret));
        Assert.False(await Confirm(null, "106540352242923", token, secret));
        Assert.False(await Confirm(null, "106540352242922", token, (CredentialNames.AppSecret, "mine")));
        Assert.False(await Confirm(null, "106540352242922", (CredentialNames.AccessToken, "mine"), secret));
        Assert.False(await Confirm(null, "106540352242922", secret));
        Assert.False(await Confirm(null, "106540352242922/../106540352242922", token, secret));
        // What stands elsewhere says nothing about the platform; nor does one that is away.
        Assert.Null(await Confirm(_api.BaseUrl, "106540352242922", token, secret));
        await using var away = new ConnectorHost(whatsApp: "http://127.0.0.1:1");
        Assert.Null(await away.For("whatsapp").ConfirmAccount(ConnectorHost.Channel("whatsapp", null, "106540352242922", token, secret), default));
        Assert.DoesNotContain(host.Log, line => line.Contains("appsecret_proof=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_person_without_a_number_is_written_to_by_the_business_scoped_id()
    {
        await Connector.Send(_channel, Text("US.13491208655302741918", "Hello"), default);

        var sent = Assert.Single(_api.Messages);
        Assert.True(sent.IsUserId);
        Assert.False(sent.Body.TryGetProperty("to", out _));
    }

    [Theory]
    [InlineData("image", "https://example.com/a.jpg", "A caption")]
    [InlineData("video", "media:123", "A caption")]
    [InlineData("audio", "media:123", null)]
    [InlineData("document", "https://example.com/a.pdf", "A caption")]
    public async Task Media_is_sent_by_link_or_by_id(string type, string url, string? caption)
    {
        var metadata = type == "document" ? """{"filename":"Offer.pdf"}""" : null;

        var result = await Connector.Send(_channel, Outbound("16505551234", new PreparedContent(type, caption, url, metadata)), default);

        Assert.Equal(SendOutcome.Sent, result.Outcome);
        var media = Assert.Single(_api.Messages).Body.GetProperty(type);
        Assert.Equal(url.Replace("media:", "", StringComparison.Ordinal), media.GetProperty(url.StartsWith("media:", StringComparison.Ordinal) ? "id" : "link").GetString());
        Assert.Equal(type == "document" ? "Offer.pdf" : null, media.TryGetProperty("filename", out var filename) ? filename.GetString() : null);
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(3, 60)]
    [InlineData(10, 60)]
    public async Task Choices_fit_the_platform_however_long_their_titles(int count, int titleLength)
    {
        var content = new OutgoingContent { Text = "Which?", Choices = [.. Enumerable.Range(0, count).Select(i => new Choice($"id-{i}", $"{i} {new string('x', titleLength)}", i % 2 == 0 ? new string('y', 90) : null))] };
        foreach (var part in Connector.Prepare(content).Parts)
        {
            var result = await Connector.Send(_channel, Outbound("16505551234", part), default);
            Assert.True(result.Outcome == SendOutcome.Sent, result.Error);
        }

        Assert.Equal("interactive", Assert.Single(_api.Messages).Type);
        Assert.Empty(_api.Rejections);
    }

    [Fact]
    public async Task A_message_is_marked_as_read_with_a_typing_sign()
    {
        await Connector.MarkReadAndTyping(_channel, "16505551234", "wamid.in", typing: true, default);
        await Connector.MarkReadAndTyping(_channel, "16505551234", "wamid.in2", typing: false, default);

        Assert.Equal([("wamid.in", true), ("wamid.in2", false)], _api.ReadMarks.Select(mark => (mark.MessageId, mark.Typing)));
    }

    [Fact]
    public async Task A_failing_read_mark_disturbs_nobody()
    {
        _api.FailNext(GraphError.Fault(190, 401));
        await Connector.MarkReadAndTyping(_channel, "16505551234", "wamid.in", typing: true, default);
        await Connector.MarkReadAndTyping(_channel with { Credentials = _channel.Credentials.Clear() }, "16505551234", "wamid.in", typing: true, default);
    }

    [Theory]
    [InlineData(130429, 429, SendOutcome.Throttled)]
    [InlineData(4, 400, SendOutcome.Throttled)]
    [InlineData(80007, 400, SendOutcome.Throttled)]
    [InlineData(131056, 400, SendOutcome.PairThrottled)]
    [InlineData(1, 500, SendOutcome.Passing)]
    [InlineData(131000, 500, SendOutcome.Passing)]
    [InlineData(131016, 500, SendOutcome.Passing)]
    [InlineData(131057, 400, SendOutcome.Passing)]
    [InlineData(133016, 400, SendOutcome.Passing)]
    [InlineData(190, 401, SendOutcome.ChannelBroken)]
    [InlineData(0, 401, SendOutcome.ChannelBroken)]
    [InlineData(10, 403, SendOutcome.ChannelBroken)]
    [InlineData(200, 403, SendOutcome.ChannelBroken)]
    [InlineData(299, 403, SendOutcome.ChannelBroken)]
    [InlineData(368, 403, SendOutcome.ChannelBroken)]
    [InlineData(131031, 403, SendOutcome.ChannelBroken)]
    [InlineData(131042, 400, SendOutcome.ChannelBroken)]
    [InlineData(131048, 400, SendOutcome.ChannelBroken)]
    [InlineData(131026, 400, SendOutcome.Unreachable)]
    [InlineData(131047, 400, SendOutcome.Permanent)]
    [InlineData(130472, 400, SendOutcome.Permanent)]
    [InlineData(131049, 400, SendOutcome.Permanent)]
    [InlineData(132000, 400, SendOutcome.Permanent)]
    [InlineData(100, 400, SendOutcome.Permanent)]
    [InlineData(131009, 400, SendOutcome.Permanent)]
    [InlineData(131053, 400, SendOutcome.Permanent)]
    [InlineData(999_999, 400, SendOutcome.Permanent)]
    [InlineData(999_999, 503, SendOutcome.Passing)]
    public async Task Each_error_code_means_one_thing_to_do(int code, int status, SendOutcome outcome)
    {
        _api.FailNext(GraphError.Fault(code, status));

        var result = await Connector.Send(_channel, Text("16505551234", "Hello"), default);

        Assert.Equal((outcome, code.ToString(System.Globalization.CultureInfo.InvariantCulture)), (result.Outcome, result.ErrorCode));
    }

    [Theory]
    [InlineData(401, null, SendOutcome.ChannelBroken)]
    [InlineData(429, "", SendOutcome.Throttled)]
    [InlineData(500, "<html>", SendOutcome.Passing)]
    [InlineData(503, null, SendOutcome.Passing)]
    [InlineData(502, null, SendOutcome.Doubtful)]
    [InlineData(504, "<html>", SendOutcome.Doubtful)]
    [InlineData(404, "{}", SendOutcome.Permanent)]
    [InlineData(200, "{}", SendOutcome.Doubtful)]
    [InlineData(200, "garbage", SendOutcome.Doubtful)]
    [InlineData(200, """{"messages":[{"id":null}]}""", SendOutcome.Doubtful)]
    [InlineData(400, """{"error":{"code":"x","message":"\ud800"}}""", SendOutcome.Permanent)]
    [InlineData(302, null, SendOutcome.Permanent)]
    public async Task Answers_without_a_code_are_judged_by_their_status(int status, string? body, SendOutcome outcome)
    {
        _api.FailNext(new PlatformFault.Answer(status, body));

        Assert.Equal(outcome, (await Connector.Send(_channel, Text("16505551234", "Hello"), default)).Outcome);
    }

    [Fact]
    public async Task What_the_platform_asks_to_wait_is_told()
    {
        _api.FailNext(GraphError.Fault(130429, 429, TimeSpan.FromSeconds(17)));

        Assert.Equal(TimeSpan.FromSeconds(17), (await Connector.Send(_channel, Text("16505551234", "Hello"), default)).RetryAfter);
    }

    /// <summary>The platform's list, by what to do: the same in an answer and in a receipt.</summary>
    public static TheoryData<int, int?, SendOutcome, ChannelTrouble> Codes { get; } = new()
    {
        { 131005, null, SendOutcome.ChannelBroken, ChannelTrouble.Permission },
        { 10, null, SendOutcome.ChannelBroken, ChannelTrouble.Permission },
        { 299, null, SendOutcome.ChannelBroken, ChannelTrouble.Permission },
        { 133010, 2593006, SendOutcome.ChannelBroken, ChannelTrouble.Registration },
        { 133006, null, SendOutcome.ChannelBroken, ChannelTrouble.Registration },
        { 131045, null, SendOutcome.ChannelBroken, ChannelTrouble.Registration },
        { 100, 33, SendOutcome.ChannelBroken, ChannelTrouble.Number },
        { 33, null, SendOutcome.ChannelBroken, ChannelTrouble.Number },
        { 100, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 100, 2388299, SendOutcome.Permanent, ChannelTrouble.Other },
        { 190, 463, SendOutcome.ChannelBroken, ChannelTrouble.Token },
        { 0, null, SendOutcome.ChannelBroken, ChannelTrouble.Token },
        { 131042, null, SendOutcome.ChannelBroken, ChannelTrouble.Payment },
        { 134011, null, SendOutcome.ChannelBroken, ChannelTrouble.Payment },
        { 131031, null, SendOutcome.ChannelBroken, ChannelTrouble.Locked },
        { 368, null, SendOutcome.ChannelBroken, ChannelTrouble.Locked },
        { 130497, null, SendOutcome.ChannelBroken, ChannelTrouble.Locked },
        { 131037, null, SendOutcome.ChannelBroken, ChannelTrouble.Other },
        { 131048, null, SendOutcome.ChannelBroken, ChannelTrouble.Spam },
        { 131064, null, SendOutcome.ChannelBroken, ChannelTrouble.Spam },
        { 131026, null, SendOutcome.Unreachable, ChannelTrouble.Other },
        { 131030, null, SendOutcome.Unreachable, ChannelTrouble.Other },
        { 131021, null, SendOutcome.Unreachable, ChannelTrouble.Other },
        { 131050, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 131049, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 130472, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 131047, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 131062, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 132001, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 131052, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 131053, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 135000, null, SendOutcome.Permanent, ChannelTrouble.Other },
        { 131000, null, SendOutcome.Passing, ChannelTrouble.Other },
        { 133004, null, SendOutcome.Passing, ChannelTrouble.Other },
        { 131057, null, SendOutcome.Passing, ChannelTrouble.Other },
        { 80007, null, SendOutcome.Throttled, ChannelTrouble.Other },
        { 131056, null, SendOutcome.PairThrottled, ChannelTrouble.Other },
    };

    [Theory]
    [MemberData(nameof(Codes))]
    public async Task An_error_means_the_same_in_an_answer_and_in_a_receipt(int code, int? subcode, SendOutcome outcome, ChannelTrouble trouble)
    {
        _api.FailNext(new PlatformFault.Answer(400, JsonSerializer.Serialize(new { error = new { message = "It went wrong", code, error_subcode = subcode } })));
        var answered = await Connector.Send(_channel, Text("16505551234", "Hello"), default);
        var told = Connector.Judge(new PlatformError($"{code}", subcode is null ? null : $"{subcode}", "It went wrong"));

        Assert.Equal((outcome, trouble), (answered.Outcome, answered.Trouble));
        Assert.Equal((outcome, trouble, answered.Reason), (told.Outcome, told.Trouble, told.Reason));
        Assert.Equal(outcome == SendOutcome.Unreachable, told.Reason is not null);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("190.5")]
    [InlineData("99999999999999999999")]
    public void A_code_that_is_none_breaks_nothing(string? code) => Assert.Equal(SendOutcome.Permanent, Connector.Judge(new PlatformError(code)).Outcome);

    [Theory]
    [InlineData("Fri, 01 May 2099 00:00:00 GMT", true)]
    [InlineData("2147483647", true)]
    [InlineData("99999999999999999999", false)]
    [InlineData("Mon, 06 Jan 2020 00:00:00 GMT", false)]
    [InlineData("-5", false)]
    [InlineData("soon", false)]
    public async Task A_wait_that_a_gateway_names_is_read_whatever_it_is(string header, bool isLong)
    {
        _api.FailNext(new PlatformFault.Answer(503, "<html>", RetryAfterText: header));

        var result = await Connector.Send(_channel, Text("16505551234", "Hello"), default);

        Assert.Equal(SendOutcome.Passing, result.Outcome);
        Assert.Equal(isLong, result.RetryAfter > PlatformWait.Longest);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 4)]
    [InlineData(3, 16)]
    [InlineData(4, 64)]
    [InlineData(12, 900)]
    public async Task Too_fast_to_one_person_waits_four_times_longer_at_each_try(int attempt, int seconds)
    {
        _api.FailNext(GraphError.Fault(131056));

        var result = await Connector.Send(_channel, Text("16505551234", "Hello") with { Attempt = attempt }, default);

        Assert.Equal((SendOutcome.PairThrottled, TimeSpan.FromSeconds(seconds)), (result.Outcome, result.RetryAfter));
    }

    [Fact]
    public async Task A_burst_beyond_the_pair_limit_is_told_apart()
    {
        _api.LimitsPairs = true;
        var outcomes = new List<SendOutcome>();
        for (var i = 0; i < 46; i++)
        {
            outcomes.Add((await Connector.Send(_channel, Text("16505551234", $"{i}"), default)).Outcome);
        }

        Assert.Equal((45, SendOutcome.PairThrottled), (outcomes.Count(outcome => outcome == SendOutcome.Sent), outcomes[^1]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_breaks_leaves_it_open_whether_it_was_accepted(bool accepted)
    {
        _api.FailNext(new PlatformFault.Drop(accepted));

        Assert.Equal(SendOutcome.Doubtful, (await Connector.Send(_channel, Text("16505551234", "Hello"), default)).Outcome);
        Assert.Equal(accepted ? 1 : 0, _api.Accepted);
    }

    [Fact]
    public async Task A_platform_that_cannot_be_reached_has_certainly_not_accepted_it()
    {
        await _api.DisposeAsync();

        Assert.Equal(SendOutcome.Passing, (await Connector.Send(_channel, Text("16505551234", "Hello"), default)).Outcome);
        Assert.Equal(SendOutcome.Passing, (await Connector.Send(_channel with { ApiBaseUrl = "http://no-such-host.invalid" }, Text("16505551234", "Hello"), default)).Outcome);
    }

    [Fact]
    public async Task Only_the_callers_own_cancellation_is_thrown()
    {
        _api.FailNext(new PlatformFault.Hang());
        using var cancellation = new CancellationTokenSource();
        var send = Connector.Send(_channel, Text("16505551234", "Hello"), cancellation.Token);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send);
    }

    [Fact]
    public async Task A_channel_that_lacks_something_is_broken()
    {
        foreach (var channel in new[] { _channel with { Credentials = _channel.Credentials.Clear() }, _channel with { PlatformChannelId = null }, _channel with { ApiBaseUrl = "nonsense" } })
        {
            var result = await Connector.Send(channel, Text("16505551234", "Hello"), default);
            Assert.Equal((SendOutcome.ChannelBroken, "incomplete"), (result.Outcome, result.ErrorCode));
        }
    }

    [Fact]
    public async Task Private_addresses_are_refused_unless_allowed()
    {
        await using var strict = new ConnectorHost(allowsPrivateEndpoints: false);
        foreach (var url in new[] { _api.BaseUrl, _api.BaseUrl.Replace("http:", "https:", StringComparison.Ordinal), "https://localhost:1", "https://[::1]:1", "https://169.254.169.254" })
        {
            var result = await strict.For("whatsapp").Send(_channel with { ApiBaseUrl = url }, Text("16505551234", "Hello"), default);
            Assert.Equal((SendOutcome.ChannelBroken, "endpoint_refused"), (result.Outcome, result.ErrorCode));
        }

        Assert.Equal(0, _api.Accepted);
    }

    [Fact]
    public void The_request_is_the_documented_one()
    {
        var message = Text("16505551234", "Hi");
        using var body = JsonDocument.Parse(WhatsAppRequest.Message(message, new WhatsAppOptions())!.Value);

        Assert.Equal(
            $$$"""{"messaging_product":"whatsapp","recipient_type":"individual","to":"16505551234","type":"text","biz_opaque_callback_data":"{{{message.MessageId}}}","text":{"body":"Hi","preview_url":false}}""",
            body.RootElement.GetRawText());
    }

    private static OutboundMessage Text(string recipient, string text) => Outbound(recipient, new PreparedContent(ContentTypes.Text, text));

    private static OutboundMessage Outbound(string recipient, PreparedContent content) => new() { MessageId = Guid.NewGuid(), Recipient = recipient, Content = content, Attempt = 1 };
}
