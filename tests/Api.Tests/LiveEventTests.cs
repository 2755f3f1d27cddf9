using System.Collections.Concurrent;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;
using Xunit.Abstractions;

namespace AgentPlatform.Api.Tests;

/// <summary>Without an engine there are no hints: the hub's own look, here every 50 ms, brings the news.</summary>
public sealed class QuickLookApp : ApiApp
{
    protected override Dictionary<string, string?> Settings() => new(base.Settings())
    {
        ["API_HEARTBEAT_SECONDS"] = "0.05",
        ["API_STREAMS_PER_SESSION"] = $"{StreamsPerSession}",
    };

    public const int StreamsPerSession = 30;
}

public sealed class LiveEventTests(QuickLookApp app, ITestOutputHelper output) : IClassFixture<QuickLookApp>
{
    [Fact]
    public async Task A_view_hears_of_new_and_changed_messages_and_of_nothing_else()
    {
        var (organization, other) = (await app.NewOrganization(), await app.NewOrganization());
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001", "before");
        var foreign = await SeededConversation.Create(other, "Boris", "+15550000002", "before");
        using var events = await EventReader.Open(organization.Owner);
        Assert.Equal("ready", (await events.Next())!.Type);

        await foreign.Add(other, 2, "secret");
        var id = await conversation.Add(organization, 2, "Hello");
        var created = await NextOf(id);
        Assert.Equal(("message.created", id, "Hello"), (created.Type, created.Data.Id(), created.Data.Text("textContent")));

        await organization.Execute("UPDATE messages SET status = 'read', changed_in = pg_current_xact_id() WHERE id = $1", id);
        var updated = await NextOf(id);
        Assert.Equal(("message.updated", id, "read"), (updated.Type, updated.Data.Id(), updated.Data.Text("status")));

        await organization.Execute("UPDATE conversations SET status = 'escalated', changed_in = pg_current_xact_id() WHERE id = $1", conversation.Id);
        ServerEvent changed;
        do
        {
            changed = await NextOf(conversation.Id);
        }
        while (changed.Data.Text("status") != "escalated");
        Assert.Equal("conversation.updated", changed.Type);

        // What was written just before the view opened may come too, as long as an older transaction was under way; another organization's never.
        async Task<ServerEvent> NextOf(Guid wanted)
        {
            while (true)
            {
                var next = (await events.Next())!;
                Assert.DoesNotContain(foreign.Id.ToString(), next.Data.ToJsonString(), StringComparison.Ordinal);
                if (next.Data.Id() == wanted)
                {
                    return next;
                }
            }
        }
    }

    [Fact]
    public async Task A_view_that_comes_back_goes_on_where_it_was()
    {
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001");
        string last;
        using (var events = await EventReader.Open(organization.Owner))
        {
            await conversation.Add(organization, 1, "one");
            last = (await events.Next("message.created")).Id;
        }
        await conversation.Add(organization, 2, "two");
        await conversation.Add(organization, 3, "three");
        using var again = await EventReader.Open(organization.Owner, lastEventId: last);
        Assert.Equal("two", (await again.Next("message.created")).Data.Text("textContent"));
        Assert.Equal("three", (await again.Next("message.created")).Data.Text("textContent"));
        using var byQuery = await EventReader.Open(organization.Owner, $"/v1/events?lastEventId={last}");
        Assert.Equal("two", (await byQuery.Next("message.created")).Data.Text("textContent"));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("18446744073709551615.1.0196f1c07d007c3e9a555f0c1b2a3d4e")]
    public async Task An_id_that_is_not_known_here_says_so(string id)
    {
        var organization = await app.NewOrganization();
        using var events = await EventReader.Open(organization.Owner, lastEventId: id);
        Assert.Equal("reset", (await events.Next())!.Type);
    }

    [Fact]
    public async Task Views_that_come_and_go_miss_nothing_while_transactions_end_in_any_order()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001");
        string start;
        using (var events = await EventReader.Open(organization.Owner))
        {
            start = (await events.Next())!.Id;
        }
        const int writers = 5, messages = 40;
        var sequence = 0L;
        var written = new ConcurrentBag<Guid>();
        var writing = Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(seed + writer);
            for (var count = 0; count < messages; count++)
            {
                written.Add(await WriteSlowly(organization, conversation, Interlocked.Increment(ref sequence), random));
            }
        })));

        var reading = Task.WhenAll(Enumerable.Range(0, 3).Select(view => Task.Run(async () =>
        {
            var random = new Random(seed - view - 1);
            var client = await organization.Member(Role.Viewer);
            var seen = new HashSet<Guid>();
            var position = start;
            while (seen.Count < writers * messages)
            {
                using var events = await EventReader.Open(client, lastEventId: position);
                for (var left = random.Next(1, 60); left > 0 && seen.Count < writers * messages; left--)
                {
                    var next = await events.Next("message.created");
                    Assert.True(seen.Add(next.Data.Id()), $"Message {next.Data.Id()} came twice to view {view}.");
                    position = next.Id;
                }
            }
            return seen;
        })));
        await writing;
        foreach (var seen in await reading)
        {
            Assert.Equal(written.Order(), seen.Order());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Long_transactions_that_write_nothing_live_hold_nobody_up(bool isElsewhere)
    {
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001");
        var place = new NpgsqlConnectionStringBuilder(app.Database.AdminConnectionString) { Pooling = false };
        place.Database = isElsewhere ? "postgres" : place.Database;
        await using var connection = new NpgsqlConnection(place.ConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand(isElsewhere ? "SELECT pg_current_xact_id()" : "SELECT pg_current_xact_id() FROM tell_nothing_live()", connection, transaction))
        {
            await write.ExecuteNonQueryAsync();
        }
        using var events = await EventReader.Open(organization.Owner);
        var id = await conversation.Add(organization, 1, "meanwhile");
        var seen = await events.Next("message.created");
        Assert.Equal(id, seen.Data.Id());
        using var again = await EventReader.Open(organization.Owner, lastEventId: seen.Id);
        Assert.Equal("ready", (await again.Next())!.Type);
        var next = await conversation.Add(organization, 2, "still meanwhile");
        Assert.Equal(next, (await again.Next("message.created")).Data.Id());
        await transaction.RollbackAsync();
    }

    [Fact]
    public async Task A_transaction_that_may_write_something_live_is_waited_for()
    {
        var organization = await app.NewOrganization();
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000001");
        using var events = await EventReader.Open(organization.Owner);
        await events.Next();
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Execute("SELECT pg_current_xact_id()");
        var first = await conversation.Add(organization, 1, "first");
        await Execute($"UPDATE messages SET status = 'read', changed_in = pg_current_xact_id() WHERE id = '{first}'");
        var second = await conversation.Add(organization, 2, "second");
        await transaction.CommitAsync();
        var read = await events.Next("message.created");
        Assert.Equal((first, "read"), (read.Data.Id(), read.Data.Text("status")));
        Assert.Equal(second, (await events.Next("message.created")).Data.Id());

        async Task Execute(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task A_silent_view_gets_signs_of_life_and_ends_with_its_session()
    {
        var organization = await app.NewOrganization();
        var (id, email) = await organization.AddUser(Role.Member);
        var client = await organization.SignIn(email);
        using var events = await EventReader.Open(client);
        await events.Next();
        await events.NextComment();
        await organization.Execute("UPDATE organization_members SET status = 'suspended' WHERE user_id = $1", id);
        Assert.Equal("ended", (await events.Next())!.Type);
        Assert.Null(await events.Next());
    }

    [Fact]
    public async Task Of_too_many_views_of_a_session_the_oldest_ends()
    {
        var organization = await app.NewOrganization();
        var open = new List<EventReader>();
        for (var count = 0; count < QuickLookApp.StreamsPerSession; count++)
        {
            open.Add(await EventReader.Open(organization.Owner));
        }
        foreach (var events in open)
        {
            Assert.Equal("ready", (await events.Next())!.Type);
        }

        open.Add(await EventReader.Open(organization.Owner));

        Assert.Equal("replaced", (await open[0].Next())!.Type);
        Assert.Null(await open[0].Next());
        Assert.Equal("ready", (await open[^1].Next())!.Type);
        var conversation = await SeededConversation.Create(organization, "Anna", "+15550000009", "before");
        foreach (var events in open.Skip(1))
        {
            while ((await events.Next())!.Data["id"]?.ToString() != conversation.Id.ToString())
            {
            }
        }
        open.ForEach(events => events.Dispose());
    }

    /// <summary>A transaction that begins, takes its id, dawdles, and ends.</summary>
    private async Task<Guid> WriteSlowly(TestOrganization organization, SeededConversation conversation, long sequence, Random random)
    {
        var id = Guid.CreateVersion7();
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content)
            VALUES ($1, $2, $3, $4, $5, $6, 'inbound', 'user', 'received', 'x')
            """, connection, transaction)
        {
            Parameters =
            {
                new() { Value = id }, new() { Value = organization.Id }, new() { Value = conversation.Id }, new() { Value = conversation.ChannelId },
                new() { Value = conversation.ContactId }, new() { Value = sequence },
            },
        };
        await insert.ExecuteNonQueryAsync();
        await using var dawdle = new NpgsqlCommand("SELECT pg_sleep($1)", connection, transaction) { Parameters = { new() { Value = random.NextDouble() * 0.03 } } };
        await dawdle.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return id;
    }
}
