using AgentPlatform.Channels;
using AgentPlatform.Conversations;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Fakes.Time;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Grains.Tests.Hosting;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Delivery;

/// <summary>What receipts and echoes do to messages that are on their way.</summary>
public sealed class ReceiptTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestSilo? _silo;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public async Task DisposeAsync()
    {
        if (_silo is not null)
        {
            await _silo.DisposeAsync();
        }
        await _database.DisposeAsync();
    }

    private TestSilo Silo => _silo!;

    [Fact]
    public async Task A_doubt_is_settled_by_a_receipt_that_names_nobody_and_the_next_message_leaves_at_once()
    {
        await Start(new DeliveryOptions { DoubtTime = TimeSpan.FromHours(1) });
        Silo.Platform.Answer = static (_, _) => Task.FromResult(new SendResult(SendOutcome.Doubtful));
        var id = await Send("4917", "Hello");
        await Asked();
        await Send("4917", "Next");
        Silo.Platform.Answer = static (message, _) => Task.FromResult(new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}"));
        await Tell(new DeliveryReceipt { PlatformMessageId = "wamid.out", MessageId = id, Status = MessageStatus.Delivered });
        await Status("sent");
        Assert.Equal(["Hello", "Next"], Silo.Platform.Sent.Select(message => message.Content.Text));
    }

    [Theory]
    [InlineData("131042", "channelPayment")]
    [InlineData("190", "channelToken")]
    [InlineData("133010", "channelRegistration")]
    [InlineData("131031", "channelLocked")]
    public async Task A_channel_that_is_refused_later_is_marked_and_told_once_and_its_messages_wait(string code, string text)
    {
        await Start(judge: error => error.Code == code ? new PlatformVerdict(SendOutcome.ChannelBroken, Enum.Parse<ChannelTrouble>(text["channel".Length..])) : default);
        await Member("manager");
        var ids = new[] { await Send("4917", "one"), await Send("4918", "two") };
        await Sent(2);
        foreach (var id in ids)
        {
            await Tell(Failure($"out.{id:N}", id, code));
            await Tell(Failure($"out.{id:N}", id, code));
        }
        Assert.Equal(2L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM messages WHERE status = 'pending'"));
        Assert.StartsWith("It went wrong. ", await _database.ScalarAsAdminAsync<string>("SELECT broken_reason FROM channels"), StringComparison.Ordinal);
        Assert.Equal(text, await _database.ScalarAsAdminAsync<string>("SELECT string_agg(text_name, ',') FROM notifications WHERE type = 'channel_broken'"));
        // Mended, both leave.
        Silo.Channels.Channel = Silo.Channels.Channel with { Name = "mended" };
        await _database.ExecuteAsAdminAsync("UPDATE channels SET broken_reason = NULL, name = 'mended'");
        await Sent(2);
        Assert.Equal(4, Silo.Platform.Sent.Count);
    }

    [Fact]
    public async Task A_failure_from_before_the_channel_was_mended_does_not_break_it_again()
    {
        await Start(judge: static _ => new PlatformVerdict(SendOutcome.ChannelBroken));
        var id = await Send("4917", "one");
        await Sent(1);
        await _database.ExecuteAsAdminAsync("UPDATE channels SET name = 'mended'");
        await Tell(Failure($"out.{id:N}", id, "131042"));
        await Silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent' AND send_attempts = 2", static sent => sent == 1);
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM channels WHERE broken_reason IS NULL"));
    }

    [Theory]
    [InlineData(SendOutcome.Passing)]
    [InlineData(SendOutcome.PairThrottled)]
    [InlineData(SendOutcome.Throttled)]
    public async Task What_passes_is_sent_again_in_its_place(SendOutcome outcome)
    {
        await Start(judge: error => new PlatformVerdict(error.Code == "1" ? outcome : SendOutcome.Permanent));
        Silo.Platform.Answer = static (message, _) => Task.FromResult(new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}.{message.Attempt}"));
        var id = await Send("4917", "one");
        await Sent(1);
        await Tell(Failure($"out.{id:N}.1", id, "1"));
        await Silo.Until<long>($"SELECT count(*) FROM messages WHERE status = 'sent' AND platform_message_id = 'out.{id:N}.2'", static sent => sent == 1);
        // What the platform repeats about the first try doesn't touch the second.
        await Tell(Failure($"out.{id:N}.1", id, "1"));
        await Tell(Failure($"out.{id:N}.1", id, "2"));
        Assert.Equal(["one", "one"], Silo.Platform.Sent.Select(message => message.Content.Text));
        Assert.Equal("sent", await _database.ScalarAsAdminAsync<string>("SELECT status FROM messages WHERE direction = 'outbound'"));
    }

    [Fact]
    public async Task Who_can_not_be_reached_is_marked_in_plain_words_and_the_member_is_told()
    {
        await Start(judge: static _ => new PlatformVerdict(SendOutcome.Unreachable, Reason: "The number has no WhatsApp."));
        var member = await Member("member");
        var id = await Send("4917", "one", member);
        await Sent(1);
        await Tell(Failure($"out.{id:N}", id, "131026"));
        await Tell(Failure($"out.{id:N}", id, "131026"));
        Assert.Equal("The number has no WhatsApp. (131026: It went wrong)", await _database.ScalarAsAdminAsync<string>("SELECT unreachable_reason FROM contacts"));
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>($"SELECT count(*) FROM notifications WHERE type = 'message_failed' AND user_id = '{member}' AND text_name = 'messageFailed'"));
        // The person writes: reachable again, which the grain knows although the receipt never passed it.
        await Silo.Conversation("4917").Receive(TestSilo.From("4917", Text("wamid.2")));
        await Silo.Until<long>("SELECT count(*) FROM contacts WHERE unreachable_reason IS NULL", static count => count == 1);
    }

    [Fact]
    public async Task What_fails_for_good_fails_and_nothing_else()
    {
        await Start();
        var id = await Send("4917", "one");
        await Sent(1);
        await Tell(Failure($"out.{id:N}", null, "131047"));
        Assert.Equal("failed 131047", await _database.ScalarAsAdminAsync<string>("SELECT status || ' ' || error_code FROM messages WHERE direction = 'outbound'"));
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM contacts WHERE unreachable_reason IS NULL"));
    }

    [Theory]
    [InlineData(MessageStatus.Delivered, "delivered")]
    [InlineData(MessageStatus.Read, "read")]
    [InlineData(MessageStatus.Failed, "failed")]
    public async Task A_receipt_without_our_id_that_overtakes_the_answer_is_applied_when_the_answer_comes(MessageStatus status, string expected)
    {
        await Start();
        var answer = new TaskCompletionSource<SendResult>();
        Silo.Platform.Answer = (_, _) => answer.Task;
        await Send("4917", "one");
        await Asked();
        await Tell(new DeliveryReceipt { PlatformMessageId = "wamid.out", Status = status, ErrorCode = "131047" });
        answer.SetResult(new SendResult(SendOutcome.Sent, "wamid.out"));
        await Status(expected);
        await Silo.Until<long>("SELECT count(*) FROM early_receipts", static kept => kept == 0);
    }

    [Fact]
    public async Task A_receipt_that_missed_its_send_by_a_moment_is_found_by_the_sweep()
    {
        await Start();
        await Send("4917", "one");
        await Sent(1);
        await _database.ExecuteAsAdminAsync($"""
            INSERT INTO early_receipts (organization_id, channel_id, platform_message_id, status) SELECT organization_id, channel_id, platform_message_id, 'read' FROM messages WHERE status = 'sent'
            """);
        await Status("read");
    }

    [Fact]
    public async Task Another_organization_can_not_move_a_message()
    {
        await Start();
        await Assert.ThrowsAnyAsync<Exception>(() => Silo.Grains.GetGrain<IReceiptGrain>(Channel).Record(Guid.NewGuid(), [new DeliveryReceipt { PlatformMessageId = "x", Status = MessageStatus.Read }]));
    }

    [Theory]
    [InlineData("answer to 1-1")]
    [InlineData("  answer to 1-1\r\n")]
    public async Task An_echo_that_overtakes_the_answer_of_our_send_is_that_message(string echoed)
    {
        await Start(isBotActive: true);
        var answer = new TaskCompletionSource<SendResult>();
        Silo.Platform.Answer = (_, _) => answer.Task;
        await Silo.Conversation("4917").Receive(TestSilo.From("4917", Text("wamid.1")));
        await Asked();
        await Silo.Conversation("4917").Receive(TestSilo.From("4917", Text("wamid.echo", echoed) with { IsEcho = true }));
        await Status("sent");
        answer.SetResult(new SendResult(SendOutcome.Sent, "wamid.echo"));
        // Told again it is known by its id, and the next question is the AI's.
        await Silo.Conversation("4917").Receive(TestSilo.From("4917", Text("wamid.echo", echoed) with { IsEcho = true }));
        Silo.Platform.Answer = static (message, _) => Task.FromResult(new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}"));
        await Silo.Conversation("4917").Receive(TestSilo.From("4917", Text("wamid.2")));
        await Silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent == 2);
        Assert.Equal(["user", "ai", "user", "ai"], (await Silo.Messages("4917")).Select(row => row.Sender));
        Assert.Equal(2, Silo.Platform.Sent.Count);
    }

    [Fact]
    public async Task An_echo_settles_a_doubt_and_one_of_other_words_is_a_persons()
    {
        await Start(new DeliveryOptions { DoubtTime = TimeSpan.FromHours(1) }, isBotActive: true);
        Silo.Platform.Answer = static (_, _) => Task.FromResult(new SendResult(SendOutcome.Doubtful));
        await Silo.Conversation("4917").Receive(TestSilo.From("4917", Text("wamid.1")));
        await Asked();
        await Silo.Conversation("4917").Receive(TestSilo.From("4917", Text("wamid.other", "I do it myself") with { IsEcho = true }, Text("wamid.echo", "answer to 1-1") with { IsEcho = true }));
        await Silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent' AND platform_message_id IN ('wamid.echo', 'wamid.other')", static sent => sent == 2);
        Assert.Equal(["user", "ai", "agent"], (await Silo.Messages("4917")).Select(row => row.Sender));
        Assert.Equal("human", await _database.ScalarAsAdminAsync<string>("SELECT managed_by FROM conversations"));
    }

    [Fact]
    public async Task A_person_who_writes_ends_a_long_wait()
    {
        var clock = new FakeTimeProvider();
        await Start(new DeliveryOptions(), clock: clock);
        var isMended = false;
        Silo.Platform.Answer = (message, _) => Task.FromResult(Volatile.Read(ref isMended)
            ? new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}")
            : new SendResult(SendOutcome.Passing, ErrorCode: "http_503", Error: "The platform answered 503.", RetryAfter: TimeSpan.FromDays(27_000)));
        await Send("4917", "one");
        await Silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'pending' AND error LIKE '%longest wait%'", static count => count == 1);
        Volatile.Write(ref isMended, true);
        await Send("4917", "two");
        await Sent(2);
        Assert.Equal(["one", "one", "two"], Silo.Platform.Sent.Select(message => message.Content.Text));
    }

    [Theory]
    [InlineData(SendOutcome.Passing)]
    [InlineData(SendOutcome.Throttled)]
    [InlineData(SendOutcome.PairThrottled)]
    public async Task A_wait_of_years_is_tried_once_more_soon_and_ends_with_a_change_of_the_channel(SendOutcome outcome)
    {
        await Start();
        var isMended = false;
        Silo.Platform.Answer = (message, _) => Task.FromResult(Volatile.Read(ref isMended)
            ? new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}")
            : new SendResult(outcome, ErrorCode: "429", RetryAfter: TimeSpan.MaxValue));
        await Send("4917", "one");
        await Silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'pending' AND send_attempts = 2", static waiting => waiting == 1);
        Volatile.Write(ref isMended, true);
        Silo.Channels.Channel = Silo.Channels.Channel with { Name = "changed" };
        await _database.ExecuteAsAdminAsync("UPDATE channels SET name = 'changed'");
        await Sent(1);
        Assert.Equal(3, Silo.Platform.Sent.Count);
    }

    [Theory]
    [InlineData(SendOutcome.Passing)]
    [InlineData(SendOutcome.Throttled)]
    [InlineData(SendOutcome.PairThrottled)]
    public async Task A_wait_of_years_ends_by_itself(SendOutcome outcome)
    {
        var clock = new FakeTimeProvider();
        await Start(new DeliveryOptions(), clock: clock);
        Silo.Platform.Answer = (message, _) => Task.FromResult(Silo.Platform.Sent.Count > 3
            ? new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}")
            : new SendResult(outcome, ErrorCode: "429", RetryAfter: TimeSpan.FromDays(27_000)));
        await Send("4917", "one");
        var began = clock.GetUtcNow();
        await Silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", sent =>
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            return sent == 1;
        });
        Assert.True(clock.GetUtcNow() - began < TimeSpan.FromDays(100));
    }

    private async Task Start(DeliveryOptions? delivery = null, Func<PlatformError, PlatformVerdict>? judge = null, bool isBotActive = false, TimeProvider? clock = null)
    {
        _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { IsBotActive = isBotActive }, clock, delivery);
        if (judge is not null)
        {
            Silo.Platform.Verdict = judge;
        }
    }

    private async Task<Guid> Send(string identity, string text, Guid? member = null)
    {
        await Silo.Conversation(identity).Receive(TestSilo.From(identity, Text($"wamid.{identity}")));
        var id = Guid.CreateVersion7();
        var result = await Silo.Conversation(identity).Send(new SendMessage { MessageId = id, Content = new OutgoingContent { Text = text }, Actor = new Actor { OrganizationId = Organization, UserId = member } });
        Assert.Equal(CommandOutcome.Done, result.Outcome);
        return id;
    }

    private async Task<Guid> Member(string role)
    {
        var user = Guid.NewGuid();
        await _database.ExecuteAsAdminAsync($"""
            INSERT INTO users (id, email) VALUES ('{user}', '{user}@example.test');
            INSERT INTO organization_members (organization_id, user_id, role) VALUES ('{Organization}', '{user}', '{role}');
            """);
        return user;
    }

    private static DeliveryReceipt Failure(string platformId, Guid? id, string code) =>
        new() { PlatformMessageId = platformId, MessageId = id, Status = MessageStatus.Failed, ErrorCode = code, Error = "It went wrong" };

    private Task Tell(params DeliveryReceipt[] receipts) => Silo.Grains.GetGrain<IReceiptGrain>(Channel).Record(Organization, [.. receipts]);

    private Task Sent(int count) => Silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", sent => sent == count);

    /// <summary>The platform has our message, and has not answered for good.</summary>
    private Task Asked() => Silo.Until<long>("SELECT count(*) FROM messages WHERE direction = 'outbound' AND status = 'sending'", count => count == 1 && !Silo.Platform.Sent.IsEmpty);

    private Task Status(string status) => Silo.Until<long>($"SELECT count(*) FROM messages WHERE direction = 'outbound' AND status = '{status}'", static count => count == 1);
}
