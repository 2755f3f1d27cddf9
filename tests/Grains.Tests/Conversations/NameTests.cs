using System.Collections.Immutable;
using AgentPlatform.Conversations;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Tests.Hosting;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Conversations;

/// <summary>Whom an answer goes to, while names move between people.</summary>
public sealed class NameTests : IAsyncLifetime
{
    private const string Old = "996550000001", New = "996550000002", Newest = "996550000003";

    private TestDatabase _database = null!;
    private TestSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _silo = await TestSilo.Start(_database);
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task After_a_number_moved_answers_go_to_the_new_one()
    {
        await Say(Old, "1", "Hello");
        await Answers(1);
        await Move("m", Old, New);
        await Say(New, "2", "It is still me");
        await Answers(2);
        Assert.Equal([Old, New], _silo.Platform.Sent.Select(static sent => sent.Recipient));
        Assert.Equal("1 1", await Read("SELECT (SELECT count(*) FROM contacts) || ' ' || (SELECT count(*) FROM conversations)"));
        Assert.Equal($"{New} +{New}", await Read("SELECT platform_user_id || ' ' || phone FROM contacts"));
        Assert.Equal($"+{New}", await Read("SELECT phone FROM clients"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Two_moves_end_at_the_last_number_in_whatever_order_they_are_told(bool isKnownInBetween)
    {
        var now = TimeProvider.System.GetUtcNow();
        await Say(Old, "1", "Hello");
        await Answers(1);
        if (isKnownInBetween)
        {
            await Say(New, "2", "Soon I am gone from here");
            await Answers(2);
        }
        await Move("m2", New, Newest, now.AddMinutes(-1));
        await Move("m1", Old, New, now.AddMinutes(-2));
        Assert.Equal($"1 1 {Newest}", await Read("SELECT (SELECT count(*) FROM contacts) || ' ' || (SELECT count(*) FROM conversations) || ' ' || (SELECT max(platform_user_id) FROM contacts)"));
        await Say(Newest, "3", "It is still me");
        await _silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", sent => sent == (isKnownInBetween ? 3 : 2));
        Assert.Equal(Newest, _silo.Platform.Sent.Last().Recipient);
        Assert.DoesNotContain(_silo.Platform.Sent.Skip(isKnownInBetween ? 2 : 1), static sent => sent.Recipient != Newest);
        Assert.Equal($"{New} {Old}", await Read("SELECT string_agg(identity, ' ' ORDER BY identity DESC) FROM former_identities"));
    }

    [Fact]
    public async Task A_reaction_belongs_to_the_topic_of_the_message_that_it_names()
    {
        const string Group = "-100123", Topic = "-100123:3";
        var contact = new InboundContact { Identities = [Topic], IsGroup = true };
        await _silo.Conversation(Topic).Receive(Batch(Text("-100123:5", "Hello all")) with { Contact = contact });
        foreach (var (id, target) in new[] { ("r1", "-100123:5"), ("r2", "-100123:5"), ("r3", "-100123:999") })
        {
            var reaction = Batch(new InboundMessage { PlatformMessageId = id, ContentType = ContentTypes.Reaction, Text = "👍", ReplyToPlatformId = target });
            await _silo.Conversation(Group).Receive(reaction with { Contact = contact with { Identities = [Group] } });
        }
        Assert.Equal($"{Group}: r3 | {Topic}: -100123:5, r1, r2", await Read("""
            SELECT string_agg(k.first_identity || ': ' || m.ids, ' | ' ORDER BY k.first_identity)
            FROM contacts k JOIN LATERAL (SELECT string_agg(platform_message_id, ', ' ORDER BY sequence) AS ids FROM messages WHERE contact_id = k.id AND direction = 'inbound') m ON true
            """));
    }

    [Fact]
    public async Task Whoever_gets_the_old_number_is_somebody_else()
    {
        await Say(Old, "1", "Hello");
        await Answers(1);
        await Move("m", Old, New);
        await Say(Old, "2", "I am new here");
        await Say(Old, "3", "Anybody there?");
        await Say(New, "4", "And I am the one from before");
        await _silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent >= 3);
        Assert.Equal($"{New}: Hello, And I am the one from before | {Old}: I am new here, Anybody there?", await Read("""
            SELECT string_agg(c.platform_user_id || ': ' || m.said, ' | ' ORDER BY c.platform_user_id DESC)
            FROM contacts c JOIN LATERAL (SELECT string_agg(text_content, ', ' ORDER BY sequence) AS said FROM messages WHERE contact_id = c.id AND content_type = 'text' AND direction = 'inbound') m ON true
            """));
        Assert.Equal(2L, await _database.ScalarAsAdminAsync<long>("SELECT count(DISTINCT client_id) FROM contacts"));
    }

    [Fact]
    public async Task What_was_written_before_the_move_and_comes_after_it_belongs_to_the_one_who_moved()
    {
        var moved = TimeProvider.System.GetUtcNow();
        await Say(Old, "1", "Hello");
        await Move("m", Old, New, moved);
        await Receive(Old, [Old], [], Text("2", "On its way for a while") with { PlatformTimestamp = moved.AddSeconds(-30) });
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM conversations"));
    }

    [Fact]
    public async Task A_notice_that_comes_again_after_a_further_move_changes_nothing()
    {
        await Say(Old, "1", "Hello");
        await Move("m1", Old, New);
        await Move("m2", New, Newest);
        await Move("m1", Old, New);
        await Say(Newest, "2", "Me again");
        await Answers(2);
        Assert.Equal(Newest, _silo.Platform.Sent.Last().Recipient);
        Assert.Equal(Newest, await Read("SELECT platform_user_id FROM contacts"));
    }

    [Fact]
    public async Task A_number_that_moves_back_is_the_persons_again()
    {
        await Say(Old, "1", "Hello");
        await Move("m1", Old, New);
        await Move("m2", New, Old);
        await Say(Old, "2", "Back again");
        await Answers(2);
        Assert.Equal(Old, _silo.Platform.Sent.Last().Recipient);
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM conversations"));
    }

    [Theory]
    [InlineData("KG.1", "KG.2")]
    [InlineData("-100200", "-1003004005")]
    public async Task Ids_that_rotate_and_groups_that_move_keep_their_conversation_in_any_order(string old, string next)
    {
        await Say(old, "1", "Hello");
        await Say(next, "2", "Written under the new name before anybody told us");
        await Answers(2);
        await Move("m", old, next);
        await Move("n", old, next);
        await Say(next, "3", "And after it");
        await _silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent >= 3);
        Assert.Equal(next, _silo.Platform.Sent.Last().Recipient);
        Assert.Equal("1 Hello, Written under the new name before anybody told us, And after it", await Read("""
            SELECT (SELECT count(*) FROM conversations) || ' ' || string_agg(text_content, ', ' ORDER BY sequence) FROM messages WHERE direction = 'inbound' AND content_type = 'text'
            """));
        Assert.True(await _database.ScalarAsAdminAsync<bool>("SELECT count(*) = max(sequence) AND count(DISTINCT sequence) = count(*) AND max(sequence) = (SELECT last_sequence FROM conversations) FROM messages"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_conversations_that_are_one_keep_the_takeover_of_either(bool isOldTaken)
    {
        await Say(Old, "1", "Hello");
        await Say(New, "2", "Hello from the new number");
        await Answers(2);
        var taken = await _silo.Conversation(isOldTaken ? Old : New).Change(new ConversationChange { Action = ConversationAction.TakeOver, Actor = new Actor { OrganizationId = Organization } });
        await Move("m", Old, New);
        await Say(New, "3", "Who answers now?");
        Assert.Equal("human t 1", await Read($"SELECT managed_by || ' ' || CASE WHEN epoch > {taken.Conversation!.Epoch - 1} THEN 't' ELSE 'f' END || ' ' || (SELECT count(*) FROM conversations) FROM conversations"));
        Assert.Equal(2, _silo.Platform.Sent.Count);
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM conversation_merges"));
        // A person who still has the other conversation open writes into the one that it became.
        var sent = await _silo.Conversation(New).Send(new SendMessage { MessageId = Guid.CreateVersion7(), Content = new OutgoingContent { Text = "I do" }, Actor = new Actor { OrganizationId = Organization } });
        Assert.Equal(CommandOutcome.Done, sent.Outcome);
        await Answers(3);
        Assert.Equal((New, "I do"), (_silo.Platform.Sent.Last().Recipient, _silo.Platform.Sent.Last().Content.Text));
    }

    [Fact]
    public async Task A_stranger_who_once_had_the_number_is_not_mixed_up_with_the_one_who_has_it_now()
    {
        var now = TimeProvider.System.GetUtcNow();
        await Say(New, "s", "I had this number a year ago");
        await Answers(1);
        await _database.ExecuteAsAdminAsync("UPDATE messages SET sent_at = sent_at - interval '1 year'");
        await Say(Old, "1", "Hello");
        await Move("m", Old, New, now);
        await Say(New, "2", "My new number");
        await Answers(3);
        Assert.Equal(2L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM conversations"));
        Assert.Equal("My new number", await Read($"SELECT m.text_content FROM messages m JOIN contacts k ON k.id = m.contact_id WHERE k.platform_user_id = '{New}' AND m.content_type = 'text' AND m.direction = 'inbound' ORDER BY m.sequence DESC LIMIT 1"));
        Assert.StartsWith($"former:{New}#", await Read("SELECT platform_user_id FROM contacts WHERE unreachable_reason IS NOT NULL"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_that_come_together_make_two_conversations_one()
    {
        await Say(Old, "1", "By number");
        await Say("KG.7", "2", "By id only");
        await Answers(2);
        await Receive("KG.7", ["KG.7", Old], [], Text("3", "By both"));
        await _silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", static sent => sent >= 3);
        Assert.Equal(1L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM conversations"));
        Assert.Equal(Old, _silo.Platform.Sent.Last().Recipient);
    }

    [Theory]
    [InlineData("UPDATE contacts SET name = 'Anna (VIP)'", "Anna (VIP)")]
    [InlineData("UPDATE contacts SET name = 'Anna (VIP)', platform_name = NULL", "Anna (VIP)")]
    [InlineData("UPDATE contacts SET name = NULL", "Ann the second")]
    [InlineData("SELECT 1", "Ann the second")]
    public async Task What_the_platform_calls_a_person_never_takes_the_place_of_what_people_do(string change, string name)
    {
        await Tell("1", "Ann");
        await _database.ExecuteAsAdminAsync(change);
        await Tell("2", "Ann the second");
        await _silo.Conversation(Old).Forget();
        await Tell("3", "Ann the second");
        Assert.Equal($"{name} / Ann the second", await Read("SELECT name || ' / ' || platform_name FROM contacts"));

        Task Tell(string id, string called) => _silo.Conversation(Old).Receive(Batch(Text(id)) with { Contact = new InboundContact { Identities = [Old], Name = called } });
    }

    [Fact]
    public async Task A_number_that_a_file_set_stays_until_the_number_itself_moves()
    {
        await Say(Old, "1", "Hello");
        await _database.ExecuteAsAdminAsync("UPDATE contacts SET phone = '+49301234567'");
        await _silo.Conversation(Old).Forget();
        await _silo.Conversation(Old).Receive(Batch(Text("2")) with { Contact = new InboundContact { Identities = [Old], Phone = "+" + Old } });
        Assert.Equal("+49301234567", await Read("SELECT phone FROM contacts"));
        await Move("m", Old, New);
        Assert.Equal("+" + New, await Read("SELECT phone FROM contacts"));
    }

    [Fact]
    public async Task News_of_a_message_that_never_came_makes_nobody_known()
    {
        var move = new InboundMessage { PlatformMessageId = "l", ContentType = ContentTypes.Location, IsUpdate = true };
        Assert.Equal(0, (await _silo.Conversation(Old).Receive(Batch(move) with { Contact = new InboundContact { Identities = [Old] } })).Stored);
        Assert.Equal(0L, await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM contacts"));
    }

    [Fact]
    public async Task A_merge_loses_nothing_that_comes_at_the_same_moment()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        await Say(Old, "old", "Hello");
        await Say(New, "new", "Hello");
        var tasks = Enumerable.Range(0, 40).Select(i => random.Next(3) switch
        {
            0 => Say(Old, $"o{i}", $"o{i}", TimeProvider.System.GetUtcNow().AddMinutes(-2)),
            1 => Say(New, $"n{i}", $"n{i}"),
            _ => Move($"m{i % 2}", Old, New),
        }).Append(Move("m", Old, New)).OrderBy(_ => random.Next()).ToArray();
        await Task.WhenAll(tasks);
        Assert.True(await _database.ScalarAsAdminAsync<long>("SELECT count(*) FROM conversations") == 1, $"seed {seed}");
        Assert.True(
            await _database.ScalarAsAdminAsync<bool>("SELECT count(*) = max(sequence) AND max(sequence) = (SELECT last_sequence FROM conversations) FROM messages"), $"seed {seed}");
    }

    private Task<ReceiveResult> Say(string name, string id, string text, DateTimeOffset? at = null) => Receive(name, [name], [], Text(id, text) with { PlatformTimestamp = at });

    private Task<ReceiveResult> Move(string id, string old, string next, DateTimeOffset? at = null) =>
        Receive(old, [old, next], [old], new InboundMessage { PlatformMessageId = id, ContentType = ContentTypes.System, PlatformTimestamp = at ?? TimeProvider.System.GetUtcNow().AddSeconds(-1) });

    private async Task<ReceiveResult> Receive(string key, ImmutableArray<string> names, ImmutableArray<string> givenUp, InboundMessage message)
    {
        var present = names.Except(givenUp).FirstOrDefault(static name => char.IsAsciiDigit(name[0]));
        var batch = Batch(message) with { Contact = new InboundContact { Identities = names, GivenUp = givenUp, Phone = present is null ? null : "+" + present } };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await _silo.Conversation(key).Receive(batch);
            }
            catch (StorageUnavailableException) when (attempt < 20)
            {
                // As the platform does: it was not acknowledged, so it comes again.
            }
        }
    }

    private Task<string> Read(string sql) => _database.ScalarAsAdminAsync<string>(sql)!;

    private async Task Answers(int count) => await _silo.Until<long>("SELECT count(*) FROM messages WHERE status = 'sent'", sent => sent == count);
}
