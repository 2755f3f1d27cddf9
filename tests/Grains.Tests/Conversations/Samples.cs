using System.Collections.Immutable;
using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Grains.Conversations;

namespace AgentPlatform.Grains.Tests.Conversations;

/// <summary>A conversation, a channel and messages to decide about.</summary>
internal static class Samples
{
    public static readonly Guid Organization = Guid.Parse("00000000-0000-0000-0000-00000000000a");
    public static readonly Guid Channel = Guid.Parse("00000000-0000-0000-0000-00000000000c");
    public static readonly Guid Agent = Guid.Parse("00000000-0000-0000-0000-0000000000aa");
    public static readonly Guid Instance = Guid.Parse("00000000-0000-0000-0000-0000000000ee");
    public static readonly DateTimeOffset Now = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    public static ConversationState Conversation => new()
    {
        Id = Guid.Parse("00000000-0000-0000-0000-000000000001"),
        OrganizationId = Organization,
        ChannelId = Channel,
        ContactId = Guid.Parse("00000000-0000-0000-0000-000000000002"),
        FirstIdentity = "491700",
        Identities = ["491700"],
        Recipient = "491700",
        Version = 7,
        LastSequence = 10,
    };

    public static ChannelSettings WhatsApp => new()
    {
        Id = Channel,
        OrganizationId = Organization,
        Platform = "whatsapp",
        Name = "Line",
        AgentId = Agent,
        IsActive = true,
        IsBotActive = true,
        IsOrganizationAiEnabled = true,
        HasActiveAgent = true,
        Credentials = ImmutableDictionary<string, string>.Empty,
    };

    public static InboundMessage Text(string id, string text = "Hi") => new() { PlatformMessageId = id, ContentType = ContentTypes.Text, Text = text };

    public static InboundBatch Batch(params ImmutableArray<InboundMessage> messages) => new()
    {
        OrganizationId = Organization,
        ChannelId = Channel,
        Contact = new InboundContact { Identities = ["491700"] },
        Messages = messages,
    };

    public static ConversationPlan Receive(ConversationState state, ChannelSettings channel, DateTimeOffset now, params ImmutableArray<InboundMessage> messages) =>
        InboundDecision.Decide(state, Batch(messages), [], channel, AiAllowance.Unlimited, Instance, now, Guid.NewGuid, null);
}
