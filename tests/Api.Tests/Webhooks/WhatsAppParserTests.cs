using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Webhooks.WhatsApp;
using AgentPlatform.Conversations;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Api.Tests.Webhooks;

public sealed class WhatsAppParserTests
{
    private const string UserId = "US.13491208655302741918";

    public static TheoryData<string> AllSamples => [.. Samples.Names("whatsapp")];

    [Theory]
    [MemberData(nameof(AllSamples))]
    public void Every_documented_body_is_understood(string name)
    {
        var events = WhatsAppParser.Parse(Samples.WhatsApp(name));

        Assert.Equal(0, events.Unattributable);
        if (name is "webhook-value-error-130429")
        {
            Assert.Equal(0, events.Count);
            Assert.Equal(["130429"], events.PlatformErrors);
            return;
        }

        Assert.Equal(1, events.Count);
        Assert.NotNull(events[0].PhoneNumberId);
        if (events[0].Message is { } message)
        {
            Assert.NotEmpty(events[0].Contact.Identities);
            Assert.Equal(name is "in-unsupported" or "in-value-level-error", message.ContentType == ContentTypes.Unsupported);
            AssertIsObject(message.Payload);
            AssertIsObject(message.AttachmentMetadata);
        }
    }

    [Fact]
    public void A_text_message_names_its_writer_and_time()
    {
        var item = Single("in-text");

        Assert.Equal("106540352242922", item.PhoneNumberId);
        Assert.Equal(["16505551234"], item.Contact.Identities.ToArray());
        Assert.Equal("Sheena Nelson", item.Contact.Name);
        Assert.Equal("+16505551234", item.Contact.Phone);
        var message = item.Message!;
        Assert.Equal("wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=", message.PlatformMessageId);
        Assert.Equal(ContentTypes.Text, message.ContentType);
        Assert.Equal("Does it come in another color?", message.Text);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1749416383), message.PlatformTimestamp);
        Assert.Null(message.Payload);
    }

    [Fact]
    public void A_person_with_both_ids_is_known_by_the_business_scoped_one_first()
    {
        var item = Single("in-text-reply-context");

        Assert.Equal([UserId, "972987654321"], item.Contact.Identities.ToArray());
        Assert.Equal("wamid.xyzxyz==", item.Message!.ReplyToPlatformId);
        Assert.Null(item.Message.Payload);
    }

    [Fact]
    public void A_person_without_a_phone_number_is_known_by_the_business_scoped_id()
    {
        var item = Single("in-text-username-only-no-phone");

        Assert.Equal(["CO.1047385771169864"], item.Contact.Identities.ToArray());
        Assert.Equal("Julianzlc", item.Contact.Username);
        Assert.Null(item.Contact.Phone);
    }

    [Theory]
    [InlineData("in-image", "image", "media:1003383421387256", "Taj Mahal", "image/jpeg")]
    [InlineData("in-image-with-url", "image", "media:65463453", null, "image/jpeg")]
    [InlineData("in-audio-voice", "audio", "media:1234567890987654321", null, "audio/ogg; codecs=opus")]
    [InlineData("in-document", "document", "media:1234567890987654321", "caption", "application/pdf")]
    public void Media_is_kept_as_a_reference_with_what_is_known_of_it(string sample, string type, string url, string? text, string mimeType)
    {
        var message = Single(sample).Message!;

        Assert.Equal((type, url, text), (message.ContentType, message.AttachmentUrl, message.Text));
        var metadata = JsonNode.Parse(message.AttachmentMetadata!)!;
        Assert.Equal(mimeType, (string?)metadata["mimeType"]);
        Assert.Equal(url["media:".Length..], (string?)metadata["mediaId"]);
        Assert.NotNull((string?)metadata["sha256"]);
        Assert.Equal(sample == "in-audio-voice", (bool?)metadata["voice"] ?? false);
        Assert.Equal(sample == "in-document" ? "filename.pdf" : null, (string?)metadata["filename"]);
    }

    [Fact]
    public void A_location_reads_as_its_name_and_address()
    {
        var message = Single("in-location").Message!;

        Assert.Equal("Philz Coffee, 101 Forest Ave, Palo Alto, CA 94301", message.Text);
        Assert.Equal(37.44221496582, (double?)JsonNode.Parse(message.Payload!)!["latitude"]);
    }

    [Fact]
    public void Shared_contacts_read_as_names_and_numbers() =>
        Assert.StartsWith("Lucía Gómez, +1 (983) 555-2319", Single("in-contacts").Message!.Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("in-interactive-button-reply", "button_reply", "cancel-button", "Cancel")]
    [InlineData("in-interactive-list-reply", "list_reply", "priority_express", "Priority Mail Express")]
    [InlineData("in-template-button", "template_button", "Unsubscribe", "Unsubscribe")]
    public void A_choice_tells_its_id_and_reads_as_its_title(string sample, string type, string id, string title)
    {
        var message = Single(sample).Message!;

        Assert.Equal((ContentTypes.Interactive, title), (message.ContentType, message.Text));
        var payload = JsonNode.Parse(message.Payload!)!;
        Assert.Equal((type, id, title), ((string?)payload["type"], (string?)payload["id"], (string?)payload["title"]));
    }

    [Fact]
    public void A_reaction_points_to_its_message_and_asks_for_no_answer()
    {
        var message = Single("in-reaction").Message!;

        Assert.Equal((ContentTypes.Reaction, "👍"), (message.ContentType, message.Text));
        Assert.Equal("wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI0RTJEOTc2ODVERUY5RDlGNkYA", message.ReplyToPlatformId);
    }

    [Fact]
    public void A_removed_reaction_has_no_emoji()
    {
        var message = Single("in-reaction-removed").Message!;

        Assert.Null(message.Text);
        Assert.True((bool?)JsonNode.Parse(message.Payload!)!["removed"]);
    }

    [Fact]
    public void An_edit_and_a_revocation_point_to_the_message_that_they_change()
    {
        var edit = Single("in-edit").Message!;
        var revoke = Single("in-revoke").Message!;

        Assert.Equal((ContentTypes.Edit, "Updated image caption"), (edit.ContentType, edit.Text));
        Assert.Equal("wamid.HBgLMTQxMjU1NTA4MjkVAgASGBQzQUNCNjk5RDUwNUZGMUZEM0VBRAA=", edit.ReplyToPlatformId);
        Assert.Equal((ContentTypes.Revoke, "<ORIGINAL_WHATSAPP_MESSAGE_ID>"), (revoke.ContentType, revoke.ReplyToPlatformId));
    }

    [Fact]
    public void An_order_reads_as_its_items() => Assert.Equal("2 × di9ozbzfi4, 1 × nqryix03ez", Single("in-order").Message!.Text);

    [Fact]
    public void An_ad_that_a_message_came_from_is_kept()
    {
        var message = Single("in-text-ad-referral").Message!;

        Assert.Equal((ContentTypes.Text, "Hello! Can I get more info on this?"), (message.ContentType, message.Text));
        Assert.Equal("120226305854810726", (string?)JsonNode.Parse(message.Payload!)!["referral"]!["source_id"]);
    }

    [Fact]
    public void A_changed_number_joins_the_new_one_to_the_same_person()
    {
        var item = Single("in-system-number-changed");

        Assert.Equal(["16505551234", "12195555358"], item.Contact.Identities.ToArray());
        Assert.Equal("+12195555358", item.Contact.Phone);
        Assert.Equal(["16505551234"], item.Contact.GivenUp.ToArray());
        Assert.Equal(ContentTypes.System, item.Message!.ContentType);
    }

    [Theory]
    [InlineData("""{"type":"user_changed_number","new_wa_id":"19995550000","wa_id":"19995550000","user_id":"US.2"}""", new[] { "US.1", "16505551234" }, new[] { "19995550000", "US.2" })]
    [InlineData("""{"type":"user_changed_user_id","user_id":"US.2"}""", new[] { "US.1" }, new[] { "US.2" })]
    [InlineData("""{"type":"user_changed_number","wa_id":"16505551234"}""", new string[0], new string[0])]
    [InlineData("""{"type":"customer_identity_changed","wa_id":"19995550000"}""", new string[0], new string[0])]
    public void A_notice_tells_which_names_were_given_up_for_which(string notice, string[] givenUp, string[] added)
    {
        var body = WhatsAppBodies.Body(WhatsAppBodies.Change("1", "messages", value => value["messages"] = new JsonArray(JsonNode.Parse(
            $$"""{"from":"16505551234","from_user_id":"US.1","id":"wamid.n","timestamp":"1750269342","type":"system","system":{{notice}}}"""))));

        var contact = Single(WhatsAppParser.Parse(body)).Contact;

        Assert.Equal(["US.1", "16505551234", .. added], contact.Identities.ToArray());
        Assert.Equal(givenUp, contact.GivenUp.ToArray());
    }

    [Fact]
    public void What_is_written_in_a_group_is_the_groups_and_tells_who_wrote_it()
    {
        var message = WhatsAppBodies.TextMessage("16505551234", "wamid.g", "Hello all");
        message["group_id"] = "Y2FwaV9ncm91cDox";
        var body = WhatsAppBodies.Body(WhatsAppBodies.Change("1", "messages", value =>
        {
            value["contacts"] = new JsonArray(WhatsAppBodies.Contact("16505551234", "Ann"));
            value["messages"] = new JsonArray(message);
        }));

        var item = Single(WhatsAppParser.Parse(body));

        Assert.Equal(["group:Y2FwaV9ncm91cDox"], item.Contact.Identities.ToArray());
        Assert.Equal((true, null, null), (item.Contact.IsGroup, item.Contact.Name, item.Contact.Phone));
        Assert.Equal(("16505551234", "Ann"), ((string?)JsonNode.Parse(item.Message!.Payload!)!["from"]!["id"], (string?)JsonNode.Parse(item.Message.Payload!)!["from"]!["name"]));
    }

    [Fact]
    public void A_changed_business_scoped_id_joins_the_new_one_to_the_same_person()
    {
        var body = WhatsAppBodies.Body(WhatsAppBodies.Change("1", "user_id_update", value => value["user_id_update"] = new JsonArray(JsonNode.Parse(
            """{"wa_id":"16505551234","detail":"changed","user_id":{"previous":"US.1","current":"US.2"},"timestamp":"1750000000"}"""))));

        var item = Single(WhatsAppParser.Parse(body));

        Assert.Equal(["US.1", "US.2", "16505551234"], item.Contact.Identities.ToArray());
        Assert.Equal(["US.1"], item.Contact.GivenUp.ToArray());
        Assert.Equal(ContentTypes.System, item.Message!.ContentType);
    }

    [Fact]
    public void What_the_business_wrote_on_its_phone_is_an_echo_to_the_customer()
    {
        var item = Single("smb-message-echo");

        Assert.Equal(["<BSUID>", "<WHATSAPP_USER_PHONE_NUMBER>"], item.Contact.Identities.ToArray());
        Assert.Equal((true, false, "Test message"), (item.Message!.IsEcho, item.Message.IsAutomatic, item.Message.Text));
    }

    [Theory]
    [InlineData("status-sent", MessageStatus.Sent)]
    [InlineData("status-delivered", MessageStatus.Delivered)]
    [InlineData("status-read", MessageStatus.Read)]
    [InlineData("status-played", MessageStatus.Read)]
    [InlineData("status-failed", MessageStatus.Failed)]
    public void A_status_moves_our_message(string sample, MessageStatus status)
    {
        var item = Single(sample);

        Assert.Equal(("wamid.xyzxyz", status), (item.Receipt!.PlatformMessageId, item.Receipt.Status));
    }

    [Fact]
    public void A_failure_tells_the_code_and_the_reason()
    {
        var item = Single("status-failed-bsuid-no-phone");

        Assert.Equal("131026", item.Receipt!.ErrorCode);
        Assert.Equal("Message undeliverable: The recipient could not receive this message", item.Receipt.Error);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"recipient_id":"972987654321","recipient_user_id":"IL.77"}""")]
    [InlineData("""{"recipient_user_id":"IL.77"}""")]
    [InlineData("""{"message":{"recipient_id":"972987654321"}}""")]
    [InlineData("""{"recipient_id":7,"recipient_type":"group"}""")]
    [InlineData("""{"recipient_id":null,"recipient_user_id":{}}""")]
    public void A_status_is_read_whoever_it_names(string named)
    {
        var status = WhatsAppBodies.StatusOf("1", "wamid.1", "delivered");
        status.Remove("recipient_id");
        foreach (var (name, value) in JsonNode.Parse(named)!.AsObject())
        {
            status[name] = value?.DeepClone();
        }

        var events = WhatsAppParser.Parse(WhatsAppBodies.Body(WhatsAppBodies.Change("1", "messages", value => value["statuses"] = new JsonArray(status))));

        Assert.Equal(("1", "wamid.1", 0), (Single(events).PhoneNumberId, Single(events).Receipt!.PlatformMessageId, events.Unattributable));
    }

    [Fact]
    public void A_failure_tells_its_subcode()
    {
        var status = WhatsAppBodies.StatusOf("16505551234", "wamid.1", "failed", errorCode: 100);
        status["errors"]![0]!["error_subcode"] = 33;

        var receipt = Single(WhatsAppParser.Parse(WhatsAppBodies.Body(WhatsAppBodies.Change("1", "messages", value => value["statuses"] = new JsonArray(status))))).Receipt!;

        Assert.Equal(("100", "33"), (receipt.ErrorCode, receipt.ErrorSubcode));
    }

    [Fact]
    public void A_status_carries_our_own_id_back()
    {
        var messageId = Guid.NewGuid();
        Assert.Null(Single("status-sent-with-biz-opaque").Receipt!.MessageId); // "some data" is nobody's id
        Assert.Equal(messageId, Single(WhatsAppParser.Parse(WhatsAppBodies.Status("1", "16505551234", "wamid.1", "sent", messageId.ToString()))).Receipt!.MessageId);
    }

    [Fact]
    public void Contacts_without_any_are_nothing_that_was_said()
    {
        var message = WhatsAppBodies.TextMessage("16505551234", "wamid.1", "");
        message["type"] = "contacts";
        message.Remove("text");
        message["contacts"] = new JsonArray();

        Assert.Equal(ContentTypes.Unsupported, Single(WhatsAppParser.Parse(WhatsAppBodies.Messages("1", null, message))).Message!.ContentType);
    }

    [Fact]
    public void An_unknown_type_is_kept_with_its_raw_form()
    {
        var message = WhatsAppBodies.TextMessage("16505551234", "wamid.1", "");
        message["type"] = "hologram";
        message.Remove("text");
        message["hologram"] = new JsonObject { ["depth"] = 3 };

        var item = Single(WhatsAppParser.Parse(WhatsAppBodies.Messages("1", null, message)));

        Assert.Equal(ContentTypes.Unsupported, item.Message!.ContentType);
        Assert.Equal(3, (int?)JsonNode.Parse(item.Message.Payload!)!["raw"]!["hologram"]!["depth"]);
    }

    [Fact]
    public void An_odd_event_does_not_cost_the_others()
    {
        var odd = WhatsAppBodies.TextMessage("16505551234", "wamid.2", "");
        odd["text"] = 5;
        var nobody = WhatsAppBodies.TextMessage("", "wamid.3", "lost");
        nobody.Remove("from");
        var withoutId = WhatsAppBodies.TextMessage("16505551234", "", "no id");
        withoutId.Remove("id");

        var events = WhatsAppParser.Parse(WhatsAppBodies.Messages("1", null,
            WhatsAppBodies.TextMessage("16505551234", "wamid.1", "first"), odd, nobody, withoutId, WhatsAppBodies.TextMessage("16505551234", "wamid.4", "last")));

        Assert.Equal(["first", null, "no id", "last"], Enumerable.Range(0, events.Count).Select(i => events[i].Message!.Text));
        Assert.Equal(ContentTypes.Unsupported, events[1].Message!.ContentType);
        Assert.StartsWith("sha256:", events[2].Message!.PlatformMessageId, StringComparison.Ordinal);
        Assert.Equal(1, events.Unattributable);
    }

    [Fact]
    public void What_postgres_cannot_store_is_made_storable()
    {
        var body = Encoding.UTF8.GetBytes("""
            {"entry":[{"changes":[{"value":{"messages":[
            {"from":"1650\u00005551234","id":"a","type":"text","text":{"body":"x\u0000y \ud83d z \ud83d\ude00"}},
            {"from":"16505551234","id":"b","type":"odd\ud800","odd":{"k\u0000ey":"\udc00","n":1e999999,"m":-0.5e1,"i":12345678901234567890}}]}}]}]}
            """);

        var events = WhatsAppParser.Parse(body);

        Assert.Equal("xy \uFFFD z 😀", events[0].Message!.Text);
        Assert.Equal(["16505551234"], events[0].Contact.Identities.ToArray());
        var raw = JsonNode.Parse(events[1].Message!.Payload!)!["raw"]!;
        Assert.Equal("\uFFFD", (string?)raw["odd"]!["key"]);
        Assert.Equal("1e999999", (string?)raw["odd"]!["n"]);
        Assert.DoesNotContain("\\u0000", events[1].Message!.Payload, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_beyond_the_limit_are_cut_and_long_ids_replaced()
    {
        var events = WhatsAppParser.Parse(WhatsAppBodies.Messages("1", null,
            WhatsAppBodies.TextMessage("16505551234", new string('i', 3000), new string('t', 100_000)),
            WhatsAppBodies.TextMessage(new string('9', 300), "wamid.2", "who?")));

        Assert.Equal(1, events.Count);
        Assert.Equal(65_536, events[0].Message!.Text!.Length);
        Assert.StartsWith("sha256:", events[0].Message!.PlatformMessageId, StringComparison.Ordinal);
        Assert.Equal(1, events.Unattributable);
    }

    [Fact]
    public void Members_may_come_in_any_order()
    {
        var node = JsonNode.Parse(Samples.WhatsApp("in-text-reply-context"))!;

        var item = Single(WhatsAppParser.Parse(WhatsAppBodies.Serialize(Reverse(node))));

        Assert.Equal([UserId, "972987654321"], item.Contact.Identities.ToArray());
        Assert.Equal(("1122334455667", "replied text", "wamid.xyzxyz=="), (item.PhoneNumberId, item.Message!.Text, item.Message.ReplyToPlatformId));
    }

    [Fact]
    public void Two_people_in_one_change_are_not_confused()
    {
        var body = WhatsAppBodies.Body(WhatsAppBodies.Change("1", "messages", value =>
        {
            value["contacts"] = new JsonArray(WhatsAppBodies.Contact("111111", "One", "US.1"), WhatsAppBodies.Contact("222222", "Two", "US.2"));
            value["messages"] = new JsonArray(WhatsAppBodies.TextMessage("222222", "b", "from two"), WhatsAppBodies.TextMessage("111111", "a", "from one"), WhatsAppBodies.TextMessage("333333", "c", "from three"));
        }));

        var events = WhatsAppParser.Parse(body);

        Assert.Equal(["US.2", "222222"], events[0].Contact.Identities.ToArray());
        Assert.Equal(["US.1", "111111"], events[1].Contact.Identities.ToArray());
        Assert.Equal(["333333"], events[2].Contact.Identities.ToArray());
        Assert.Null(events[2].Contact.Name);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"entry":[]} x""")]
    [InlineData("""{"entry":[{"changes":[{"value":{"messages":[{"from":"1","id":"2","text":{"body":"cut of""")]
    public void A_body_that_is_not_json_is_refused(string body) => Assert.ThrowsAny<JsonException>(() => WhatsAppParser.Parse(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"entry":5}""")]
    public void A_body_that_is_no_webhook_is_refused(string body) => Assert.Throws<WhatsAppFormatException>(() => WhatsAppParser.Parse(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void A_body_nested_too_deeply_is_refused() => Assert.ThrowsAny<JsonException>(() =>
        WhatsAppParser.Parse(Encoding.UTF8.GetBytes($$"""{"entry":[{"changes":[{"value":{"x":{{new string('[', 100)}}{{new string(']', 100)}} } }]}]}""")));

    [Fact]
    public void Phone_numbers_are_found_without_parsing()
    {
        ReadOnlySpan<byte> body = """{"text":"\"phone_number_id\":\"fake\"", "phone_number_id" : "1", "phone_number_id":5, "phone_number_id":"2"}"""u8;
        var position = 0;

        Assert.Equal("1", WhatsAppNumbers.Next(body, ref position));
        Assert.Equal("2", WhatsAppNumbers.Next(body, ref position));
        Assert.Null(WhatsAppNumbers.Next(body, ref position));
    }

    private static JsonNode Reverse(JsonNode node) => node switch
    {
        JsonObject o => new JsonObject(o.Reverse().Select(member => KeyValuePair.Create(member.Key, member.Value is null ? null : Reverse(member.Value)))!),
        JsonArray a => new JsonArray([.. a.Select(item => Reverse(item!))]),
        _ => node.DeepClone(),
    };

    private static WhatsAppEvent Single(string sample) => Single(WhatsAppParser.Parse(Samples.WhatsApp(sample)));

    private static WhatsAppEvent Single(WhatsAppEvents events)
    {
        Assert.Equal(1, events.Count);
        return events[0];
    }

    private static void AssertIsObject(string? json)
    {
        if (json is not null)
        {
            Assert.IsType<JsonObject>(JsonNode.Parse(json));
        }
    }
}
