using System.Collections.Immutable;
using AgentPlatform.Conversations;

namespace AgentPlatform.Channels;

/// <summary>
/// Takes the receipts of one channel, whoever they name: a receipt is found by our message id or the platform's, and needs no conversation. Its key is the channel's id. It holds
/// nothing, so that there is one on every silo, and receipts (three to each message sent) wait for nobody.
/// Throws <see cref="StorageUnavailableException"/> while Postgres is away: nothing was acknowledged, the caller tries again.
/// </summary>
[Alias("channels.IReceiptGrain")]
public interface IReceiptGrain : IGrainWithGuidKey
{
    /// <summary>Moves messages of the channel as the receipts say. Repeating a receipt changes nothing.</summary>
    /// <param name="organizationId">The organization that the webhook was authenticated for.</param>
    [Alias("Record")]
    Task Record(Guid organizationId, ImmutableArray<DeliveryReceipt> receipts);
}
