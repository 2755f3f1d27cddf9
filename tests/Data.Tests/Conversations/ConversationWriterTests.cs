using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace AgentPlatform.Data.Tests.Conversations;

public sealed class ConversationWriterTests : IAsyncLifetime
{
    private readonly Guid _organization = Guid.CreateVersion7();
    private readonly Guid _channel = Guid.CreateVersion7();
    private TestDatabase _database = null!;
    private EngineDataSource _engine = null!;
    private ConversationWriter _writer = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _engine = new EngineDataSource(_database.DataOptions);
        _writer = new ConversationWriter(_engine, Options.Create(new ConversationWriterOptions()), NullLogger<ConversationWriter>.Instance);
        await _writer.StartAsync(CancellationToken.None);
        await Execute($"INSERT INTO organizations (id, name, slug) VALUES ('{_organization}', 'Acme', 'acme')");
        await Execute($"INSERT INTO channels (id, organization_id, name, platform) VALUES ('{_channel}', '{_organization}', 'Line', 'whatsapp')");
    }

    public async Task DisposeAsync()
    {
        await _writer.DisposeAsync();
        await _engine.DisposeAsync();
        await _database.DisposeAsync().ConfigureAwait(false);
    }

    [Fact]
    public async Task The_first_message_of_a_contact_makes_contact_client_conversation_and_message_together()
    {
        var commit = First("49170", "wamid.1") with { NewContact = new NewContact { Platform = "whatsapp", FirstIdentity = "49170", PlatformUserId = "49170", Identities = ["49170", "DE.1"], Name = "Ana", Phone = "+49170000001" } };
        var outcome = await _writer.Commit(commit);

        Assert.Equal(CommitStatus.Committed, outcome.Status);
        var stored = await new ConversationStore(_engine).Load(_channel, "DE.1", CancellationToken.None);
        Assert.NotNull(stored);
        Assert.Equal(("49170", 1L, 1L, 1), (stored.FirstIdentity, stored.Version, stored.LastSequence, stored.UnreadCount));
        Assert.Equal(1L, await Scalar($"SELECT count(*) FROM clients WHERE contact_id = '{commit.ContactId}' AND phone = '+49170000001' AND first_name = 'Ana'"));
        Assert.Equal(1L, await Scalar($"SELECT count(*) FROM conversations c JOIN contacts k ON k.client_id = c.client_id WHERE c.id = '{commit.ConversationId}'"));
    }

    [Fact]
    public async Task Two_contacts_with_one_phone_number_are_one_client()
    {
        var other = Guid.CreateVersion7();
        await Execute($"INSERT INTO channels (id, organization_id, name, platform) VALUES ('{other}', '{_organization}', 'Second line', 'whatsapp')");
        var first = First("49171", "wamid.1");
        await _writer.Commit(first with { NewContact = first.NewContact! with { Phone = "+49171" } });
        var second = First("49171", "wamid.2") with { ChannelId = other };
        await _writer.Commit(second with { NewContact = second.NewContact! with { Phone = "+49171" } });

        Assert.Equal(1L, await Scalar("SELECT count(*) FROM clients WHERE phone = '+49171'"));
        Assert.Equal(2L, await Scalar("SELECT count(*) FROM contacts k JOIN clients c ON c.id = k.client_id WHERE c.phone = '+49171'"));
    }

    [Fact]
    public async Task A_message_that_is_stored_is_reported_and_nothing_of_its_commit_is_written()
    {
        var first = First("49172", "wamid.1");
        await _writer.Commit(first);
        var outcome = await _writer.Commit(Next(first, expectedVersion: 1, sequence: 2, ["wamid.1", "wamid.2"]));

        Assert.Equal(CommitStatus.Duplicate, outcome.Status);
        Assert.Equal(["wamid.1"], outcome.Duplicates);
        Assert.Equal(1L, await Scalar("SELECT version FROM conversations"));
        Assert.Equal(1L, await Scalar("SELECT count(*) FROM messages"));
    }

    [Fact]
    public async Task After_several_together_the_next_gather()
    {
        await using var writer = new ConversationWriter(
            _engine, Options.Create(new ConversationWriterOptions { Lanes = 1, AnotherLaneFrom = 3, GatherTime = TimeSpan.FromHours(1) }), NullLogger<ConversationWriter>.Instance);
        var commits = Enumerable.Range(0, 7).Select(number => First($"4918{number}", $"wamid.{number}")).ToArray();
        // They wait until it starts, and travel together.
        var two = Task.WhenAll(writer.Commit(commits[0]), writer.Commit(commits[1]));
        await writer.StartAsync(CancellationToken.None);
        await two.WaitAsync(TimeSpan.FromSeconds(30));
        var three = new List<Task<CommitOutcome>> { writer.Commit(commits[2]), writer.Commit(commits[3]) };
        await _writer.Commit(commits[5]);
        await _writer.Commit(commits[6]);
        Assert.DoesNotContain(three, commit => commit.IsCompleted);
        three.Add(writer.Commit(commits[4]));
        await Task.WhenAll(three).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1L, await Scalar($"SELECT count(DISTINCT changed_in::text) FROM conversations WHERE id IN ('{commits[2].ConversationId}', '{commits[3].ConversationId}', '{commits[4].ConversationId}')"));
    }

    [Fact]
    public async Task A_commit_that_names_an_old_version_is_refused()
    {
        var first = First("49173", "wamid.1");
        await _writer.Commit(first);
        Assert.Equal(CommitStatus.Committed, (await _writer.Commit(Next(first, 1, 2, ["wamid.2"]))).Status);
        Assert.Equal(CommitStatus.Conflict, (await _writer.Commit(Next(first, 1, 2, ["wamid.3"]))).Status);
        Assert.Equal(2L, await Scalar("SELECT count(*) FROM messages"));
    }

    [Fact]
    public async Task Of_many_writers_of_one_version_one_wins()
    {
        var first = First("49174", "wamid.1");
        await _writer.Commit(first);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => _writer.Commit(Next(first, 1, 2, [$"wamid.race.{i}"]))));

        Assert.Single(outcomes, outcome => outcome.Status == CommitStatus.Committed);
        Assert.Equal(2L, await Scalar("SELECT count(*) FROM messages"));
    }

    [Fact]
    public async Task A_commit_that_Postgres_refuses_does_not_take_others_of_its_batch_with_it()
    {
        var good = Enumerable.Range(0, 40).Select(i => First($"4918{i}", $"wamid.good.{i}")).ToArray();
        var bad = First("bad", "wamid.bad");
        bad = bad with { Messages = [bad.Messages[0] with { SenderType = "martian" }] };
        var writes = good.Take(20).Append(bad).Concat(good.Skip(20)).Select(commit => _writer.Commit(commit)).ToArray();

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => writes[20]);
        Assert.Equal("sender_type_is_known", refusal.ConstraintName);
        Assert.All(await Task.WhenAll(writes.Where(write => write != writes[20])), outcome => Assert.Equal(CommitStatus.Committed, outcome.Status));
        Assert.Equal(40L, await Scalar("SELECT count(*) FROM messages"));
    }

    [Fact]
    public async Task A_delivery_only_moves_forward_and_one_of_two_senders_gets_the_message()
    {
        var first = First("49175", "wamid.1");
        await _writer.Commit(first);
        var reply = Guid.CreateVersion7();
        var next = Next(first, 1, 2, []);
        await _writer.Commit(next with { Messages = [new NewMessage { Id = reply, Sequence = 2, Direction = "outbound", SenderType = "ai", ContentType = "text", Status = "pending", Text = "Hello", SentAt = DateTimeOffset.UnixEpoch }] });

        var senders = await Task.WhenAll(Deliver(first, reply, "sending"), Deliver(first, reply, "sending"));
        Assert.Equal(1, senders.Sum(outcome => outcome.AppliedDeliveries.Count));
        Assert.Single((await Deliver(first, reply, "sent", "wamid.out")).AppliedDeliveries);
        Assert.Single((await Deliver(first, null, "read", "wamid.out")).AppliedDeliveries);
        Assert.Empty((await Deliver(first, null, "delivered", "wamid.out")).AppliedDeliveries);
        Assert.Empty((await Deliver(first, reply, "failed", "wamid.out")).AppliedDeliveries);
        Assert.Equal("read", await Text($"SELECT status FROM messages WHERE id = '{reply}'"));
    }

    [Fact]
    public async Task A_turn_is_inserted_changed_and_counted_once_in_the_usage_of_its_day()
    {
        var agent = Guid.CreateVersion7();
        await Execute($"INSERT INTO agents (id, organization_id, name) VALUES ('{agent}', '{_organization}', 'Guide')");
        var first = First("49176", "wamid.1");
        var turn = new TurnRow { Id = Guid.CreateVersion7(), AgentId = agent, State = "running", Attempt = 1, Epoch = 0, FirstSequence = 1, LastSequence = 1, DueAt = DateTimeOffset.UnixEpoch };
        await _writer.Commit(first with { Turn = turn });
        var ended = Next(first, 1, 1, []) with { Turn = turn with { State = "completed", Outcome = "replied", FinishedAt = new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero), InputTokens = 30, OutputTokens = 12, Prompt = "[]" } };
        await _writer.Commit(ended);
        // Refused as stale: must not count again.
        await _writer.Commit(ended);

        Assert.Equal(1L, await Scalar("SELECT count(*) FROM turns WHERE state = 'completed' AND input_tokens = 30"));
        Assert.Equal(42L, await Scalar("SELECT tokens_consumed FROM usage_daily WHERE usage_date = '2026-05-01'"));
    }

    [Fact]
    public async Task A_batch_that_waits_for_a_lock_does_not_hold_up_the_commits_behind_it()
    {
        var blocked = First("49179", "wamid.1");
        await _writer.Commit(blocked);
        await using var connection = await _engine.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand($"SELECT FROM conversations WHERE id = '{blocked.ConversationId}' FOR UPDATE", connection, transaction))
        {
            await command.ExecuteNonQueryAsync();
        }
        var waiting = _writer.Commit(Next(blocked, 1, 2, ["wamid.2"]));
        while (_writer.QueueLength > 0)
        {
            await Task.Yield(); // until it is under way, so that it is alone in its batch
        }
        Assert.Equal(CommitStatus.Committed, (await _writer.Commit(First("49180", "wamid.3"))).Status);
        Assert.False(waiting.IsCompleted);

        await transaction.RollbackAsync();
        Assert.Equal(CommitStatus.Committed, (await waiting).Status);
    }

    [Fact]
    public async Task A_change_without_a_message_is_marked_for_the_live_feed_and_one_with_a_message_is_not()
    {
        var first = First("49177", "wamid.1");
        await _writer.Commit(first);
        var met = await Text("SELECT changed_alone_in::text FROM conversations");
        await _writer.Commit(Next(first, 1, 2, ["wamid.2"]));
        Assert.Equal(met, await Text("SELECT changed_alone_in::text FROM conversations"));
        await _writer.Commit(Next(first, 2, 2, []));
        Assert.Equal(1L, await Scalar($"SELECT count(*) FROM conversations WHERE changed_alone_in > '{met}' AND changed_alone_in = changed_in"));
    }

    [Fact]
    public async Task Lists_are_sorted_exactly_by_the_last_message_and_within_ten_seconds_while_messages_flood_in()
    {
        var start = new DateTimeOffset(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);
        var alone = First("49178", "wamid.1");
        await _writer.Commit(At(alone, start));
        await _writer.Commit(At(Next(alone, 1, 2, ["wamid.2"]), start.AddSeconds(1)));
        Assert.Equal(1L, await Scalar("SELECT count(*) FROM conversations WHERE last_message_at = '2026-05-01 12:00:01Z'"));

        var many = Enumerable.Range(0, 300).Select(i => First($"4919{i}", $"wamid.many.{i}")).ToArray();
        await Task.WhenAll(many.Select(commit => _writer.Commit(At(commit, start))));
        for (var step = 1; step <= 3; step++)
        {
            await Task.WhenAll(many.Select((commit, i) => _writer.Commit(At(Next(commit, step, step + 1, [$"wamid.many.{i}.{step}"]), start.AddSeconds(7 * step)))));
        }
        Assert.Equal(300L, await Scalar("SELECT count(*) FROM conversations WHERE last_message_at BETWEEN '2026-05-01 12:00:11Z' AND '2026-05-01 12:00:21Z'"));

        static ConversationCommit At(ConversationCommit commit, DateTimeOffset at) => commit with { Advance = commit.Advance! with { LastMessageAt = at } };
    }

    private ConversationCommit First(string identity, string platformMessageId) => new()
    {
        ConversationId = Guid.CreateVersion7(),
        OrganizationId = _organization,
        ChannelId = _channel,
        ContactId = Guid.CreateVersion7(),
        NewContact = new NewContact { Platform = "whatsapp", FirstIdentity = identity, PlatformUserId = identity, Identities = [identity] },
        Advance = State(0, 1),
        Messages = [Inbound(1, platformMessageId)],
    };

    private static ConversationCommit Next(ConversationCommit first, long expectedVersion, long sequence, string[] platformMessageIds) => first with
    {
        NewContact = null,
        Advance = State(expectedVersion, sequence),
        Messages = [.. platformMessageIds.Select((id, index) => Inbound(sequence + index, id))],
    };

    private static ConversationAdvance State(long expectedVersion, long lastSequence) => new()
    {
        ExpectedVersion = expectedVersion,
        Status = "active",
        ManagedBy = "ai",
        Epoch = 0,
        LastSequence = lastSequence,
        AiEnabled = true,
        UnreadCount = 1,
        LastInteractionAt = DateTimeOffset.UnixEpoch,
    };

    private static NewMessage Inbound(long sequence, string platformMessageId) => new()
    {
        Id = Guid.CreateVersion7(),
        Sequence = sequence,
        Direction = "inbound",
        SenderType = "user",
        ContentType = "text",
        Status = "received",
        Text = "Hi",
        PlatformMessageId = platformMessageId,
        SentAt = DateTimeOffset.UnixEpoch,
    };

    private Task<CommitOutcome> Deliver(ConversationCommit conversation, Guid? messageId, string status, string? platformMessageId = null) => _writer.Commit(new ConversationCommit
    {
        ConversationId = conversation.ConversationId,
        OrganizationId = _organization,
        ChannelId = _channel,
        ContactId = conversation.ContactId,
        Deliveries = [new DeliveryChange { MessageId = messageId, PlatformMessageId = platformMessageId, Status = status, At = DateTimeOffset.UnixEpoch }],
    });

    private async Task Execute(string sql)
    {
        await using var command = _engine.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<long> Scalar(string sql)
    {
        await using var command = _engine.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private async Task<string> Text(string sql)
    {
        await using var command = _engine.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
