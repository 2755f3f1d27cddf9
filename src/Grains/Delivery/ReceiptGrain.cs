using System.Collections.Immutable;
using AgentPlatform.Channels;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using Orleans.Concurrency;

namespace AgentPlatform.Grains.Delivery;

/// <inheritdoc cref="IReceiptGrain"/>
[StatelessWorker(1), Reentrant]
internal sealed class ReceiptGrain(IChannelDirectory channels, Receipts receipts) : Grain, IReceiptGrain
{
    public async Task Record(Guid organizationId, ImmutableArray<DeliveryReceipt> told)
    {
        var found = channels.Find(this.GetPrimaryKey(), CancellationToken.None);
        var channel = found.IsCompletedSuccessfully ? found.Result : await found.AsTask().OrUnavailable();
        if (channel is null || channel.OrganizationId != organizationId)
        {
            throw new InvalidOperationException($"Channel {this.GetPrimaryKey()} does not exist in the organization that the webhook was verified for.");
        }
        await receipts.Record(channel, told);
    }
}
