using System.Collections.Immutable;
using Orleans.Concurrency;

namespace AgentPlatform.Conversations;

/// <summary>
/// One thread between a contact and the organization; its key is a <see cref="ConversationKey"/>. It numbers the messages, decides who
/// answers, holds the turn under way and the messages that wait to be sent. Every method returns after its commit.
/// Throws <see cref="StorageUnavailableException"/> while Postgres is away: nothing was acknowledged, the caller tries again.
/// </summary>
[Alias("conversations.IConversationGrain")]
public interface IConversationGrain : IGrainWithStringKey
{
    /// <summary>Stores what came in, once, and starts or joins a turn.</summary>
    [Alias("Receive")]
    Task<ReceiveResult> Receive(InboundBatch batch);

    /// <summary>Moves our messages forward: sent, delivered, read, failed. Repeating a receipt changes nothing.</summary>
    [Alias("RecordReceipts")]
    Task RecordReceipts(Guid organizationId, ImmutableArray<DeliveryReceipt> receipts);

    /// <summary>A person writes to the customer: the conversation is theirs from then on.</summary>
    [Alias("Send")]
    Task<CommandResult> Send(SendMessage command);

    /// <summary>Takeover, release, assignment, status, notes, read marks, AI on and off.</summary>
    [Alias("Change")]
    Task<CommandResult> Change(ConversationChange change);

    /// <summary>What this grain holds in memory is out of date: somebody else has its name now, or it became part of another conversation. It reads again at the next call.</summary>
    [Alias("Forget"), OneWay]
    Task Forget();

    /// <summary>Takes up what is unfinished (a turn or a delivery of a silo that died). Harmless when nothing is.</summary>
    [Alias("Wake")]
    Task Wake();
}
