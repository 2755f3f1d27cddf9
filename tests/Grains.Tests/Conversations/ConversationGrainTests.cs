using AgentPlatform.Conversations;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Delivery;
using AgentPlatform.Grains.Tests.Hosting;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Conversations;

public sealed class ConversationGrainTests : IAsyncLifetime
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

    [Fact]
    public async Task A_message_is_stored_answered_and_the_answer_is_sent()
    {
        var silo = _silo = await TestSilo.Start(_database);
        Assert.Equal(new ReceiveResult(1, 0), await silo.Conversation("491").Receive(TestSilo.From("491", Text("wamid.1", "Do you speak English?"))));
        await silo.Until<string>("SELECT string_agg(status, ',' ORDER BY sequence) FROM messages", static all => all == "received,sent");
        Assert.Equal([(1L, "user", "received", "Do you speak English?"), (2L, "ai", "sent", "answer to 1-1")], await silo.Messages("491"));
        Assert.Equal("491", Assert.Single(silo.Platform.Sent).Recipient);
        Assert.Equal(12L, await silo.Until<long>("SELECT sum(tokens_consumed)::bigint FROM usage_daily", static tokens => tokens > 0));
        Assert.Equal("completed", await silo.Database.ScalarAsAdminAsync<string>("SELECT state FROM turns"));
    }

    [Fact]
    public async Task A_body_delivered_many_times_at_once_is_stored_and_answered_once()
    {
        var silo = _silo = await TestSilo.Start(_database);
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => silo.Conversation("492").Receive(TestSilo.From("492", Text("wamid.1"), Text("wamid.2")))));
        Assert.Equal((2, 98), (results.Sum(result => result.Stored), results.Sum(result => result.Duplicates)));
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent == 1);
        Assert.Single(silo.Platform.Sent);
    }

    [Fact]
    public async Task A_message_that_comes_while_the_model_works_joins_and_one_answer_goes_out()
    {
        var silo = _silo = await TestSilo.Start(_database);
        var started = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        silo.Model.Answer = async (request, cancellationToken) =>
        {
            if (request.Attempt == 1)
            {
                started.SetResult();
                await using var registration = cancellationToken.Register(() => cancelled.TrySetResult());
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
            return TestRunner.Say($"answer to {request.FirstSequence}-{request.LastSequence}");
        };
        await silo.Conversation("493").Receive(TestSilo.From("493", Text("wamid.1")));
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await silo.Conversation("493").Receive(TestSilo.From("493", Text("wamid.2")));
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent == 1);
        Assert.Equal("answer to 1-2", Assert.Single(silo.Platform.Sent).Content.Text);
    }

    [Fact]
    public async Task A_person_who_takes_over_is_never_talked_over()
    {
        var silo = _silo = await TestSilo.Start(_database);
        var started = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        silo.Model.Answer = async (_, _) =>
        {
            started.TrySetResult();
            // A model that does not listen to cancellation and answers all the same.
            await answer.Task;
            return TestRunner.Say("too late");
        };
        await silo.Conversation("494").Receive(TestSilo.From("494", Text("wamid.1")));
        await started.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var actor = new Actor { OrganizationId = Organization };
        var sent = await silo.Conversation("494").Send(new SendMessage { MessageId = Guid.CreateVersion7(), Content = new OutgoingContent { Text = "I am here" }, Actor = actor });
        Assert.Equal((CommandOutcome.Done, ManagedBy.Human), (sent.Outcome, sent.Conversation!.ManagedBy));
        answer.SetResult();
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static count => count == 1);
        await silo.Conversation("494").Receive(TestSilo.From("494", Text("wamid.2")));
        Assert.Equal("I am here", Assert.Single(silo.Platform.Sent).Content.Text);
        Assert.Equal("cancelled", await silo.Database.ScalarAsAdminAsync<string>("SELECT state FROM turns"));

        var released = await silo.Conversation("494").Change(new ConversationChange { Action = ConversationAction.Release, Actor = actor });
        Assert.Equal(ManagedBy.Ai, released.Conversation!.ManagedBy);
    }

    [Fact]
    public async Task The_same_message_id_sent_twice_goes_out_once()
    {
        var silo = _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { IsBotActive = false });
        await silo.Conversation("495").Receive(TestSilo.From("495", Text("wamid.1")));
        var command = new SendMessage { MessageId = Guid.CreateVersion7(), Content = new OutgoingContent { Text = "Hello" }, Actor = new Actor { OrganizationId = Organization } };
        var first = await silo.Conversation("495").Send(command);
        var second = await silo.Conversation("495").Send(command);
        Assert.Equal((first.MessageId, first.Sequence), (second.MessageId, second.Sequence));
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static count => count == 1);
        Assert.Single(silo.Platform.Sent);
    }

    [Fact]
    public async Task Another_organization_finds_no_conversation()
    {
        var silo = _silo = await TestSilo.Start(_database);
        await silo.Conversation("496").Receive(TestSilo.From("496", Text("wamid.1")));
        var stranger = new Actor { OrganizationId = Guid.NewGuid() };
        Assert.Equal(CommandOutcome.NotFound, (await silo.Conversation("496").Change(new ConversationChange { Action = ConversationAction.TakeOver, Actor = stranger })).Outcome);
        Assert.Equal(CommandOutcome.NotFound, (await silo.Conversation("496").Send(new SendMessage { MessageId = Guid.NewGuid(), Content = new OutgoingContent { Text = "x" }, Actor = stranger })).Outcome);
    }

    [Fact]
    public async Task A_person_known_by_phone_stays_the_same_contact_when_an_id_appears_and_the_phone_goes()
    {
        var silo = _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { IsBotActive = false });
        await silo.Conversation("497").Receive(TestSilo.From("497", Text("wamid.1")));
        var both = TestSilo.From("DE.7", Text("wamid.2")) with { Contact = new InboundContact { Identities = ["DE.7", "497"], Phone = "+497" } };
        await silo.Conversation("DE.7").Receive(both);
        await silo.Conversation("DE.7").Receive(TestSilo.From("DE.7", Text("wamid.3")));
        await silo.Conversation("497").Receive(TestSilo.From("497", Text("wamid.4")));
        Assert.Equal((1L, 1L), (await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM contacts"), await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM conversations")));
        Assert.Equal([1L, 2, 3, 4], (await silo.Messages("DE.7")).Select(row => row.Sequence));
    }

    [Fact]
    public async Task A_person_known_by_id_stays_the_same_contact_when_a_phone_appears()
    {
        var silo = _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { IsBotActive = false });
        await silo.Conversation("DE.8").Receive(TestSilo.From("DE.8", Text("wamid.1")));
        await silo.Conversation("DE.8").Receive(TestSilo.From("DE.8", Text("wamid.2")) with { Contact = new InboundContact { Identities = ["DE.8", "498"], Phone = "+498" } });
        await silo.Conversation("498").Receive(TestSilo.From("498", Text("wamid.3")));
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM contacts"));
        Assert.Equal(3, (await silo.Messages("498")).Count);
    }

    [Fact]
    public async Task What_a_silo_left_unfinished_the_next_one_finishes()
    {
        await using (var first = await TestSilo.Start(_database))
        {
            first.Model.Answer = static async (_, cancellationToken) =>
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
                throw new InvalidOperationException("never");
            };
            await first.Conversation("499").Receive(TestSilo.From("499", Text("wamid.1")));
            await first.Until<long>("SELECT count(*) FROM turns WHERE state = 'running'", static count => count == 1);
        }
        var silo = _silo = await TestSilo.Start(_database);
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static count => count == 1);
        Assert.Equal("answer to 1-1", Assert.Single(silo.Platform.Sent).Content.Text);
    }

    [Fact]
    public async Task Messages_leave_in_order_though_the_first_fails_a_few_times()
    {
        var silo = _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { IsBotActive = false });
        await silo.Conversation("500").Receive(TestSilo.From("500", Text("wamid.1")));
        var accepted = new List<string>();
        silo.Platform.Answer = (message, _) =>
        {
            if (message.Content.Text == "one" && message.Attempt < 4)
            {
                return Task.FromResult(new SendResult(SendOutcome.Passing, ErrorCode: "500"));
            }
            lock (accepted)
            {
                accepted.Add(message.Content.Text!);
            }
            return Task.FromResult(new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}"));
        };
        foreach (var text in (string[])["one", "two", "three"])
        {
            await silo.Conversation("500").Send(new SendMessage { MessageId = Guid.CreateVersion7(), Content = new OutgoingContent { Text = text }, Actor = new Actor { OrganizationId = Organization } });
        }
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static count => count == 3);
        Assert.Equal(["one", "two", "three"], accepted);
    }

    private static readonly DeliveryOptions Patient = new() { FirstRetry = TimeSpan.FromHours(1), LongestRetry = TimeSpan.FromHours(1) };

    [Fact]
    public async Task A_message_that_waits_goes_out_when_somebody_changes_the_channel()
    {
        var silo = _silo = await TestSilo.Start(_database, delivery: Patient);
        var isMended = false;
        silo.Platform.Answer = (message, _) => Task.FromResult(Volatile.Read(ref isMended) ? new SendResult(SendOutcome.Sent, "out.1") : new SendResult(SendOutcome.Passing, ErrorCode: "not_connected"));
        await silo.Conversation("494").Receive(TestSilo.From("494", Text("wamid.1")));
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'pending' AND error_code = 'not_connected'", static waiting => waiting == 1);
        Volatile.Write(ref isMended, true);
        await _database.ExecuteAsAdminAsync("UPDATE channels SET settings = '{}', name = 'Mended'");
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent == 1);
    }

    [Fact]
    public async Task However_many_messages_wait_for_long_what_was_left_behind_is_found()
    {
        const int sweepLimit = 2;
        var silo = _silo = await TestSilo.Start(_database, delivery: Patient, sweepLimit: sweepLimit);
        silo.Platform.Answer = static (message, _) => Task.FromResult(message.Recipient.StartsWith("stuck", StringComparison.Ordinal) ? new SendResult(SendOutcome.Passing) : new SendResult(SendOutcome.Sent, $"out.{message.MessageId}"));
        foreach (var identity in new[] { "left", "stuck 1", "stuck 2", "stuck 3", "stuck 4", "stuck 5" })
        {
            await silo.Conversation(identity).Receive(TestSilo.From(identity, Text($"wamid.{identity}")));
        }
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'pending'", static waiting => waiting == 5);
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent == 1);
        await _database.ExecuteAsAdminAsync("""
            UPDATE messages SET created_at = now() - interval '2 days' WHERE status = 'pending';
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content, created_at)
            SELECT gen_random_uuid(), organization_id, conversation_id, channel_id, contact_id, 3, 'outbound', 'agent', 'pending', 'left behind', now() - interval '1 day' FROM messages WHERE status = 'sent';
            """);
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent' AND text_content = 'left behind'", static sent => sent == 1);
    }

    [Fact]
    public async Task A_doubtful_send_is_settled_by_its_receipt_and_not_repeated()
    {
        var silo = _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { IsBotActive = false });
        await silo.Conversation("501").Receive(TestSilo.From("501", Text("wamid.1")));
        silo.Platform.Answer = static (_, _) => Task.FromResult(new SendResult(SendOutcome.Doubtful));
        var id = Guid.CreateVersion7();
        await silo.Conversation("501").Send(new SendMessage { MessageId = id, Content = new OutgoingContent { Text = "Hello" }, Actor = new Actor { OrganizationId = Organization } });
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sending'", static count => count == 1);
        await silo.Conversation("501").RecordReceipts(Organization, [new DeliveryReceipt { PlatformMessageId = "wamid.out", MessageId = id, Status = MessageStatus.Delivered }]);
        // The next message leaves only once the doubt is settled.
        silo.Platform.Answer = static (message, _) => Task.FromResult(new SendResult(SendOutcome.Sent, $"out.{message.MessageId:N}"));
        await silo.Conversation("501").Send(new SendMessage { MessageId = Guid.CreateVersion7(), Content = new OutgoingContent { Text = "Next" }, Actor = new Actor { OrganizationId = Organization } });
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static count => count == 1);
        Assert.Equal(["Hello", "Next"], silo.Platform.Sent.Select(message => message.Content.Text));
        Assert.Equal("delivered", await _database.ScalarAsAdminAsync<string>($"SELECT status FROM messages WHERE id = '{id}'"));
    }

    [Fact]
    public async Task The_settle_time_gathers_fragments_into_one_turn()
    {
        var silo = _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { ResponseDelaySeconds = 1 });
        foreach (var id in (string[])["a", "b", "c"])
        {
            await silo.Conversation("502").Receive(TestSilo.From("502", Text(id)));
        }
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static count => count == 1);
        Assert.Equal("answer to 1-3", Assert.Single(silo.Platform.Sent).Content.Text);
    }

    [Fact]
    public async Task Where_turns_queue_the_second_message_gets_its_own_answer()
    {
        var silo = _silo = await TestSilo.Start(_database, edit => edit.Settings = edit.Settings with { RestartsOnNewMessage = false });
        var gate = new TaskCompletionSource();
        silo.Model.Answer = async (request, _) =>
        {
            await gate.Task;
            return TestRunner.Say($"answer to {request.FirstSequence}-{request.LastSequence}");
        };
        await silo.Conversation("503").Receive(TestSilo.From("503", Text("a")));
        await silo.Conversation("503").Receive(TestSilo.From("503", Text("b")));
        gate.SetResult();
        await silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static count => count == 2);
        Assert.Equal(["answer to 1-1", "answer to 2-3"], silo.Platform.Sent.Select(message => message.Content.Text));
    }
}
