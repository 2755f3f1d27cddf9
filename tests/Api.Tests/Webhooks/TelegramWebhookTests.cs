using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Webhooks.Telegram;
using AgentPlatform.Conversations;
using AgentPlatform.Fakes.Telegram;

namespace AgentPlatform.Api.Tests.Webhooks;

public sealed class TelegramWebhookTests : IAsyncLifetime
{
    private WebhookHost _host = null!;

    public async Task InitializeAsync() => _host = await WebhookHost.Start();

    public async Task DisposeAsync()
    {
        _host.AssertQuiet();
        await _host.DisposeAsync();
    }

    public static TheoryData<string> AllSamples => [.. Samples.Names("telegram").Where(name => name.StartsWith("update", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(AllSamples))]
    public void Every_documented_update_is_understood(string name)
    {
        var update = Read(Samples.Telegram(name));

        if (name == "update-inline-query")
        {
            Assert.Empty(update.Messages); // concerns no conversation
            return;
        }

        var message = Assert.Single(update.Messages);
        Assert.NotEqual(ContentTypes.Unsupported, message.ContentType);
        Assert.Equal(["1111111"], update.Contact.Identities.ToArray());
        Assert.Equal("Test Firstname Test Lastname", update.Contact.Name);
        Assert.Equal("Testusername", update.Contact.Username);
    }

    [Fact]
    public async Task A_message_reaches_the_conversation_of_its_chat()
    {
        var channel = _host.AddTelegram();

        using var answer = await Deliver(channel.Id, Samples.Telegram("update-message-reply"));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var (key, batch) = Assert.Single(_host.Batches);
        Assert.Equal($"{channel.Id:N}/1111111", key);
        var message = Assert.Single(batch.Messages);
        Assert.Equal(("1111111:1365", "/start", "1111111:1334"), (message.PlatformMessageId, message.Text, message.ReplyToPlatformId));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1441645532), message.PlatformTimestamp);
    }

    [Fact]
    public async Task Nothing_without_the_channels_secret_token_is_stored()
    {
        var channel = _host.AddTelegram();
        var without = _host.AddTelegram(secretToken: null);
        var inactive = _host.AddTelegram(isActive: false);
        var update = TelegramPlatform.TextUpdate(1, 5, 1, "hello");

        await WhatsAppWebhookTests.AssertRefused(await Deliver(channel.Id, update, null), HttpStatusCode.Unauthorized, "webhook-not-authentic");
        await WhatsAppWebhookTests.AssertRefused(await Deliver(channel.Id, update, "secret-toke"), HttpStatusCode.Unauthorized, "webhook-not-authentic");
        await WhatsAppWebhookTests.AssertRefused(await Deliver(without.Id, update, ""), HttpStatusCode.Forbidden, "webhook-without-secret");
        await WhatsAppWebhookTests.AssertRefused(await Deliver(inactive.Id, update), HttpStatusCode.Forbidden, "channel-inactive");
        await WhatsAppWebhookTests.AssertRefused(await Deliver(Guid.NewGuid(), update), HttpStatusCode.NotFound, "not-found");
        await WhatsAppWebhookTests.AssertRefused(await Deliver(_host.AddWhatsApp("1").Id, update), HttpStatusCode.NotFound, "not-found");
        Assert.Empty(_host.Batches);
    }

    [Theory]
    [InlineData("update-message-voice", "audio", "voice")]
    [InlineData("update-message-audio", "audio", null)]
    [InlineData("update-message-document", "document", null)]
    public void Media_is_kept_as_a_reference_with_what_is_known_of_it(string sample, string type, string? flag)
    {
        var message = Assert.Single(Read(Samples.Telegram(sample)).Messages);

        Assert.Equal((type, "media:AwADBAADbXXXXXXXXXXXGBdhD2l6_XX"), (message.ContentType, message.AttachmentUrl));
        var metadata = JsonNode.Parse(message.AttachmentMetadata!)!;
        Assert.NotNull((long?)metadata["size"]);
        Assert.Equal(flag is not null, (bool?)metadata["voice"] ?? false);
    }

    [Fact]
    public void Of_a_photo_the_largest_size_is_kept_and_an_album_stays_recognizable()
    {
        var photo = JsonNode.Parse(Samples.Telegram("message-photo"))!;
        photo["media_group_id"] = "777";
        photo["caption"] = "Look";

        var message = Assert.Single(Read(new JsonObject { ["update_id"] = 1, ["message"] = photo }.ToJsonString()).Messages);

        Assert.Equal((ContentTypes.Image, "Look", "1234567:1234"), (message.ContentType, message.Text, message.PlatformMessageId));
        var metadata = JsonNode.Parse(message.AttachmentMetadata!)!;
        Assert.Equal((1280, "777"), ((int)metadata["width"]!, (string?)metadata["mediaGroupId"]));
    }

    [Fact]
    public void An_edit_is_an_event_of_its_own_that_points_to_its_message()
    {
        var message = Assert.Single(Read(Samples.Telegram("update-edited-message")).Messages);

        Assert.Equal((ContentTypes.Edit, "Edited text", "1111111:1365"), (message.ContentType, message.Text, message.ReplyToPlatformId));
        Assert.NotEqual("1111111:1365", message.PlatformMessageId);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1441646600), message.PlatformTimestamp);
    }

    [Fact]
    public async Task A_pressed_button_reads_as_its_title_and_is_answered_at_once()
    {
        var channel = _host.AddTelegram();
        const string update = """
            {"update_id":7,"callback_query":{"id":"42","from":{"id":5,"is_bot":false,"first_name":"Ann"},"data":"yes-id",
            "message":{"message_id":9,"date":1,"chat":{"id":5,"type":"private","first_name":"Ann"},"from":{"id":1,"is_bot":true,"first_name":"Bot"},"text":"Sure?",
            "reply_markup":{"inline_keyboard":[[{"text":"No","callback_data":"no-id"}],[{"text":"Yes","callback_data":"yes-id"}]]}}}}
            """;

        using var answer = await Deliver(channel.Id, update);

        var call = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(("answerCallbackQuery", "42"), ((string?)call["method"], (string?)call["callback_query_id"]));
        var message = Assert.Single(Assert.Single(_host.Batches).Batch.Messages);
        Assert.Equal((ContentTypes.Interactive, "Yes", "5:9"), (message.ContentType, message.Text, message.ReplyToPlatformId));
        Assert.Equal("yes-id", (string?)JsonNode.Parse(message.Payload!)!["id"]);
    }

    [Fact]
    public void A_person_who_blocks_the_bot_is_unreachable_until_they_unblock_it()
    {
        static string Member(string status) => $$$"""
            {"update_id":1,"my_chat_member":{"chat":{"id":5,"type":"private","first_name":"Ann"},"from":{"id":5,"is_bot":false,"first_name":"Ann"},"date":1,
            "old_chat_member":{"status":"member"},"new_chat_member":{"status":"{{{status}}}"} } }
            """;

        Assert.False(Read(Member("kicked")).Contact.IsReachable);
        Assert.True(Read(Member("member")).Contact.IsReachable);
        Assert.Equal(ContentTypes.System, Assert.Single(Read(Member("kicked")).Messages).ContentType);
    }

    [Fact]
    public void Bots_are_kept_and_not_answered() =>
        Assert.True(Assert.Single(Read("""{"update_id":1,"message":{"message_id":1,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":9,"is_bot":true,"first_name":"Bot"},"text":"hi"}}""").Messages).IsSilent);

    [Fact]
    public void A_topic_of_a_forum_is_a_conversation_of_its_own()
    {
        var update = Read("""
            {"update_id":1,"message":{"message_id":2,"message_thread_id":77,"is_topic_message":true,"date":1,
            "chat":{"id":-1001234567890,"type":"supergroup","title":"Support","is_forum":true},"from":{"id":5,"is_bot":false,"first_name":"Ann"},"text":"hi"}}
            """);

        Assert.Equal(["-1001234567890:77"], update.Contact.Identities.ToArray());
        Assert.Equal("Support", update.Contact.Name);
        Assert.Equal("Ann", (string?)JsonNode.Parse(Assert.Single(update.Messages).Payload!)!["from"]!["firstName"]);
    }

    [Fact]
    public void In_a_business_chat_the_owners_words_are_echoes()
    {
        static string Business(long from) => $$$"""
            {"update_id":1,"business_message":{"business_connection_id":"conn","message_id":2,"date":1,"chat":{"id":5,"type":"private","first_name":"Ann"},
            "from":{"id":{{{from}}},"is_bot":false,"first_name":"X"},"text":"hi"}}
            """;

        Assert.Equal(["5@conn"], Read(Business(5)).Contact.Identities.ToArray());
        Assert.False(Assert.Single(Read(Business(5)).Messages).IsEcho);
        Assert.True(Assert.Single(Read(Business(6)).Messages).IsEcho);
        Assert.False(Assert.Single(Read(Business(6)).Messages).IsAutomatic);
    }

    [Theory]
    [InlineData(""" "from":{"id":6,"is_bot":false},"is_from_offline":true """)]
    [InlineData(""" "from":{"id":6,"is_bot":false},"sender_business_bot":{"id":8,"is_bot":true} """)]
    [InlineData(""" "from":{"id":8,"is_bot":true},"sender_business_bot":{"id":8,"is_bot":true} """)]
    public void An_away_message_and_what_a_bot_sends_for_the_owner_are_no_persons(string who)
    {
        var message = Assert.Single(Read($$$"""{"update_id":1,"business_message":{"business_connection_id":"conn","message_id":2,"date":1,"chat":{"id":5,"type":"private"},"text":"hi",{{{who}}} } }""").Messages);

        Assert.Equal((true, true), (message.IsEcho, message.IsAutomatic));
    }

    [Theory]
    [InlineData(""" "from":{"id":1087968824,"is_bot":true,"username":"GroupAnonymousBot"},"sender_chat":{"id":-100,"type":"supergroup","title":"G"} """, false)]
    [InlineData(""" "from":{"id":136817688,"is_bot":true,"username":"Channel_Bot"},"sender_chat":{"id":-9,"type":"channel","title":"Ann's blog"} """, false)]
    [InlineData(""" "from":{"id":5,"is_bot":false,"first_name":"Ann"},"via_bot":{"id":8,"is_bot":true,"username":"gif"} """, false)]
    [InlineData(""" "sender_chat":{"id":-9,"type":"channel","title":"News"} """, false)]
    [InlineData(""" "from":{"id":777000,"is_bot":false},"sender_chat":{"id":-9,"type":"channel","title":"News"},"is_automatic_forward":true """, true)]
    [InlineData(""" "from":{"id":99,"is_bot":true,"first_name":"Another bot"} """, true)]
    public void Whoever_writes_under_a_stand_ins_name_is_somebody_and_a_forwarded_post_is_nobody(string who, bool isSilent)
    {
        var update = Read($$$"""{"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":-100,"type":"supergroup","title":"G"},"text":"hi",{{{who}}} } }""");

        Assert.Equal((isSilent, false, true), (Assert.Single(update.Messages).IsSilent, update.Messages[0].IsEcho, update.Contact.IsGroup));
    }

    [Fact]
    public void Numbers_of_messages_belong_to_a_chat_and_an_account_in_every_kind_of_update()
    {
        static string Id(string update) => Assert.Single(Read(update).Messages) is { ReplyToPlatformId: { } target } message && message.ContentType != ContentTypes.Text ? target : Read(update).Messages[0].PlatformMessageId;
        const string Chat = """ "chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false} """;

        Assert.Equal("5:41", Id($$$"""{"update_id":1,"message":{"message_id":41,"date":1,"text":"a",{{{Chat}}} } }"""));
        Assert.Equal("5:41@A", Id($$$"""{"update_id":1,"business_message":{"business_connection_id":"A","message_id":41,"date":1,"text":"a",{{{Chat}}} } }"""));
        Assert.Equal("5:41@B", Id($$$"""{"update_id":1,"edited_business_message":{"business_connection_id":"B","message_id":41,"date":1,"edit_date":2,"text":"a",{{{Chat}}} } }"""));
        Assert.Equal("5:41@B", Id("""{"update_id":1,"deleted_business_messages":{"business_connection_id":"B","chat":{"id":5,"type":"private"},"message_ids":[41]} }"""));
        Assert.Equal("5:40@A", Read($$$"""{"update_id":1,"business_message":{"business_connection_id":"A","message_id":41,"date":1,"text":"a",{{{Chat}}},"reply_to_message":{"message_id":40,"date":1} } }""").Messages[0].ReplyToPlatformId);
        Assert.Equal("5:9@A", Id($$$"""{"update_id":1,"callback_query":{"id":"7","from":{"id":5,"is_bot":false},"data":"x","message":{"business_connection_id":"A","message_id":9,"date":1,{{{Chat}}} } } }"""));
    }

    [Fact]
    public void What_is_written_in_a_topic_answers_no_message()
    {
        static string? ReplyTo(long target) => Assert.Single(Read($$$"""
            {"update_id":1,"message":{"message_id":90,"message_thread_id":77,"is_topic_message":true,"date":1,"chat":{"id":-100,"type":"supergroup","title":"S"},"from":{"id":5,"is_bot":false},
            "text":"hi","reply_to_message":{"message_id":{{{target}}},"date":1} } }
            """).Messages).ReplyToPlatformId;

        Assert.Null(ReplyTo(77));
        Assert.Equal("-100:80", ReplyTo(80));
    }

    [Theory]
    [InlineData("new_chat_title")]
    [InlineData("pinned_message")]
    [InlineData("gift_of_next_year")]
    public void Notices_are_kept_and_say_nothing(string notice)
    {
        var message = Assert.Single(Read($$$"""{"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":-5,"type":"group","title":"G"},"from":{"id":7,"is_bot":false},"{{{notice}}}":{"a":1} } }""").Messages);

        Assert.False(ContentTypes.IsSaid(message.ContentType));
        Assert.Equal(1, (int?)JsonNode.Parse(message.Payload!)!["raw"]![notice]!["a"]);
    }

    [Theory]
    [InlineData(""" "poll":{"question":"Which day?","options":[{"text":"Monday"},{"text":"Friday"}]} """, "Which day?\n- Monday\n- Friday")]
    [InlineData(""" "dice":{"emoji":"🎲","value":4} """, "🎲 4")]
    [InlineData(""" "checklist":{"title":"To bring","tasks":[{"id":1,"text":"Boots"}]} """, "To bring\n- Boots")]
    public void What_a_person_sends_in_other_forms_is_said(string content, string text)
    {
        var message = Assert.Single(Read($$$"""{"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false},{{{content}}} } }""").Messages);

        Assert.Equal((ContentTypes.Text, text), (message.ContentType, message.Text));
    }

    [Fact]
    public void A_location_that_moves_is_the_message_that_it_was()
    {
        var update = Read("""
            {"update_id":1,"edited_message":{"message_id":2,"date":1,"edit_date":9,"chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false},"location":{"latitude":1.5,"longitude":2.5,"live_period":900} } }
            """);

        var message = Assert.Single(update.Messages);
        Assert.Equal((true, "5:2", ContentTypes.Location), (message.IsUpdate, message.PlatformMessageId, message.ContentType));
    }

    [Fact]
    public void A_group_that_becomes_a_supergroup_stays_the_same_conversation()
    {
        var update = Read("""{"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":-5,"type":"group","title":"G"},"from":{"id":7,"is_bot":false,"first_name":"A"},"migrate_to_chat_id":-1005}}""");

        Assert.Equal(["-5", "-1005"], update.Contact.Identities.ToArray());
        Assert.Equal(["-5"], update.Contact.GivenUp.ToArray());
        Assert.Equal(ContentTypes.System, Assert.Single(update.Messages).ContentType);

        var told = Read("""{"update_id":2,"message":{"message_id":1,"date":1,"chat":{"id":-1005,"type":"supergroup","title":"G"},"from":{"id":7,"is_bot":false,"first_name":"A"},"migrate_from_chat_id":-5}}""");
        Assert.Equal(update.Contact.Identities.ToArray(), told.Contact.Identities.ToArray());
        Assert.Equal(update.Contact.GivenUp.ToArray(), told.Contact.GivenUp.ToArray());
    }

    [Fact]
    public void An_own_phone_number_that_is_shared_is_the_contacts_number()
    {
        static string Card(long userId) => $$$"""
            {"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":5,"type":"private","first_name":"Ann"},"from":{"id":5,"is_bot":false,"first_name":"Ann"},
            "contact":{"phone_number":"49 170 1234567","first_name":"Ann","user_id":{{{userId}}} } } }
            """;

        Assert.Equal("+491701234567", Read(Card(5)).Contact.Phone);
        Assert.Null(Read(Card(6)).Contact.Phone);
    }

    [Fact]
    public void A_caption_under_an_unknown_kind_is_what_the_person_said()
    {
        var message = Assert.Single(Read("""{"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false,"first_name":"A"},"hologram":{"id":7},"caption":"How much is it?"}}""").Messages);

        Assert.Equal((ContentTypes.Text, "How much is it?"), (message.ContentType, message.Text));
        Assert.Equal(7, (int?)JsonNode.Parse(message.Payload!)!["raw"]!["hologram"]!["id"]);
    }

    [Fact]
    public void A_reaction_of_somebody_who_stays_unnamed_is_kept()
    {
        var message = Assert.Single(Read("""
            {"update_id":1,"message_reaction":{"chat":{"id":-100,"type":"supergroup","title":"Support"},"message_id":2,"date":1,"actor_chat":{"id":-100,"type":"supergroup","title":"Support"},
            "old_reaction":[],"new_reaction":[{"type":"emoji","emoji":"👍"}]}}
            """).Messages);

        Assert.Equal((ContentTypes.Reaction, "👍", "-100:2"), (message.ContentType, message.Text, message.ReplyToPlatformId));
    }

    [Fact]
    public void An_unknown_kind_of_message_is_kept_with_its_raw_form()
    {
        var message = Assert.Single(Read("""{"update_id":1,"message":{"message_id":2,"date":1,"chat":{"id":5,"type":"private"},"from":{"id":5,"is_bot":false,"first_name":"A"},"story":{"id":7}}}""").Messages);

        Assert.Equal(ContentTypes.Unsupported, message.ContentType);
        Assert.Equal(7, (int?)JsonNode.Parse(message.Payload!)!["raw"]!["story"]!["id"]);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"update_id":1,"message":5}""")]
    [InlineData("""{"update_id":1,"message":{"chat":{"id":"x"}}}""")]
    [InlineData("""{"update_id":1,"something_new":{"a":1}}""")]
    public async Task Odd_but_authentic_updates_are_taken_so_that_the_chat_goes_on(string update)
    {
        using var answer = await Deliver(_host.AddTelegram().Id, update);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(_host.Batches);
    }

    [Theory]
    [InlineData("")]
    [InlineData("hello")]
    [InlineData("""{"update_id":1,"message":{"text":"cut""")]
    public async Task What_is_not_json_is_refused(string update) =>
        await WhatsAppWebhookTests.AssertRefused(await Deliver(_host.AddTelegram().Id, update), HttpStatusCode.BadRequest, "malformed-body");

    [Fact]
    public async Task While_the_storage_is_away_the_platform_is_told_to_come_again()
    {
        var channel = _host.AddTelegram();
        _host.OnReceive = _ => throw new StorageUnavailableException("away");

        await WhatsAppWebhookTests.AssertRefused(await Deliver(channel.Id, TelegramPlatform.TextUpdate(1, 5, 1, "hello")), HttpStatusCode.ServiceUnavailable, "unavailable");
    }

    [Fact]
    public async Task Whatever_is_authentic_is_answered_200_or_400_and_leaves_only_storable_texts()
    {
        var channel = _host.AddTelegram();
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var samples = Samples.Names("telegram").Select(Samples.Telegram)
            .Select(sample => sample.Contains("update_id", StringComparison.Ordinal) ? sample : $$"""{"update_id":1,"message":{{sample}}}""").Select(Encoding.UTF8.GetBytes).ToArray();
        for (var i = 0; i < 800; i++)
        {
            var body = Mutation.Of(samples[random.Next(samples.Length)], random);
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/webhooks/telegram/{channel.Id}") { Content = new ByteArrayContent(body) };
            request.Headers.Add(TelegramPlatform.SecretHeader, "secret-token");
            using var answer = await _host.Client.SendAsync(request);
            Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.BadRequest, $"Seed {seed}, round {i}: {answer.StatusCode} for {Convert.ToBase64String(body)}");
        }

        Assert.All(_host.Messages, message => Assert.True(Mutation.IsStorable(message.Text ?? "") && Mutation.IsStorable(message.Payload ?? ""), $"Seed {seed}"));
    }

    private static TelegramUpdate Read(string update)
    {
        using var document = JsonDocument.Parse(update);
        return TelegramUpdate.Read(document.RootElement);
    }

    private async Task<HttpResponseMessage> Deliver(Guid channelId, string update, string? secret = "secret-token")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/webhooks/telegram/{channelId}") { Content = new StringContent(update, Encoding.UTF8, "application/json") };
        if (secret is not null)
        {
            request.Headers.Add(TelegramPlatform.SecretHeader, secret);
        }

        return await _host.Client.SendAsync(request);
    }
}
