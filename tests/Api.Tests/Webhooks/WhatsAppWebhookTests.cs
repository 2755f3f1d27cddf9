using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Webhooks;
using AgentPlatform.Api.Webhooks.WhatsApp;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Api.Tests.Webhooks;

public sealed class WhatsAppWebhookTests : IAsyncLifetime
{
    private WebhookHost _host = null!;

    public async Task InitializeAsync() => _host = await WebhookHost.Start();

    public async Task DisposeAsync()
    {
        _host.AssertQuiet();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task The_handshake_returns_the_challenge_for_the_right_token()
    {
        var channel = _host.AddWhatsApp("1");

        foreach (var address in new[] { $"/webhooks/whatsapp/{channel.Id}", "/webhooks/whatsapp" })
        {
            using var answer = await _host.Client.GetAsync($"{address}?hub.mode=subscribe&hub.verify_token=verify-me&hub.challenge=1158201444");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("1158201444", await answer.Content.ReadAsStringAsync());
        }
    }

    [Theory]
    [InlineData("hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1")]
    [InlineData("hub.mode=subscribe&hub.challenge=1")]
    [InlineData("hub.mode=unsubscribe&hub.verify_token=verify-me&hub.challenge=1")]
    public async Task The_handshake_refuses_anything_else(string query)
    {
        var channel = _host.AddWhatsApp("1");
        var mute = _host.AddWhatsApp("2", verifyToken: null);

        await AssertRefused(await _host.Client.GetAsync($"/webhooks/whatsapp/{channel.Id}?{query}"), HttpStatusCode.Forbidden, "webhook-not-verified");
        await AssertRefused(await _host.Client.GetAsync($"/webhooks/whatsapp?{query}"), HttpStatusCode.Forbidden, "webhook-not-verified");
        await AssertRefused(await _host.Client.GetAsync($"/webhooks/whatsapp/{mute.Id}?hub.mode=subscribe&hub.verify_token=&hub.challenge=1"), HttpStatusCode.Forbidden, "webhook-not-verified");
        await AssertRefused(await _host.Client.GetAsync($"/webhooks/whatsapp/{Guid.NewGuid()}?{query}"), HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public void The_signature_is_hmac_sha256_of_the_raw_bytes()
    {
        // RFC 4231, test case 2.
        const string vector = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        var body = "what do ya want for nothing?"u8;

        Assert.True(WhatsAppSignature.Verify(body, vector, "Jefe"u8.ToArray()));
        Assert.True(WhatsAppSignature.Verify(body, vector.ToUpperInvariant().Replace("SHA256=", "sha256=", StringComparison.Ordinal), "Jefe"u8.ToArray()));
        Assert.False(WhatsAppSignature.Verify(body, vector, "Jeff"u8.ToArray()));
        foreach (var wrong in new[] { null, "", "sha256=", vector[..^1], vector + "0", vector[7..], vector[..^1] + "g", "sha1=" + vector[7..] })
        {
            Assert.False(WhatsAppSignature.Verify(body, wrong, "Jefe"u8.ToArray()));
        }
    }

    [Fact]
    public async Task A_signed_message_with_escapes_and_emoji_reaches_its_conversation()
    {
        var channel = _host.AddWhatsApp("1");
        var body = WhatsAppBodies.Text("1", "16505551234", "wamid.1", "caf\u00e9 😀");
        Assert.Contains("\\u00E9", Encoding.UTF8.GetString(body), StringComparison.Ordinal);

        using var answer = await Deliver($"/webhooks/whatsapp/{channel.Id}", body);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var (key, batch) = Assert.Single(_host.Batches);
        Assert.Equal($"{channel.Id:N}/16505551234", key);
        Assert.Equal((channel.OrganizationId, channel.Id), (batch.OrganizationId, batch.ChannelId));
        Assert.Equal("café 😀", Assert.Single(batch.Messages).Text);
        Assert.NotNull(batch.TraceParent);
    }

    [Fact]
    public async Task An_organization_s_flood_waits_for_itself_and_leaves_others_room()
    {
        const int alone = 5, amongOthers = 2;
        await using var host = await WebhookHost.Start(new WebhookOptions { ConversationsAtOnceOfOrganization = alone, ConversationsAtOnceAmongOthers = amongOthers });
        var (flooded, other) = (host.AddWhatsApp("1"), host.AddWhatsApp("2"));
        Assert.NotEqual(flooded.OrganizationId, other.OrganizationId);

        Assert.Equal(alone, await MostAtOnce(host, "1", flooded, alone));
        using (var answer = await Deliver($"/webhooks/whatsapp/{other.Id}", WhatsAppBodies.Text("2", "4916055512345", "wamid.other", "hello"), host: host))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(amongOthers, await MostAtOnce(host, "1", flooded, amongOthers));
        Assert.Equal(amongOthers, await MostAtOnce(host, "2", other, amongOthers));
    }

    /// <summary>How many of ten conversations take in their messages at once, once as many as expected do.</summary>
    private async Task<int> MostAtOnce(WebhookHost host, string phoneNumberId, ChannelSettings channel, int expected)
    {
        var (present, most) = (0, 0);
        using var gate = new SemaphoreSlim(0);
        host.OnReceive = async _ =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref present));
            await gate.WaitAsync();
            Interlocked.Decrement(ref present);
        };
        var bodies = Enumerable.Range(0, 10).Select(number => WhatsAppBodies.Text(phoneNumberId, $"4916055512{number:00}", $"wamid.{Guid.NewGuid()}", "hello")).ToArray();
        var answers = bodies.Select(body => Deliver($"/webhooks/whatsapp/{channel.Id}", body, host: host)).ToArray();
        await Eventually.Holds(() => Task.FromResult(Volatile.Read(ref present) == expected));
        gate.Release(bodies.Length);
        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        host.OnReceive = static _ => Task.CompletedTask;
        return most;

        static void InterlockedMax(ref int most, int value)
        {
            for (var known = Volatile.Read(ref most); value > known && Interlocked.CompareExchange(ref most, value, known) is var now && now != known; known = now)
            {
            }
        }
    }

    [Fact]
    public void Of_a_large_body_few_secrets_are_tried_and_none_twice()
    {
        var body = new byte[3 * 1024 * 1024];
        byte[] Key(int number) => Encoding.UTF8.GetBytes($"secret {number}");
        var large = new SignatureTrials(body, WhatsAppSignature.Sign(body, Key(7)));
        Assert.False(large.Holds(Key(0)));
        Assert.False(large.Holds(Key(1)));
        Assert.False(large.Holds(Key(7)));
        Assert.True(new SignatureTrials(body, WhatsAppSignature.Sign(body, Key(7))).Holds(Key(7)));
        var small = new SignatureTrials(body.AsMemory(0, 1000), WhatsAppSignature.Sign(body.AsSpan(0, 1000), Key(7)));
        Assert.Equal(7, Enumerable.Range(0, 10).Select(Key).Index().First(tried => small.Holds(tried.Item)).Index);
        Assert.True(small.Holds(Key(7)));
    }

    [Fact]
    public async Task Nothing_unauthentic_is_stored()
    {
        var channel = _host.AddWhatsApp("1");
        var body = WhatsAppBodies.Text("1", "16505551234", "wamid.1", "hello");
        foreach (var address in new[] { $"/webhooks/whatsapp/{channel.Id}", "/webhooks/whatsapp" })
        {
            foreach (var signature in new[] { null, "sha256=00", WhatsAppBodies.Sign(body, "another secret"), WhatsAppBodies.Sign([.. body, (byte)' '], "app-secret") })
            {
                await AssertRefused(await Post(address, body, signature), HttpStatusCode.Unauthorized, "webhook-not-authentic");
            }
        }

        Assert.Empty(_host.Batches);
    }

    [Fact]
    public async Task A_channel_without_a_secret_takes_nothing()
    {
        var channel = _host.AddWhatsApp("1", appSecret: null);
        var body = WhatsAppBodies.Text("1", "16505551234", "wamid.1", "hello");

        await AssertRefused(await Post($"/webhooks/whatsapp/{channel.Id}", body, WhatsAppBodies.Sign(body, "")), HttpStatusCode.Forbidden, "webhook-without-secret");
        await AssertRefused(await Post("/webhooks/whatsapp", body, WhatsAppBodies.Sign(body, "")), HttpStatusCode.NotFound, "not-found");
        Assert.Empty(_host.Batches);
    }

    [Fact]
    public async Task Unknown_and_inactive_channels_take_nothing()
    {
        var inactive = _host.AddWhatsApp("1", isActive: false);
        var telegram = _host.AddTelegram();
        var body = WhatsAppBodies.Text("1", "16505551234", "wamid.1", "hello");

        await AssertRefused(await Deliver($"/webhooks/whatsapp/{Guid.NewGuid()}", body), HttpStatusCode.NotFound, "not-found");
        await AssertRefused(await Deliver("/webhooks/whatsapp/not-an-id", body), HttpStatusCode.NotFound, "not-found");
        await AssertRefused(await Deliver($"/webhooks/whatsapp/{telegram.Id}", body), HttpStatusCode.NotFound, "not-found");
        await AssertRefused(await Deliver($"/webhooks/whatsapp/{inactive.Id}", body), HttpStatusCode.Forbidden, "channel-inactive");
        await AssertRefused(await Deliver("/webhooks/whatsapp", WhatsAppBodies.Text("9", "16505551234", "wamid.1", "hello"), "nobody's"), HttpStatusCode.NotFound, "not-found");
        Assert.Empty(_host.Batches);
    }

    [Fact]
    public async Task One_address_of_an_app_routes_each_entry_to_its_tenant()
    {
        var (one, two) = (_host.AddWhatsApp("1"), _host.AddWhatsApp("2"));
        var body = WhatsAppBodies.Body(TextChange("1", "111111", "a"), TextChange("2", "222222", "b"), TextChange("3", "333333", "c"));

        using var answer = await Deliver("/webhooks/whatsapp", body);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([(one.Id, one.OrganizationId, "111111"), (two.Id, two.OrganizationId, "222222")],
            _host.Batches.Select(call => (call.Batch.ChannelId, call.Batch.OrganizationId, call.Batch.Contact.Identities[0])).OrderBy(call => call.Item3));
    }

    [Fact]
    public async Task An_entry_is_stored_only_if_its_own_channels_secret_signed_the_body()
    {
        _host.AddWhatsApp("1");
        var other = _host.AddWhatsApp("2", appSecret: "the secret of another app");
        var body = WhatsAppBodies.Body(TextChange("2", "222222", "b"), TextChange("1", "111111", "a"));

        using var forApp = await Deliver("/webhooks/whatsapp", body);
        Assert.Equal(HttpStatusCode.OK, forApp.StatusCode);
        Assert.Equal("111111", Assert.Single(_host.Batches).Batch.Contact.Identities[0]);

        using var forChannel = await Deliver($"/webhooks/whatsapp/{other.Id}", body, "the secret of another app");
        Assert.Equal(HttpStatusCode.OK, forChannel.StatusCode);
        Assert.Equal(["111111", "222222"], _host.Batches.Select(call => call.Batch.Contact.Identities[0]));
    }

    [Fact]
    public async Task Of_several_who_name_a_number_the_one_gets_its_events_whose_secret_signed_them()
    {
        var claims = Enumerable.Range(0, 5).Select(index => _host.AddWhatsApp("700", $"secret {index}")).ToArray();
        for (var index = 0; index < claims.Length; index++)
        {
            using var answer = await Deliver("/webhooks/whatsapp", WhatsAppBodies.Text("700", "16505551234", $"wamid.{index}", "hello"), $"secret {index}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal(claims[index].Id, _host.Batches.Last().Batch.ChannelId);
        }
        await AssertRefused(await Deliver("/webhooks/whatsapp", WhatsAppBodies.Text("700", "16505551234", "wamid.9", "hello"), "nobody's"), HttpStatusCode.Unauthorized, "webhook-not-authentic");
    }

    [Fact]
    public async Task News_about_an_account_names_no_number_and_is_taken_from_any_app_of_ours()
    {
        _host.AddWhatsApp("1");
        var body = """{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"account_update","value":{"event":"VERIFIED_ACCOUNT"}}]}]}"""u8.ToArray();

        using var known = await Deliver("/webhooks/whatsapp", body);
        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        await AssertRefused(await Deliver("/webhooks/whatsapp", body, "nobody's"), HttpStatusCode.NotFound, "not-found");
        Assert.Empty(_host.Batches);
    }

    [Fact]
    public async Task A_stranger_can_cause_only_so_many_look_ups()
    {
        _host.AddWhatsApp("1");
        var body = WhatsAppBodies.Body([.. Enumerable.Range(100, 200).Select(number => TextChange($"{number}", "111111", $"m{number}"))]);

        await AssertRefused(await Deliver("/webhooks/whatsapp", body, "wrong"), HttpStatusCode.NotFound, "not-found");

        Assert.Equal(new WebhookOptions().MaxNumbersTried, _host.LookUps);
    }

    [Fact]
    public async Task Every_event_of_a_batched_body_is_handed_over_in_order_and_at_once()
    {
        var channel = _host.AddWhatsApp("1");
        var gate = new TaskCompletionSource();
        var called = new CountdownEvent(3);
        _host.OnReceive = _ =>
        {
            called.Signal();
            return gate.Task;
        };
        var messages = Enumerable.Range(0, 30).Select(i => WhatsAppBodies.TextMessage(i % 2 == 0 ? "111111" : "222222", $"wamid.{i}", $"text {i}")).ToArray();
        var half = WhatsAppBodies.Change("1", "messages", value => value["messages"] = new JsonArray([.. messages[..15]]));
        var rest = WhatsAppBodies.Change("1", "messages", value =>
        {
            value["messages"] = new JsonArray([.. messages[15..]]);
            value["statuses"] = new JsonArray(WhatsAppBodies.StatusOf("111111", "wamid.ours", "read"));
        });

        var delivery = Deliver($"/webhooks/whatsapp/{channel.Id}", WhatsAppBodies.Body(half, rest));
        Assert.True(called.Wait(TimeSpan.FromSeconds(30))); // two conversations and one set of receipts, all under way
        Assert.False(delivery.IsCompleted);
        gate.SetResult();
        using var answer = await delivery;

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        foreach (var (key, batch) in _host.Batches)
        {
            var first = key.EndsWith("111111", StringComparison.Ordinal) ? 0 : 1;
            Assert.Equal(Enumerable.Range(0, 15).Select(i => $"text {(2 * i) + first}"), batch.Messages.Select(message => message.Text));
        }

        Assert.Equal(MessageStatus.Read, Assert.Single(Assert.Single(_host.Receipts).Receipts).Status);
    }

    [Fact]
    public async Task While_the_storage_is_away_the_platform_is_told_to_come_again()
    {
        var channel = _host.AddWhatsApp("1");
        var body = WhatsAppBodies.Messages("1", null, WhatsAppBodies.TextMessage("111111", "a", "one"), WhatsAppBodies.TextMessage("222222", "b", "two"));
        foreach (var failure in new Exception[] { new StorageUnavailableException("away"), new TimeoutException(), new SocketException((int)SocketError.ConnectionRefused) })
        {
            _host.OnReceive = key => key.EndsWith("222222", StringComparison.Ordinal) ? Task.FromException(failure) : Task.CompletedTask;
            var answer = await Deliver($"/webhooks/whatsapp/{channel.Id}", body);
            Assert.Equal("2", answer.Headers.RetryAfter?.ToString());
            await AssertRefused(answer, HttpStatusCode.ServiceUnavailable, "unavailable");
        }

        _host.DirectoryFailure = new StorageUnavailableException("away");
        await AssertRefused(await Deliver($"/webhooks/whatsapp/{channel.Id}", body), HttpStatusCode.ServiceUnavailable, "unavailable");
        await AssertRefused(await Deliver("/webhooks/whatsapp", body), HttpStatusCode.ServiceUnavailable, "unavailable");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("hello")]
    [InlineData("")]
    [InlineData("""{"entry":[{"changes":[{"value":{"messages":[{"from":"111111","id":"a","type":"text","text":{"body":"x"}}]}}]}""")]
    public async Task A_malformed_body_is_refused_with_a_reason(string body)
    {
        var channel = _host.AddWhatsApp("1");

        await AssertRefused(await Deliver($"/webhooks/whatsapp/{channel.Id}", Encoding.UTF8.GetBytes(body)), HttpStatusCode.BadRequest, "malformed-body");

        Assert.Empty(_host.Batches);
    }

    [Fact]
    public async Task Wrong_encodings_and_deep_nesting_are_refused()
    {
        var channel = _host.AddWhatsApp("1");
        var good = WhatsAppBodies.Text("1", "111111", "a", "hello");
        var utf16 = Encoding.Unicode.GetBytes(Encoding.UTF8.GetString(good));
        var invalid = (byte[])good.Clone();
        invalid[Array.LastIndexOf(invalid, (byte)'l')] = 0xFF;
        var deep = Encoding.UTF8.GetBytes($$"""{"entry":{{new string('[', 100_000)}}""");

        foreach (var body in new[] { utf16, invalid, deep })
        {
            await AssertRefused(await Deliver($"/webhooks/whatsapp/{channel.Id}", body), HttpStatusCode.BadRequest, "malformed-body");
        }

        Assert.Empty(_host.Batches);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused_and_one_at_the_limit_is_taken()
    {
        await using var host = await WebhookHost.Start(new WebhookOptions { MaxBodyBytes = 100_000 });
        var channel = host.AddWhatsApp("1");
        var body = WhatsAppBodies.Text("1", "111111", "a", "hello");
        byte[] atLimit = [.. body, .. Enumerable.Repeat((byte)' ', 100_000 - body.Length)];

        using var taken = await Deliver($"/webhooks/whatsapp/{channel.Id}", atLimit, host: host);
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        await AssertRefused(await Deliver($"/webhooks/whatsapp/{channel.Id}", [.. atLimit, (byte)' '], host: host), HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        await AssertRefused(await Deliver($"/webhooks/whatsapp/{channel.Id}", [.. atLimit, (byte)' '], chunked: true, host: host), HttpStatusCode.RequestEntityTooLarge, "body-too-large");
        using var chunked = await Deliver($"/webhooks/whatsapp/{channel.Id}", atLimit, chunked: true, host: host);
        Assert.Equal(HttpStatusCode.OK, chunked.StatusCode);
        host.AssertQuiet();
    }

    [Fact]
    public async Task A_body_that_breaks_off_stores_nothing()
    {
        var channel = _host.AddWhatsApp("1");
        var body = WhatsAppBodies.Text("1", "111111", "a", "hello");
        using (var socket = new TcpClient(_host.Client.BaseAddress!.Host, _host.Client.BaseAddress.Port))
        {
            var head = $"POST /webhooks/whatsapp/{channel.Id} HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n{WhatsAppBodies.SignatureHeader}: {WhatsAppBodies.Sign(body, "app-secret")}\r\n\r\n";
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
            await socket.GetStream().WriteAsync(body.AsMemory(0, body.Length / 2));
        }

        using var after = await Deliver($"/webhooks/whatsapp/{channel.Id}", WhatsAppBodies.Text("1", "111111", "b", "later"));
        Assert.Equal(["b"], _host.Messages.Select(message => message.PlatformMessageId));
    }

    [Fact]
    public async Task Whatever_is_signed_is_answered_200_or_400_and_leaves_only_storable_texts()
    {
        var channel = _host.AddWhatsApp("1122334455667");
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var samples = Samples.Names("whatsapp").Select(Samples.WhatsApp).ToArray();
        for (var i = 0; i < 1500; i++)
        {
            var body = Mutation.Of(samples[random.Next(samples.Length)], random);
            using var answer = await Deliver($"/webhooks/whatsapp/{channel.Id}", body);
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest, $"Seed {seed}, round {i}: {answer.StatusCode} for {Convert.ToBase64String(body)}");
        }

        foreach (var (key, batch) in _host.Batches)
        {
            Assert.True(key.Length <= 233, $"Seed {seed}: key {key}");
            foreach (var message in batch.Messages)
            {
                string?[] texts = [message.PlatformMessageId, message.Text, message.AttachmentUrl, message.AttachmentMetadata, message.Payload, message.ReplyToPlatformId, batch.Contact.Name, batch.Contact.Phone];
                Assert.All(texts.OfType<string>(), text => Assert.True(Mutation.IsStorable(text), $"Seed {seed}: {text}"));
            }
        }
    }

    private static JsonObject TextChange(string phoneNumberId, string from, string id) =>
        WhatsAppBodies.Change(phoneNumberId, "messages", value => value["messages"] = new JsonArray(WhatsAppBodies.TextMessage(from, id, "hello")));

    private Task<HttpResponseMessage> Deliver(string address, byte[] body, string secret = "app-secret", bool chunked = false, WebhookHost? host = null) =>
        Post(address, body, WhatsAppBodies.Sign(body, secret), chunked, host);

    private async Task<HttpResponseMessage> Post(string address, byte[] body, string? signature, bool chunked = false, WebhookHost? host = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Headers.TransferEncodingChunked = chunked;
        if (signature is not null)
        {
            request.Headers.Add(WhatsAppBodies.SignatureHeader, signature);
        }

        return await (host ?? _host).Client.SendAsync(request);
    }

    internal static async Task AssertRefused(HttpResponseMessage answer, HttpStatusCode status, string problem)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(status == answer.StatusCode, $"expected {status}, got {answer.StatusCode} {text}");
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            Assert.EndsWith(problem, (string?)JsonNode.Parse(text)!["type"], StringComparison.Ordinal);
        }
    }
}
