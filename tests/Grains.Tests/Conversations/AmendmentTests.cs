using AgentPlatform.Conversations;
using AgentPlatform.Fakes.Postgres;
using AgentPlatform.Grains.Tests.Hosting;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Conversations;

/// <summary>Messages whose content changes after they were said: edits, deletions, albums, locations that move, in any order.</summary>
public sealed class AmendmentTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private TestSilo _silo = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _silo = await TestSilo.Start(_database, static edit => edit.Settings = edit.Settings with { IsBotActive = false });
    }

    public async Task DisposeAsync()
    {
        await _silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task An_edited_message_holds_what_it_says_now_and_a_deleted_one_nothing()
    {
        await Receive(Text("a", "In May"), Text("b", "My card is 4242"), Text("c", "Bye"));
        await Receive(Edit("e", "a", "In June"), Revoke("r", "b"));
        Assert.Equal("In June e. | - .d | Bye ..", await Texts());
        Assert.Equal("Bye", await Preview());
        await Receive(Revoke("r2", "c"));
        Assert.Equal("[deleted]", await Preview());
        await Receive(Text("d", "Still there"));
        Assert.Equal("Still there", await Preview());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_edit_that_overtakes_its_message_holds(bool isForgotten)
    {
        await Receive(Text("first", "Hello"));
        await Receive(Edit("e", "a", "In June"), Revoke("r", "b"));
        if (isForgotten)
        {
            await _silo.Conversation("491700").Forget();
        }
        var before = TimeProvider.System.GetUtcNow().AddMinutes(-3);
        await Receive(Text("a", "In May") with { PlatformTimestamp = before }, Text("b", "secret") with { PlatformTimestamp = before });
        Assert.Equal("Hello .. | In June e. | - .d", await Texts());
    }

    [Fact]
    public async Task An_older_edit_changes_nothing_after_a_newer_one_and_a_deletion_is_final()
    {
        var now = TimeProvider.System.GetUtcNow();
        await Receive(Text("a", "one"), Text("b", "one"));
        await Receive(Edit("e3", "a", "three") with { PlatformTimestamp = now.AddMinutes(-2) });
        await Receive(Edit("e2", "a", "two") with { PlatformTimestamp = now.AddMinutes(-5) }, Revoke("r", "b"), Edit("e4", "b", "again"));
        Assert.Equal("three e. | - .d", await Texts());
    }

    [Fact]
    public async Task Parts_of_an_album_are_attached_once_in_their_order_however_often_they_come()
    {
        await Receive(Part("1"));
        await Receive(Part("2"), Part("3", "The lake"));
        await _silo.Conversation("491700").Forget();
        await Receive(Part("3", "The lake"), Part("1"), Part("4"));
        Assert.Equal("1 The lake 1,2,3,4", await _database.ScalarAsAdminAsync<string>("""
            SELECT (SELECT count(*) FROM messages) || ' ' || text_content || ' ' || (SELECT string_agg(p ->> 'platformMessageId', ',' ORDER BY n) FROM jsonb_array_elements(attachments) WITH ORDINALITY AS a (p, n)) FROM messages
            """));
        Assert.Equal("media:4", await _database.ScalarAsAdminAsync<string>("SELECT attachments -> 3 ->> 'url' FROM messages"));
        Assert.Equal("The lake", await Preview());
    }

    [Fact]
    public async Task A_location_that_moves_is_where_it_was_last()
    {
        await Receive(new InboundMessage { PlatformMessageId = "l", ContentType = ContentTypes.Location, Text = "1, 1", Payload = """{"latitude": 1, "longitude": 1}""" });
        await Receive(new InboundMessage { PlatformMessageId = "l", ContentType = ContentTypes.Location, Text = "2, 2", Payload = """{"latitude": 2, "longitude": 2}""", IsUpdate = true });
        Assert.Equal("2, 2 ..", await Texts());
        Assert.Equal(2, await _database.ScalarAsAdminAsync<int>("SELECT (payload ->> 'latitude')::int FROM messages"));
    }

    [Fact]
    public async Task Another_conversation_can_not_edit_a_message()
    {
        await Receive(Text("a", "In May"));
        await _silo.Conversation("491799").Receive(TestSilo.From("491799", Edit("e", "a", "Never said")));
        Assert.Equal("In May ..", await Texts());
    }

    private static InboundMessage Edit(string id, string target, string text) => new() { PlatformMessageId = id, ContentType = ContentTypes.Edit, Text = text, ReplyToPlatformId = target };

    private static InboundMessage Revoke(string id, string target) => new() { PlatformMessageId = id, ContentType = ContentTypes.Revoke, ReplyToPlatformId = target };

    private static InboundMessage Part(string id, string? text = null) => new()
    {
        PlatformMessageId = id,
        ContentType = ContentTypes.Image,
        Text = text,
        AttachmentUrl = "media:" + id,
        AttachmentMetadata = """{"mediaGroupId": "137"}""",
        AlbumId = "137",
    };

    private Task<ReceiveResult> Receive(params InboundMessage[] messages) => _silo.Conversation("491700").Receive(Batch([.. messages]));

    private Task<string> Texts() => _database.ScalarAsAdminAsync<string>("""
        SELECT string_agg(coalesce(text_content, '-') || ' ' || CASE WHEN edited_at IS NULL THEN '.' ELSE 'e' END || CASE WHEN deleted_at IS NULL THEN '.' ELSE 'd' END, ' | ' ORDER BY sequence)
        FROM messages WHERE content_type NOT IN ('edit', 'revoke')
        """)!;

    private Task<string> Preview() => _database.ScalarAsAdminAsync<string>("SELECT last_message_preview FROM contacts")!;
}
