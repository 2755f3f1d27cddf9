using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Webhooks;
using AgentPlatform.Api.Webhooks.Telegram;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Fakes.WhatsApp;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Api.Tests.Webhooks;

/// <summary>However much is sent, and however slowly, webhooks take a bounded part of the memory.</summary>
public sealed class WebhookBodiesTests
{
    private const int Large = 100_000;

    [Theory]
    [InlineData(250_000, 1_000_000)]
    [InlineData(1_000_000, 250_000)]
    public async Task Large_bodies_that_are_under_way_have_so_many_bytes_and_small_ones_pass(int ofNetwork, int ofAll)
    {
        await using var host = await WebhookHost.Start(new WebhookOptions { LargeBodyBytesOfNetwork = ofNetwork, LargeBodyBytes = ofAll });
        var channel = host.AddWhatsApp("1");
        var large = Padded("large", Large);
        using (await Begin(host, "/webhooks/whatsapp", $"Content-Length: {2 * Large}", "{"))
        {
            await Eventually.Holds(() => Task.FromResult(Holders(host) == 1));
            foreach (var address in new[] { "/webhooks/whatsapp", $"/webhooks/whatsapp/{channel.Id}" })
            {
                await AssertBusy(await Post(host, address, large), WebhookOptions.LargeBodyBytesOfNetworkSetting, WebhookOptions.LargeBodyBytesSetting);
                await AssertBusy(await Post(host, address, large, chunked: true), WebhookOptions.LargeBodyBytesOfNetworkSetting);
                Assert.Equal(HttpStatusCode.OK, await Status(Post(host, address, Padded("small", WebhookOptions.SmallBodyBytes))));
                Assert.Equal(HttpStatusCode.OK, await Status(Post(host, address, Padded("small", WebhookOptions.SmallBodyBytes), chunked: true)));
            }
        }

        await Eventually.Holds(() => Task.FromResult(Holders(host) == 0));
        Assert.Equal(HttpStatusCode.OK, await Status(Post(host, "/webhooks/whatsapp", large)));
        Assert.Equal(HttpStatusCode.OK, await Status(Post(host, "/webhooks/whatsapp", large, chunked: true)));
        await Eventually.Holds(() => Task.FromResult(Holders(host) == 0));
        host.AssertQuiet();
    }

    [Fact]
    public async Task Of_a_large_body_that_does_not_tell_its_length_nothing_stays_when_it_breaks_off()
    {
        await using var host = await WebhookHost.Start();
        using (await Begin(host, "/webhooks/whatsapp", "Transfer-Encoding: chunked", $"{Large:x}\r\n{new string(' ', Large)}\r\n"))
        {
            await Eventually.Holds(() => Task.FromResult(Holders(host) == 1));
        }

        await Eventually.Holds(() => Task.FromResult(Holders(host) == 0));
        host.AssertQuiet();
    }

    [Theory]
    [InlineData("Content-Length: 100", "{")]
    [InlineData("Content-Length: 100000", "{")]
    [InlineData("Transfer-Encoding: chunked", "5\r\n{    \r\n")]
    public async Task A_body_that_is_not_here_in_time_is_answered_408_on_a_connection_that_closes(string length, string beginning)
    {
        await using var host = await WebhookHost.Start(new WebhookOptions { BodyTime = TimeSpan.FromMilliseconds(50) });
        using var socket = await Begin(host, "/webhooks/whatsapp", length, beginning);
        using var reader = new StreamReader(socket.GetStream());
        Assert.Equal("HTTP/1.1 408 Request Timeout", await reader.ReadLineAsync());
        var headers = new List<string>();
        while (await reader.ReadLineAsync() is { Length: > 0 } header)
        {
            headers.Add(header);
        }

        Assert.Contains("Connection: close", headers);
        var problem = new char[int.Parse(headers.Single(header => header.StartsWith("Content-Length: ", StringComparison.Ordinal))["Content-Length: ".Length..], CultureInfo.InvariantCulture)];
        await reader.ReadBlockAsync(problem);
        Assert.Contains("webhook-too-slow", new string(problem), StringComparison.Ordinal);
        Assert.Contains(WebhookOptions.BodySecondsSetting, new string(problem), StringComparison.Ordinal);
        Assert.Equal(0, Holders(host));
        host.AssertQuiet();
    }

    [Fact]
    public async Task A_body_that_comes_in_parts_and_in_time_is_taken_and_the_connection_goes_on()
    {
        await using var host = await WebhookHost.Start();
        host.AddWhatsApp("1");
        var body = Padded("parts", 1000);
        using var socket = await Begin(host, "/webhooks/whatsapp", $"Content-Length: {body.Length}\r\n{WhatsAppBodies.SignatureHeader}: {WhatsAppBodies.Sign(body, "app-secret")}", "");
        using var reader = new StreamReader(socket.GetStream());
        await socket.GetStream().WriteAsync(body.AsMemory(0, 500));
        await socket.GetStream().WriteAsync(body.AsMemory(500));
        Assert.Equal("HTTP/1.1 200 OK", await reader.ReadLineAsync());
    }

    [Fact]
    public async Task Bodies_of_one_organization_that_are_under_way_have_so_many_bytes()
    {
        await using var host = await WebhookHost.Start(new WebhookOptions { BodyBytesOfOrganization = 1500 });
        var (flooded, other) = (host.AddWhatsApp("1"), host.AddWhatsApp("2"));
        var isOver = new TaskCompletionSource();
        host.OnReceive = _ => isOver.Task;
        var first = Post(host, $"/webhooks/whatsapp/{flooded.Id}", Padded("first", 2000)); // alone: however large it is
        await Eventually.Holds(() => Task.FromResult(Holders(host) == 1));
        foreach (var address in new[] { "/webhooks/whatsapp", $"/webhooks/whatsapp/{flooded.Id}" })
        {
            await AssertBusy(await Post(host, address, Padded("second", 1000)), WebhookOptions.BodyBytesOfOrganizationSetting);
        }

        var neighbour = Post(host, "/webhooks/whatsapp", Padded("other", 1000, "2"));
        await Eventually.Holds(() => Task.FromResult(Holders(host) == 2));
        isOver.SetResult();
        Assert.Equal(HttpStatusCode.OK, await Status(first));
        Assert.Equal(HttpStatusCode.OK, await Status(neighbour));
        await Eventually.Holds(() => Task.FromResult(Holders(host) == 0));
        Assert.Equal(HttpStatusCode.OK, await Status(Post(host, $"/webhooks/whatsapp/{flooded.Id}", Padded("second", 1000))));
        Assert.Equal(["first", "other", "second"], host.Messages.Select(message => message.PlatformMessageId).Order());
        Assert.NotEqual(flooded.OrganizationId, other.OrganizationId);
    }

    [Fact]
    public async Task Bodies_of_telegram_count_for_their_organization_too()
    {
        await using var host = await WebhookHost.Start(new WebhookOptions { BodyBytesOfOrganization = 1 });
        var channel = host.AddTelegram();
        var isOver = new TaskCompletionSource();
        host.OnReceive = _ => isOver.Task;
        var first = Update();
        await Eventually.Holds(() => Task.FromResult(Holders(host) == 1));
        await AssertBusy(await Update(), WebhookOptions.BodyBytesOfOrganizationSetting);
        isOver.SetResult();
        Assert.Equal(HttpStatusCode.OK, await Status(first));
        await Eventually.Holds(() => Task.FromResult(Holders(host) == 0));

        async Task<HttpResponseMessage> Update()
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/webhooks/telegram/{channel.Id}") { Content = new StringContent(Samples.Telegram("update-message-reply")) };
            request.Headers.Add(TelegramWebhook.SecretHeader, "secret-token");
            return await host.Client.SendAsync(request);
        }
    }

    [Fact]
    public async Task The_conversations_of_one_body_do_not_all_stand_in_line_before_the_next_body()
    {
        await using var host = await WebhookHost.Start(new WebhookOptions { ConversationsAtOnceOfOrganization = 2, ConversationsAtOnceAmongOthers = 2 });
        var channel = host.AddWhatsApp("1");
        var (isFirstOver, isOver) = (new TaskCompletionSource(), new TaskCompletionSource());
        var order = new ConcurrentQueue<string>();
        host.OnReceive = key =>
        {
            var person = key.Split('/')[1];
            order.Enqueue(person);
            return person == "first-0" ? isFirstOver.Task : isOver.Task;
        };

        var first = Deliver(host, Events(channel, "first", 10));
        var second = Deliver(host, Events(channel, "second", 1));
        isFirstOver.SetResult();
        await Eventually.Holds(() => Task.FromResult(order.Count == 3));
        Assert.Equal(["first-0", "first-1", "second-0"], order);

        isOver.SetResult();
        await Task.WhenAll(first, second);
        Assert.Equal(11, host.Batches.Count);
    }

    [Fact]
    public async Task All_conversations_of_a_body_are_tried_and_the_first_failure_is_told()
    {
        await using var host = await WebhookHost.Start(new WebhookOptions { ConversationsAtOnceOfOrganization = 2, ConversationsAtOnceAmongOthers = 2 });
        var channel = host.AddWhatsApp("1");
        var tried = 0;
        host.OnReceive = key => key.EndsWith("-9", StringComparison.Ordinal) ? Task.CompletedTask : throw new TimeoutException($"try {Interlocked.Increment(ref tried)}");

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => Deliver(host, Events(channel, "person", 10)));

        Assert.Equal("try 1", failure.Message);
        Assert.Equal(9, tried);
        Assert.Single(host.Batches);
    }

    [Fact]
    public void The_limits_are_settings()
    {
        var settings = new Dictionary<string, string?>
        {
            ["WEBHOOK_LARGE_BODY_BYTES_OF_NETWORK"] = "1",
            ["WEBHOOK_LARGE_BODY_BYTES"] = "2",
            ["WEBHOOK_BODY_BYTES_OF_ORGANIZATION"] = "3",
            ["WEBHOOK_BODY_SECONDS"] = "4",
        };
        var options = WebhookOptions.From(new ConfigurationBuilder().AddInMemoryCollection(settings).Build());
        Assert.Equal((1, 2, 3, TimeSpan.FromSeconds(4)), (options.LargeBodyBytesOfNetwork, options.LargeBodyBytes, options.BodyBytesOfOrganization, options.BodyTime));
    }

    private static int Holders(WebhookHost host) => host.Get<WebhookBodies>().Holders;

    private static Task Deliver(WebhookHost host, InboundEvents events) => events.Deliver(host.Get<IGrainFactory>(), host.Get<InboundGate>(), null, CancellationToken.None);

    private static InboundEvents Events(ChannelSettings channel, string who, int conversations)
    {
        var events = new InboundEvents();
        for (var i = 0; i < conversations; i++)
        {
            events.Add(channel, new PlatformContact([$"{who}-{i}"]), new InboundMessage { PlatformMessageId = $"{who}-{i}", ContentType = ContentTypes.Text, Text = "x", PlatformTimestamp = DateTimeOffset.UnixEpoch });
        }

        return events;
    }

    /// <summary>A body with one message and blanks, of so many bytes.</summary>
    private static byte[] Padded(string id, int length, string phoneNumberId = "1")
    {
        var body = WhatsAppBodies.Text(phoneNumberId, "4916055512345", id, "hello");
        return [.. body, .. Enumerable.Repeat((byte)' ', length - body.Length)];
    }

    /// <summary>Sends the beginning of a request.</summary>
    private static async Task<TcpClient> Begin(WebhookHost host, string address, string headers, string body)
    {
        var socket = new TcpClient(host.Client.BaseAddress!.Host, host.Client.BaseAddress.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {address} HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}"));
        return socket;
    }

    private static async Task<HttpResponseMessage> Post(WebhookHost host, string address, byte[] body, bool chunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Headers.TransferEncodingChunked = chunked;
        request.Headers.Add(WhatsAppBodies.SignatureHeader, WhatsAppBodies.Sign(body, "app-secret"));
        return await host.Client.SendAsync(request);
    }

    private static async Task<HttpStatusCode> Status(Task<HttpResponseMessage> sent)
    {
        using var answer = await sent;
        return answer.StatusCode;
    }

    private static async Task AssertBusy(HttpResponseMessage answer, params string[] limits)
    {
        Assert.Equal(TimeSpan.FromSeconds(2), answer.Headers.RetryAfter?.Delta);
        var detail = (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["detail"];
        Assert.All(limits, limit => Assert.Contains(limit, detail, StringComparison.Ordinal));
        await WhatsAppWebhookTests.AssertRefused(answer, HttpStatusCode.ServiceUnavailable, "webhooks-under-way");
    }
}
