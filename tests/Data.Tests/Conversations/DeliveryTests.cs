using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Fakes.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Data.Tests.Conversations;

/// <summary>What sends and receipts do to messages, in whatever order they come.</summary>
public sealed class DeliveryTests : IAsyncLifetime
{
    private const int MostAttempts = 3;

    private readonly Guid _organization = Guid.CreateVersion7();
    private readonly Guid _channel = Guid.CreateVersion7();
    private readonly Guid _contact = Guid.CreateVersion7();
    private readonly Guid _conversation = Guid.CreateVersion7();
    private TestDatabase _database = null!;
    private EngineDataSource _engine = null!;
    private ConversationWriter _writer = null!;
    private long _sequence;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _engine = new EngineDataSource(_database.DataOptions);
        _writer = new ConversationWriter(_engine, Options.Create(new ConversationWriterOptions()), NullLogger<ConversationWriter>.Instance);
        await _writer.StartAsync(CancellationToken.None);
        await _database.ExecuteAsAdminAsync($"""
            INSERT INTO organizations (id, name, slug) VALUES ('{_organization}', 'Acme', 'acme');
            INSERT INTO channels (id, organization_id, name, platform) VALUES ('{_channel}', '{_organization}', 'Line', 'whatsapp');
            INSERT INTO contacts (id, organization_id, channel_id, platform, platform_user_id) VALUES ('{_contact}', '{_organization}', '{_channel}', 'whatsapp', '4917');
            INSERT INTO conversations (id, organization_id, channel_id, contact_id) VALUES ('{_conversation}', '{_organization}', '{_channel}', '{_contact}');
            """);
    }

    public async Task DisposeAsync()
    {
        await _writer.DisposeAsync();
        await _engine.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData(true, "wamid.1")]
    [InlineData(true, "wamid.other")]
    [InlineData(false, "wamid.1")]
    public async Task A_receipt_is_found_by_our_id_or_the_platforms(bool namesOurs, string platformId)
    {
        var message = await Sent("wamid.1");
        var outcome = await Commit(Receipt("delivered", platformId, namesOurs ? message : null));
        var moved = Assert.Single(outcome.Moved);
        Assert.Equal((message, _conversation, "sent", "delivered", null), (moved.MessageId, moved.ConversationId, moved.Before, moved.Status, moved.Identity));
        Assert.Equal(("delivered", "wamid.1"), await Row(message));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task A_receipt_of_another_channel_or_organization_finds_nothing(bool otherChannel, bool otherOrganization)
    {
        var message = await Sent("wamid.1");
        var outcome = await _writer.Commit(new ConversationCommit
        {
            ConversationId = Guid.Empty,
            OrganizationId = otherOrganization ? Guid.NewGuid() : _organization,
            ChannelId = otherChannel ? Guid.NewGuid() : _channel,
            ContactId = Guid.Empty,
            Deliveries = [Receipt("read", "wamid.1", message)],
        });
        Assert.Empty(outcome.Moved);
        Assert.Equal([0], outcome.Unfound);
        Assert.Equal("sent", (await Row(message)).Status);
    }

    [Fact]
    public async Task Of_several_receipts_of_one_message_in_one_body_the_furthest_counts()
    {
        var message = await Sent("wamid.1");
        var outcome = await Commit(Receipt("sent", "wamid.1"), Receipt("read", "wamid.1"), Receipt("delivered", "wamid.1", message));
        Assert.Equal([1], outcome.AppliedDeliveries);
        Assert.Empty(outcome.Unfound);
        Assert.Equal("read", (await Row(message)).Status);
    }

    [Fact]
    public async Task A_message_in_hand_tells_whose_it_is()
    {
        var message = await Sending();
        Assert.Equal("4917", Assert.Single((await Commit(Receipt("sent", "wamid.1", message))).Moved).Identity);
    }

    [Fact]
    public async Task A_passing_failure_goes_back_to_waiting_as_often_as_it_may_and_a_repeated_one_does_nothing()
    {
        var message = await Sent("wamid.1");
        for (var attempt = 1; attempt < MostAttempts; attempt++)
        {
            Assert.Equal("pending", Assert.Single((await Commit(Failure($"wamid.{attempt}", message, again: true))).Moved).Status);
            // The platform delivers the same failure again, while the next try waits, is under way, and has been accepted.
            Assert.Empty((await Commit(Failure($"wamid.{attempt}", message, again: true))).Moved);
            Assert.Empty((await Commit(Receipt("sent", $"wamid.{attempt}", message))).Moved);
            Assert.Single((await Commit(Own(message, "sending"))).Moved);
            Assert.Empty((await Commit(Failure($"wamid.{attempt}", message))).Moved);
            Assert.Empty((await Commit(Receipt("sent", $"wamid.{attempt}", message))).Moved);
            Assert.Single((await Commit(Own(message, "sent", $"wamid.{attempt + 1}"))).Moved);
            Assert.Empty((await Commit(Failure($"wamid.{attempt}", message))).Moved);
            Assert.Equal(("sent", $"wamid.{attempt + 1}"), await Row(message));
        }
        Assert.Equal("failed", Assert.Single((await Commit(Failure($"wamid.{MostAttempts}", message, again: true))).Moved).Status);
    }

    [Theory]
    [InlineData("delivered")]
    [InlineData("read")]
    public async Task What_arrived_is_proof_whichever_try_it_was(string status)
    {
        var message = await Sent("wamid.1");
        await Commit(Failure("wamid.1", message, again: true));
        Assert.Single((await Commit(Receipt(status, "wamid.1", message))).Moved);
        Assert.Empty((await Commit(Own(message, "sending"))).Moved);
        Assert.Equal(status, (await Row(message)).Status);
    }

    [Fact]
    public async Task A_failure_that_overtakes_the_answer_of_its_own_send_counts()
    {
        var message = await Sending();
        Assert.Equal("pending", Assert.Single((await Commit(Failure("wamid.1", message, again: true))).Moved).Status);
        Assert.Empty((await Commit(Own(message, "sent", "wamid.1"))).Moved);
        Assert.Equal("pending", (await Row(message)).Status);
    }

    [Fact]
    public async Task A_failure_of_a_try_that_nobody_knows_yet_waits_for_it()
    {
        var message = await Sending();
        await Commit(Own(message, "pending"));
        await Commit(Own(message, "sending"));
        var outcome = await Commit(Failure("wamid.2", message));
        Assert.Empty(outcome.Moved);
        Assert.Equal([0], outcome.Unfound);
    }

    [Fact]
    public async Task What_the_AI_wrote_before_a_person_took_over_is_not_sent_again()
    {
        var turn = Guid.CreateVersion7();
        await _database.ExecuteAsAdminAsync($"""
            INSERT INTO turns (id, organization_id, conversation_id, state, epoch, first_sequence, last_sequence, due_at) VALUES ('{turn}', '{_organization}', '{_conversation}', 'completed', 0, 1, 1, now());
            UPDATE conversations SET epoch = 1;
            """);
        var message = await Sent("wamid.1");
        await _database.ExecuteAsAdminAsync($"UPDATE messages SET sender_type = 'ai', turn_id = '{turn}'");
        Assert.Equal("failed", Assert.Single((await Commit(Failure("wamid.1", message, again: true))).Moved).Status);
    }

    [Theory]
    [InlineData("now() - interval '1 day'", false)]
    [InlineData("now() + interval '1 day'", true)]
    public async Task A_failure_tells_whether_the_channel_was_changed_since(string changed, bool isChanged)
    {
        var message = await Sent("wamid.1");
        await _database.ExecuteAsAdminAsync($"""
            ALTER TABLE channels DISABLE TRIGGER USER;
            UPDATE channels SET updated_at = {changed};
            UPDATE messages SET sent_at = now();
            """);
        Assert.Equal(isChanged, Assert.Single((await Commit(Failure("wamid.1", message))).Moved).IsChannelChanged);
    }

    [Fact]
    public async Task A_platforms_id_that_another_message_has_is_left_out_and_nothing_fails()
    {
        await Sent("wamid.1");
        var (second, third) = (await Sending(), await Sending());
        Assert.Single((await Commit(Own(second, "sent", "wamid.1"))).Moved);
        Assert.Equal(("sent", null), await Row(second));
        // Two messages that claim one id in one commit.
        var fourth = await Sending();
        Assert.Equal(2, (await Commit(Own(third, "sent", "wamid.3"), Own(fourth, "sent", "wamid.3"))).Moved.Count);
        Assert.Equal(("sent", "wamid.3"), await Row(third));
        Assert.Equal(("sent", null), await Row(fourth));
    }

    [Fact]
    public async Task Sends_and_echoes_that_claim_the_same_ids_at_the_same_moment_all_come_through()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var messages = new List<Guid>();
        for (var i = 0; i < 60; i++)
        {
            messages.Add(await Sending());
        }
        await using var other = new ConversationWriter(_engine, Options.Create(new ConversationWriterOptions { MaxBatchSize = 4 }), NullLogger<ConversationWriter>.Instance);
        await other.StartAsync(CancellationToken.None);
        DeliveryChange[] changes =
        [
            .. messages.Select((message, i) => Own(message, "sent", $"wamid.{i % 20}")),
            .. messages.Select(message => Receipt("delivered", $"wamid.{random.Next(20)}", message)),
        ];
        random.Shuffle(changes);
        var outcomes = await Task.WhenAll(changes.Select(change => (random.Next(2) == 0 ? _writer : other).Commit(Commit([change], null))));
        Assert.All(outcomes, outcome => Assert.Equal(CommitStatus.Committed, outcome.Status));
        Assert.True(await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM messages WHERE status <> 'delivered'") == 0, $"seed {seed}");
        // Which of two that claim one id at once gets it is chance, and one that already has an id leaves a second claim unused: but none gets an id that it never claimed.
        foreach (var message in messages)
        {
            var held = (await Row(message)).PlatformId;
            Assert.True(held is null || changes.Any(change => change.MessageId == message && change.PlatformMessageId == held), $"seed {seed}");
        }
    }

    [Fact]
    public async Task However_sends_and_receipts_are_ordered_the_end_is_the_same()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            var message = await Sending();
            var id = $"wamid.{round}";
            DeliveryChange[] changes = [Own(message, "sent", id), Receipt("sent", id, message), Receipt("delivered", id, message), Receipt("read", id, message), Receipt("delivered", id, message)];
            random.Shuffle(changes);
            foreach (var change in changes)
            {
                await Commit(change);
            }
            Assert.True(await Row(message) == ("read", id), $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public async Task A_receipt_that_came_too_early_is_given_to_its_send_and_kept_for_some_minutes()
    {
        var early = new EarlyReceipts(_engine);
        await early.Keep([Early("wamid.1", "delivered"), Early("wamid.1", "failed"), Early("wamid.2", "read"), Early("wamid.3", "failed")], CancellationToken.None);
        var message = await Sending();
        var told = Assert.Single((await Commit(Own(message, "sent", "wamid.1"))).Early);
        Assert.Equal(("wamid.1", "delivered"), (told.PlatformMessageId, told.Status));
        Assert.Equal("wamid.1", Assert.Single(await early.FindMissed(10, CancellationToken.None)).PlatformMessageId);

        await early.Forget(_channel, ["wamid.1"], CancellationToken.None);
        await _database.ExecuteAsAdminAsync($"UPDATE early_receipts SET created_at = now() - interval '{EarlyReceipts.KeptFor.TotalMinutes + 1} minutes' WHERE platform_message_id = 'wamid.2'");
        Assert.Empty(await early.FindMissed(10, CancellationToken.None));
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM early_receipts"));
    }

    private EarlyReceipt Early(string id, string status) => new() { OrganizationId = _organization, ChannelId = _channel, PlatformMessageId = id, Status = status };

    private async Task<Guid> Sending()
    {
        var id = Guid.CreateVersion7();
        await _database.ExecuteAsAdminAsync($"""
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content)
            VALUES ('{id}', '{_organization}', '{_conversation}', '{_channel}', '{_contact}', {++_sequence}, 'outbound', 'agent', 'pending', 'Hello')
            """);
        await Commit(Own(id, "sending"));
        return id;
    }

    private async Task<Guid> Sent(string platformId)
    {
        var id = await Sending();
        await Commit(Own(id, "sent", platformId));
        return id;
    }

    private static DeliveryChange Own(Guid message, string status, string? platformId = null) => new() { MessageId = message, PlatformMessageId = platformId, Status = status, At = DateTimeOffset.UnixEpoch };

    private static DeliveryChange Receipt(string status, string platformId, Guid? message = null) =>
        new() { MessageId = message, PlatformMessageId = platformId, Status = status, At = DateTimeOffset.UnixEpoch, IsReceipt = true };

    private static DeliveryChange Failure(string platformId, Guid? message = null, bool again = false) =>
        Receipt("failed", platformId, message) with { ErrorCode = "131016", AgainBelowAttempts = again ? MostAttempts : null };

    private Task<CommitOutcome> Commit(params DeliveryChange[] changes) => _writer.Commit(Commit(changes, null));

    private ConversationCommit Commit(DeliveryChange[] changes, Guid? conversation) => new()
    {
        ConversationId = conversation ?? Guid.Empty,
        OrganizationId = _organization,
        ChannelId = _channel,
        ContactId = Guid.Empty,
        Deliveries = changes,
    };

    private async Task<(string Status, string? PlatformId)> Row(Guid message)
    {
        var row = (await _database.ScalarAsAdminAsync<string>($"SELECT status || ' ' || coalesce(platform_message_id, '') FROM messages WHERE id = '{message}'"))!.Split(' ');
        return (row[0], row[1].Length == 0 ? null : row[1]);
    }
}
