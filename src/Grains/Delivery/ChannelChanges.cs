using System.Collections.Concurrent;
using AgentPlatform.Data.Changes;

namespace AgentPlatform.Grains.Delivery;

/// <summary>Tells what waits for a channel to work again that the channel was changed: somebody may have mended it.</summary>
internal sealed class ChannelChanges : IDisposable
{
    private readonly ConcurrentDictionary<Guid, CancellationTokenSource> _awaited = new();
    private readonly IDisposable _subscription;

    public ChannelChanges(ConfigurationChanges changes) => _subscription = changes.Subscribe(Tell);

    /// <summary>Cancelled when the channel is next changed.</summary>
    public CancellationToken Next(Guid channelId) => _awaited.GetOrAdd(channelId, static _ => new()).Token;

    public void Dispose() => _subscription.Dispose();

    private void Tell(ConfigurationChange change)
    {
        if (change.IsEverything)
        {
            foreach (var channelId in _awaited.Keys)
            {
                End(channelId);
            }
        }
        else if (change is { Table: "channels", Id: { } id })
        {
            End(id);
        }
    }

    /// <summary>Many may wait; none of them may keep the listener busy.</summary>
    private void End(Guid channelId)
    {
        if (_awaited.TryRemove(channelId, out var awaited))
        {
            _ = awaited.CancelAsync();
        }
    }
}
