using AgentPlatform.Api.Webhooks;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;

namespace AgentPlatform.Api.Tests.Webhooks;

/// <summary>A warning about a webhook names the channels and the messages that it concerns.</summary>
public sealed class WebhookLogTests
{
    [Fact]
    public void Events_are_described_by_channel_and_message()
    {
        var (one, other) = (Channel(), Channel());
        var events = new InboundEvents();
        events.Add(one, new PlatformContact(["996"]), Message("wamid.1"));
        events.Add(one, new PlatformContact(["996"]), Message("wamid.2"));
        events.Add(one, new DeliveryReceipt { PlatformMessageId = "wamid.3", Status = MessageStatus.Failed });
        events.Add(other, new PlatformContact(["996"]), Message("wamid.4"));

        Assert.Equal($"channel {one.Id}: wamid.1, wamid.2, Failed wamid.3; channel {other.Id}: wamid.4", events.Describe());
    }

    [Theory]
    [InlineData(0, "no message")]
    [InlineData(2, "m1, m2")]
    [InlineData(12, "m1, m2, m3, m4, m5, m6, m7, m8, m9, m10 and 2 more")]
    public void A_line_names_the_first_few(int count, string names) => Assert.Equal(names, WebhookLog.Names([.. Enumerable.Range(1, count).Select(number => $"m{number}")]));

    [Theory]
    [InlineData("a\nwarn: forged", "a?warn: forged")]
    [InlineData("a\u001b[2J", "a?[2J")]
    [InlineData("a\u0085b", "a?b")]
    public void A_platforms_id_breaks_no_line(string id, string shown) => Assert.Equal(shown, WebhookLog.Names([id]));

    private static ChannelSettings Channel() => new()
    {
        Id = Guid.NewGuid(),
        OrganizationId = Guid.NewGuid(),
        Platform = "whatsapp",
        Name = "Line",
        IsActive = true,
        IsBotActive = true,
        IsOrganizationAiEnabled = true,
        Credentials = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty,
    };

    private static InboundMessage Message(string id) => new() { PlatformMessageId = id, ContentType = ContentTypes.Text, Text = "x", PlatformTimestamp = DateTimeOffset.UnixEpoch };
}
